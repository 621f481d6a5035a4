//! Whether everything in an index fits together, and mending what does not.

use std::collections::HashMap;
use std::path::Path;

use crate::derived::Derived;
use crate::error::io;
use crate::first_stage::graph;
use crate::opening::Mended;
use crate::snapshot::SnapshotFile;
use crate::store::Stamp;
use crate::{Error, Index, Outcome, Result, Snapshot, SongId, folder};

/// Whether the store was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreCheck {
    /// All of it was read.
    Read,
    /// It was left alone; says why (in use by another process, a disk that cannot be written to).
    LeftAlone(String),
}

/// What `verify` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Files looked at.
    pub files: usize,
    /// Songs looked at.
    pub songs: usize,
    /// What was wrong and is mended, and what has to be heard again.
    pub mended: Mended,
    /// What is wrong and was not mended, one sentence each.
    pub problems: Vec<String>,
    /// Whether the store was looked at.
    pub store: StoreCheck,
    /// State in which the snapshot was found.
    pub snapshot: Derived,
    /// State in which the HNSW graph was found.
    pub graph: Derived,
}

impl VerifyReport {
    /// Whether nothing was lost or wrong. Something derived that is missing or out of date is neither.
    pub fn is_clean(&self) -> bool {
        let derived = [&self.snapshot, &self.graph];
        self.mended.is_empty() && self.problems.is_empty() && !derived.iter().any(|s| matches!(s, Derived::Damaged(_)))
    }

    /// Whether nothing is wrong any more.
    pub fn is_mended(&self) -> bool {
        self.problems.is_empty() && self.mended.to_hear.is_empty()
    }
}

/// Reads everything of the index in `dir`, and mends it: what one of its copies has lost is put back from the other. While another
/// process writes the index, or where nothing can be written, only the snapshot and the graph are read.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OtherVersion`], [`Error::Mixed`], [`Error::Lost`]: whatever keeps the index from being opened by
/// anybody.
pub fn verify(dir: &Path) -> Result<VerifyReport> {
    let found = match SnapshotFile::open(&folder::snapshot(dir)) {
        Ok(file) => file.check_deep(),
        Err(state) => state,
    };
    match Index::open_checked(dir, true) {
        Ok(index) => {
            let mut report = index.verify()?;
            report.snapshot = found;
            Ok(report)
        }
        Err(error @ (Error::Locked { .. } | Error::DiskFull { .. } | Error::Io { .. })) => {
            read_only(dir, found, error.to_string())
        }
        Err(error) => Err(error),
    }
}

/// Opens the index for writing and closes it again, so that there is a snapshot that can be read.
///
/// # Errors
/// As [`Index::open_existing`].
pub fn mend(dir: &Path) -> Result<Mended> {
    Ok(Index::open_existing(dir)?.mended().clone())
}

/// What can be said without opening the store.
fn read_only(dir: &Path, snapshot: Derived, reason: String) -> Result<VerifyReport> {
    let mut problems = Vec::new();
    let (mut files, mut songs, mut graph) = (0, 0, Derived::Missing);
    match Snapshot::open(dir) {
        Ok(open) => {
            files = open.files().count();
            songs = open.len();
            graph = graph::check(&folder::graph(dir), open.opened().vectors_stamp());
            for ordinal in 0..open.opened().songs() {
                problems.extend(open.opened().song_bytes(ordinal).err().map(|error| error.reason()));
            }
        }
        Err(error) => problems.push(error.reason()),
    }
    if let Derived::Damaged(reason) = &snapshot {
        problems.push(format!("the snapshot is damaged: {reason}"));
    }
    let store = StoreCheck::LeftAlone(reason);
    Ok(VerifyReport { files, songs, mended: Mended::default(), problems, store, snapshot, graph })
}

impl Index {
    /// Reads everything: files and songs know each other, snapshot and graph are as they were written. A damaged snapshot is written
    /// anew, a damaged graph is deleted. What was mended when the index was opened is part of the report.
    ///
    /// # Errors
    /// Only if the store cannot be read at all; what does not fit is in the report.
    pub fn verify(&self) -> Result<VerifyReport> {
        let mut problems = Vec::new();
        let mut listed: HashMap<SongId, String> = HashMap::new();
        let mut files = 0;
        for file in self.files() {
            files += 1;
            let file = match file {
                Ok(file) => file,
                Err(error) => {
                    problems.push(format!("a file's record: {}", error.reason()));
                    continue;
                }
            };
            let Outcome::Indexed { songs } = file.outcome else { continue };
            for id in songs {
                if let Some(other) = listed.insert(id, file.identity.path.clone()) {
                    problems.push(format!("song {id} is claimed by {} and {other}", file.identity.path));
                }
            }
        }
        let mut songs = 0;
        for song in self.songs() {
            songs += 1;
            match song {
                Ok(song) => {
                    if listed.remove(&song.id).as_deref() != Some(song.file.as_str()) {
                        problems.push(format!("song {} ({}) is not listed by its file {}", song.id, song.key, song.file));
                    }
                    if let Err(error) = self.store().song_bytes(song.id) {
                        problems.push(error.reason());
                    }
                }
                Err(error) => problems.push(format!("a song's record: {}", error.reason())),
            }
        }
        for (id, file) in listed {
            problems.push(format!("song {id} of {file} is missing"));
        }
        for id in self.store().attached_ids() {
            let id = id?;
            if matches!(self.song(id), Ok(None)) {
                problems.push(format!("contour or vectors of song {id}, which does not exist"));
            }
        }
        let counters = self.store().counters()?;
        let birth = self.store().birth()?;
        let snapshot = match SnapshotFile::open(&folder::snapshot(self.dir())) {
            Ok(file) if file.counters() == counters && file.birth() == birth => file.check_deep(),
            Ok(_) => Derived::Stale,
            Err(state) => state,
        };
        if snapshot != Derived::Current {
            self.pause().publish_anyway(self.store())?;
        }
        let graph_path = folder::graph(self.dir());
        let graph = graph::check(&graph_path, Stamp { identity: birth.identity, generation: counters.vectors });
        if matches!(graph, Derived::Damaged(_)) {
            std::fs::remove_dir_all(&graph_path).map_err(io(&graph_path))?;
        }
        let mended = self.mended().clone();
        Ok(VerifyReport { files, songs, mended, problems, store: StoreCheck::Read, snapshot, graph })
    }
}
