//! The library that is searched: indexed, or taken from an index that holds it already.

use crate::cli::{complain, progress};
use anyhow::{Context as _, Result};
use qbh::eval::datasets::{Query, QuerySource};
use qbh::library::embed_song;
use qbh::library::indexer::{self, Failure, IndexingPlan, KnownFiles, Observer, Pending};
use qbh_index::{FileRecord, Index, NewSong, Outcome};
use qbh_models::embedder::Embedder;
use qbh_models::extractor::Extractor;
use qbh_synthesis::hum;
use qbh_synthesis::random::stream;
use std::collections::HashSet;
use std::ops::Range;
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
    let mut plan = IndexingPlan::new(&roots, KnownFiles::of(&index)?);
    let hums: HashSet<PathBuf> = queries
        .iter()
        .filter_map(|query| if let QuerySource::File(path) = &query.source { path.canonicalize().ok() } else { None })
        .collect();
    plan.pending.retain(|file| !hums.contains(&file.path) || roots.contains(&file.path));
    let jobs = rayon::current_num_threads();
    let bar = progress::bar(plan.pending.len() as u64, "{bar:32} {pos}/{len} files indexed  {eta} left");
    let report = indexer::run(&index, &plan, extractor, embedder, jobs, &AtomicBool::new(false), &Ticks(&bar));
    bar.finish_and_clear();
    for Failure { path, reason, .. } in &report?.failed {
        complain(format!("{path} is not in the library: {reason}"));
    }
    index.refresh()?;
    Ok(index)
}

/// Disturbs the contours of all songs as an extractor would, by the model of its mistakes; the `noise` of each is drawn from this range.
pub fn disturb(index: &Index, embedder: &dyn Embedder, noise: &Range<f32>, seed: u64) -> Result<()> {
    let bar = progress::bar(index.files().count() as u64, "{bar:32} {pos}/{len} files disturbed  {eta} left");
    // Not by their ids, which depend on which thread was faster.
    let mut numbers = 0..;
    for file in index.files().collect::<Result<Vec<FileRecord>, _>>()? {
        let Outcome::Indexed { songs } = &file.outcome else { continue };
        let mut disturbed = Vec::with_capacity(songs.len());
        for &id in songs {
            let (Some(song), Some(clean), Some(number)) = (index.song(id)?, index.contour(id)?, numbers.next()) else { continue };
            let draw = &mut stream(seed, number, 0);
            let noise = draw.range(noise.start, noise.end);
            let contour = hum::leak(clean, noise, draw);
            let levels = embed_song(&contour, embedder)?;
            disturbed.push(NewSong { key: song.key, tags: song.tags, contour, levels });
        }
        index.put_file(&file.identity, disturbed)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    index.refresh()?;
    Ok(())
}

struct Ticks<'a>(&'a indicatif::ProgressBar);

impl Observer for Ticks<'_> {
    fn file_done(&self, _: &Pending, _: std::result::Result<f64, &Failure>) {
        self.0.inc(1);
    }
}
