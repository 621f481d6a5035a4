//! One run of indexing.

use super::Folders;
use crate::library::indexer::{self, Failure, IndexingPlan, KnownFiles, Observer, Pending};
use crate::serve::catalogue::Models;
use crate::serve::status::Board;
use qbh_index::Index;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// What a run needs.
pub struct Round<'a> {
    pub folders: &'a Folders,
    pub models: &'a dyn Models,
    pub board: &'a Board,
    /// Set when it is to end.
    pub stop: &'a AtomicBool,
}

impl Round<'_> {
    /// Compares the folders with the index, listens to what is new, publishes it.
    ///
    /// # Errors
    /// A sentence with its remedy.
    pub fn run(&self) -> Result<(), String> {
        self.board.indexing(|status| (status.running, status.done, status.total, status.failed) = (true, 0, 0, 0));
        let ran = self.index();
        self.board.indexing(|status| {
            status.running = false;
            if ran.is_ok() {
                status.problem = None;
            }
        });
        ran
    }

    fn index(&self) -> Result<(), String> {
        let root = |path: &PathBuf| {
            path.canonicalize().map_err(|error| format!("{}: {error}; nothing was changed, is a drive missing?", path.display()))
        };
        let roots = self.folders.paths.iter().map(root).collect::<Result<Vec<_>, String>>()?;
        let dir = &self.folders.index;
        let index = Index::exists(dir).then(|| Index::open_existing(dir)).transpose().map_err(text)?;
        let known = index.as_ref().map(KnownFiles::of).transpose().map_err(text)?.unwrap_or_default();
        let plan = IndexingPlan::new(&roots, known);
        plan.remarks.iter().for_each(|remark| tracing::warn!(remark, "indexing"));
        self.board.indexing(|status| status.total = plan.pending.len());
        match index {
            None if plan.pending.is_empty() => Err("no music was found in the folders of --library".into()),
            Some(index) if plan.pending.is_empty() => {
                indexer::settle(&index, &plan, self.stop).map_err(text)?;
                index.refresh().map(drop).map_err(text)
            }
            index => self.listen(index, &plan),
        }
    }

    fn listen(&self, index: Option<Index>, plan: &IndexingPlan) -> Result<(), String> {
        let made_with = index.as_ref().map(Index::fingerprint);
        let extractor = self.models.extractor(made_with.map(|made| made.extractor.name.as_str()))?;
        let embedder = self.models.embedder(made_with.map(|made| made.embedder.name.as_str()))?;
        let fingerprint = indexer::fingerprint(&indexer::model_id(extractor.info()), &*embedder);
        let index = indexer::open_for(index, &self.folders.index, &fingerprint).map_err(text)?;
        let report = indexer::run(&index, plan, &*extractor, &*embedder, self.folders.jobs, self.stop, self);
        // Also after an error: what is stored is to be found.
        let published = index.refresh();
        let report = report.map_err(text)?;
        published.map_err(text)?;
        let (indexed, failed, gone) = (report.indexed, report.failed.len(), report.gone.len());
        tracing::info!(indexed, failed, gone, "indexing is done");
        Ok(())
    }
}

impl Observer for Round<'_> {
    fn file_done(&self, _: &Pending, outcome: Result<f64, &Failure>) {
        self.board.indexing(|status| {
            status.done += 1;
            status.failed += usize::from(outcome.is_err());
        });
    }
}

fn text(error: qbh_index::Error) -> String {
    error.to_string()
}
