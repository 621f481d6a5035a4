//! The run of `qbh index`: what has to be listened to ([`IndexingPlan`]), listening to it on every core ([`run`]), and what came of it ([`IndexingReport`]).

mod hear;
mod plan;
mod report;
mod stages;

pub use plan::{Failure, IndexingPlan, Pending};
pub use report::IndexingReport;
pub use stages::StageTimes;

use hear::Worker;
use qbh_index::{Fingerprint, Index, Level, ModelId};
use qbh_models::ModelInfo;
use qbh_models::embedder::Embedder;
use qbh_models::extractor::Extractor;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

/// Watches a run, from several threads.
pub trait Observer: Sync {
    /// A file is done: `Ok` holds the seconds of music in it, `Err` why it is not in the index.
    fn file_done(&self, file: &Pending, outcome: Result<f64, &Failure>);
}

/// A model as the index knows it.
pub fn model_id(info: &ModelInfo) -> ModelId {
    ModelId { name: info.name.clone(), fingerprint: info.fingerprint.clone() }
}

/// The fingerprint of an index made with these models.
pub fn fingerprint(extractor: &ModelId, embedder: &dyn Embedder) -> Fingerprint {
    let windowing = embedder.windowing();
    let windows_per_length = windowing.windows_per_length;
    Fingerprint {
        extractor: extractor.clone(),
        embedder: model_id(embedder.info()),
        dimension: embedder.dimension() as u32,
        levels: windowing.song_steps.iter().map(|&steps| Level { steps, windows_per_length }).collect(),
    }
}

/// Listens to the files of a plan on `jobs` threads and stores what they hold; forgets the files that are gone.
///
/// A file that fails is stored as failed and reported; an index that fails ends the run. When `stop` is set, files being listened
/// to are finished and the rest is left for the next run. Every file is stored by itself: a run that is cut short loses at most
/// the files it was listening to.
pub fn run(
    index: &Index,
    plan: &IndexingPlan,
    extractor: &dyn Extractor,
    embedder: &dyn Embedder,
    jobs: usize,
    stop: &AtomicBool,
    observer: &dyn Observer,
) -> Result<IndexingReport, qbh_index::Error> {
    let start = Instant::now();
    let report = Mutex::new(IndexingReport::of(plan));
    let next = AtomicUsize::new(0);
    let broken = Mutex::new(None);

    let work = |mut worker: Worker| {
        while !stop.load(Ordering::Relaxed) {
            let Some(file) = plan.pending.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            match worker.process(index, file) {
                Ok(done) => {
                    let outcome = done.failure.as_ref().map_or(Ok(done.seconds), Err);
                    observer.file_done(file, outcome);
                    lock(&report).add(done);
                }
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    lock(&broken).get_or_insert(error);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, plan.pending.len().max(1)) {
            let worker = Worker::new(extractor.fork(), embedder.fork());
            scope.spawn(move || work(worker));
        }
    });

    if let Some(error) = into_inner(broken) {
        return Err(error);
    }
    let mut report = into_inner(report);
    report.failed.sort_by(|a, b| a.path.cmp(&b.path));
    report.interrupted = stop.load(Ordering::Relaxed);
    forget(index, plan)?;
    report.elapsed = start.elapsed();
    Ok(report)
}

/// Removes the songs of files that are gone.
pub fn forget(index: &Index, plan: &IndexingPlan) -> Result<(), qbh_index::Error> {
    plan.vanished.iter().try_for_each(|path| index.remove_file(path).map(drop))
}

/// A worker that panicked has been caught before it could leave anything half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
