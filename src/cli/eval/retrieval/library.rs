//! The library that is searched: indexed, or taken from an index that holds it already.

use crate::cli::{complain, progress};
use anyhow::{Context as _, Result};
use qbh::eval::datasets::{Query, QuerySource};
use qbh::library::indexer::{self, Failure, Observer, Pending, Plan};
use qbh_index::Index;
use qbh_models::embedder::Embedder;
use qbh_models::extractor::Extractor;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Brings the index in `folder` up to date with files and folders. Of folders, the queries are left out: a hum must not find itself.
/// What the index holds beside them stays, and is searched too.
pub fn build(
    folder: &Path,
    paths: &[PathBuf],
    queries: &[Query],
    extractor: &dyn Extractor,
    embedder: &dyn Embedder,
) -> Result<Index> {
    let roots = paths.iter().map(|path| path.canonicalize().with_context(|| path.display().to_string()));
    let roots = roots.collect::<Result<Vec<_>>>()?;
    let index = Index::open(folder, &indexer::fingerprint(&indexer::model_id(extractor.info()), embedder))?;
    let mut plan = Plan::new(&roots, index.files().collect::<Result<_, _>>()?);
    let hums: HashSet<PathBuf> = queries
        .iter()
        .filter_map(|query| if let QuerySource::File(path) = &query.source { path.canonicalize().ok() } else { None })
        .collect();
    plan.pending.retain(|file| !hums.contains(&file.path) || roots.contains(&file.path));
    let jobs = std::thread::available_parallelism().map_or(1, |n| n.get());
    let bar = progress::bar(plan.pending.len() as u64, "{bar:32} {pos}/{len} files indexed  {eta} left");
    let report = indexer::run(&index, &plan, extractor, embedder, jobs, &AtomicBool::new(false), &Ticks(&bar));
    bar.finish_and_clear();
    for Failure { path, reason, .. } in &report?.failed {
        complain(format!("{path} is not in the library: {reason}"));
    }
    index.refresh()?;
    Ok(index)
}

struct Ticks<'a>(&'a indicatif::ProgressBar);

impl Observer for Ticks<'_> {
    fn file_done(&self, _: &Pending, _: std::result::Result<f64, &Failure>) {
        self.0.inc(1);
    }
}
