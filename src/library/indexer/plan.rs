//! What a run has to do, found by comparing the folders with the index. Nothing is listened to, nothing is changed.

use crate::library::identity::{self, path_text};
use crate::library::walk;
use qbh_index::{FileIdentity, FileRecord, Index, Outcome, Sound};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// A file to listen to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Where it is.
    pub path: PathBuf,
    /// What it looks like now.
    pub identity: FileIdentity,
}

/// A file that is not in the index, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its path.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
    /// What the user can do.
    pub remedy: String,
    /// Whether it failed in an earlier run and has not changed since.
    pub known: bool,
}

/// Where a sound is known from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whereabouts {
    /// A file that is not where it was.
    Gone(String),
    /// A file that was gone already in an earlier run.
    Parked(String),
    /// A file that is in the index and in its place.
    Present(String),
}

/// What a run has to do.
#[derive(Debug, Clone, Default)]
pub struct IndexingPlan {
    /// Files that are new or have changed, the biggest first, so that no thread is left with a long one at the end.
    pub pending: Vec<Pending>,
    /// How many files are in the index and have not changed.
    pub unchanged: usize,
    /// Files that failed in an earlier run and have not changed since: they are not tried again.
    pub failed_before: Vec<Failure>,
    /// Paths of files in the index that are gone: their songs are to be forgotten.
    pub vanished: Vec<String>,
    /// What could not be looked at, in sentences.
    pub remarks: Vec<String>,
    /// Files that were passed by because they are no music by their name: how many by extension.
    pub skipped: BTreeMap<String, usize>,
    /// Unchanged files of which the index does not know what they sound like: an older version had indexed them.
    pub soundless: Vec<PathBuf>,
    /// Sounds that the index knows, and where from.
    pub sounds: Vec<(Sound, Whereabouts)>,
}

/// What the index knows before a run.
#[derive(Debug, Clone, Default)]
pub struct KnownFiles {
    /// The files that are in it or have failed.
    pub files: Vec<FileRecord>,
    /// Files that were gone in earlier runs, and whose songs are kept in case they come back.
    pub parked: Vec<FileRecord>,
    /// Whether files that failed are to be tried again although they have not changed.
    pub retry_failed: bool,
}

impl KnownFiles {
    /// Of an index.
    pub fn of(index: &Index) -> Result<Self, qbh_index::Error> {
        let files = index.files().collect::<Result<_, _>>()?;
        Ok(KnownFiles { files, parked: index.parked().collect::<Result<_, _>>()?, retry_failed: false })
    }
}

impl IndexingPlan {
    /// Compares what is below `roots` (files or folders that exist, absolute) with what the index knows.
    ///
    /// Files that are gone are forgotten only where their absence is beyond doubt: not below a folder that could not be read, and
    /// not when a folder that used to hold music holds none at all, as an unmounted drive does.
    pub fn new(roots: &[PathBuf], known: KnownFiles) -> Self {
        let KnownFiles { files, parked, retry_failed } = known;
        let known: HashMap<String, FileRecord> = files.into_iter().map(|record| (record.identity.path.clone(), record)).collect();
        let mut plan = IndexingPlan::default();
        let mut seen = HashSet::new();
        for root in roots {
            plan.visit(root, &known, &mut seen, retry_failed);
        }
        plan.pending.sort_by(|a, b| b.identity.size.cmp(&a.identity.size).then_with(|| a.path.cmp(&b.path)));
        plan.vanished.sort();
        plan.vanished.dedup();
        plan.vanished.retain(|path| !seen.contains(path));
        let gone: HashSet<&String> = plan.vanished.iter().collect();
        let place = |record: &FileRecord| {
            let path = record.identity.path.clone();
            if gone.contains(&path) { Whereabouts::Gone(path) } else { Whereabouts::Present(path) }
        };
        let indexed = known.values().filter(|record| matches!(record.outcome, Outcome::Indexed { .. }));
        let present = indexed.filter_map(|record| Some((record.sound?, place(record))));
        let parked = parked.iter().filter_map(|r| Some((r.sound?, Whereabouts::Parked(r.identity.path.clone()))));
        plan.sounds = present.chain(parked).collect();
        plan
    }

    fn visit(&mut self, root: &Path, known: &HashMap<String, FileRecord>, seen: &mut HashSet<String>, retry_failed: bool) {
        let mut unreadable = Vec::new();
        let mut found = 0;
        let mut walk = walk::files(root);
        for entry in walk.by_ref() {
            let identity = entry.and_then(|path| identity::of(&path).map(|identity| (path, identity)));
            match identity {
                Ok((path, identity)) => {
                    found += 1;
                    if seen.insert(identity.path.clone()) {
                        self.take(path, identity, known, retry_failed);
                    }
                }
                Err(error) => {
                    let remark = error.to_string();
                    if !self.remarks.contains(&remark) {
                        self.remarks.push(remark);
                    }
                    unreadable.push(error.path().to_path_buf());
                }
            }
        }
        for (extension, count) in walk.skipped() {
            *self.skipped.entry(extension.clone()).or_default() += count;
        }
        let gone = known.keys().map(Path::new).filter(|path| path.starts_with(root) && !seen.contains(&path_text(path)));
        let gone: Vec<String> = gone.filter(|path| !unreadable.iter().any(|dir| path.starts_with(dir))).map(path_text).collect();
        if found == 0 && !gone.is_empty() {
            self.remarks.push(format!(
                "{} holds no music now, but the index knows {} files there, which are kept: is a drive missing? \
                 `qbh remove {}` forgets them",
                root.display(),
                gone.len(),
                root.display(),
            ));
        } else {
            self.vanished.extend(gone);
        }
    }

    fn take(&mut self, path: PathBuf, identity: FileIdentity, known: &HashMap<String, FileRecord>, retry_failed: bool) {
        let record = known.get(&identity.path).filter(|record| record.identity == identity);
        if record.is_some_and(|record| record.sound.is_none() && matches!(record.outcome, Outcome::Indexed { .. })) {
            self.soundless.push(path.clone());
        }
        match record.map(|record| &record.outcome) {
            None => self.pending.push(Pending { path, identity }),
            Some(Outcome::Failed { .. }) if retry_failed => self.pending.push(Pending { path, identity }),
            Some(Outcome::Indexed { .. }) => self.unchanged += 1,
            Some(Outcome::Failed { reason, remedy }) => self.failed_before.push(Failure {
                path: identity.path,
                reason: reason.clone(),
                remedy: remedy.clone(),
                known: true,
            }),
        }
    }
}
