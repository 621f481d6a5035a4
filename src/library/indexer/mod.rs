//! The run of `qbh index`: what has to be listened to ([`IndexingPlan`]), listening to it on every core ([`run`]), and what came of it ([`IndexingReport`]).

mod hear;
mod plan;
mod recognise;
mod report;
mod stages;

pub use plan::{Failure, IndexingPlan, KnownFiles, Pending};
pub use report::IndexingReport;
pub use stages::StageTimes;

use super::{identity, sound};
use hear::{Done, Worker};
use qbh_index::{Fingerprint, Index, Level, ModelId};
use qbh_models::ModelInfo;
use qbh_models::embedder::Embedder;
use qbh_models::extractor::Extractor;
use recognise::Register;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Files are reported so many at a time, or so long after the last ones: reporting waits for the disk.
const ACKNOWLEDGED: (usize, Duration) = (50, Duration::from_millis(250));

/// Watches a run, from several threads.
pub trait Observer: Sync {
    /// A file is done, and what is stored of it survives a loss of power: `Ok` holds the seconds of music in it, `Err` why it is
    /// not in the index.
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

/// The index that models with this fingerprint may fill: the one that is there, if it was made with them, or a new one in `dir`.
///
/// # Errors
/// The index was made with other models, or cannot be made.
pub fn open_for(index: Option<Index>, dir: &Path, fingerprint: &Fingerprint) -> Result<Index, qbh_index::Error> {
    match index {
        Some(index) => index.check_models(fingerprint).map(|()| index),
        None => Index::open(dir, fingerprint),
    }
}

/// Listens to the files of a plan on `jobs` threads and stores what they hold; what sounds like a known file is not listened to.
/// Files that are gone are taken out of the index.
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
    let next = AtomicUsize::new(0);
    let broken = Mutex::new(None);
    let register = Register::new(plan);
    let desk = Desk { index, plan, observer, waiting: Mutex::default(), report: Mutex::new(IndexingReport::of(plan)) };

    let fail = |error| {
        stop.store(true, Ordering::Relaxed);
        lock(&broken).get_or_insert(error);
    };
    let work = |mut worker: Worker| {
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = plan.pending.get(at) else { return };
            let done = worker.process(index, &register, file);
            if let Err(error) = done.and_then(|done| desk.hand_in(at, done)) {
                fail(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, plan.pending.len().max(1)) {
            let worker = Worker::new(extractor.fork(), embedder.fork());
            scope.spawn(|| work(worker));
        }
    });
    if let Err(error) = desk.acknowledge() {
        fail(error);
    }
    if let Some(error) = into_inner(broken) {
        return Err(error);
    }
    let mut report = into_inner(desk.report);
    report.gone = settle(index, plan, stop)?;
    report.sort();
    report.interrupted = stop.load(Ordering::Relaxed);
    report.elapsed = start.elapsed();
    Ok(report)
}

/// Where files that are done wait until they are on the disk.
struct Desk<'a> {
    index: &'a Index,
    plan: &'a IndexingPlan,
    observer: &'a dyn Observer,
    waiting: Mutex<Waiting>,
    report: Mutex<IndexingReport>,
}

struct Waiting {
    done: Vec<(usize, Done)>,
    since: Instant,
}

impl Default for Waiting {
    fn default() -> Self {
        Waiting { done: Vec::new(), since: Instant::now() }
    }
}

impl Desk<'_> {
    /// Takes the outcome of the `at`-th pending file, and reports what has waited when it is time.
    fn hand_in(&self, at: usize, done: Done) -> Result<(), qbh_index::Error> {
        let mut waiting = lock(&self.waiting);
        waiting.done.push((at, done));
        let (count, time) = ACKNOWLEDGED;
        let due = waiting.done.len() >= count || waiting.since.elapsed() >= time;
        drop(waiting);
        if due { self.acknowledge() } else { Ok(()) }
    }

    /// Flushes the index, and then reports the files that were stored before.
    fn acknowledge(&self) -> Result<(), qbh_index::Error> {
        let done = std::mem::take(&mut *lock(&self.waiting)).done;
        self.index.flush()?;
        for (at, done) in done {
            let file = &self.plan.pending[at];
            self.observer.file_done(file, done.fate.as_ref().map(|_| done.seconds));
            lock(&self.report).add(&file.identity.path, done);
        }
        Ok(())
    }
}

/// What a plan asks for beside listening: sounds are learnt, and files that are gone are taken out; which these were.
pub fn settle(index: &Index, plan: &IndexingPlan, stop: &AtomicBool) -> Result<Vec<String>, qbh_index::Error> {
    learn_sounds(index, plan, stop)?;
    forget(index, plan)
}

/// Learns what files sound like that an older version had indexed, so that they are recognised when they move. Reads each once.
fn learn_sounds(index: &Index, plan: &IndexingPlan, stop: &AtomicBool) -> Result<(), qbh_index::Error> {
    for path in plan.soundless.iter().take_while(|_| !stop.load(Ordering::Relaxed)) {
        let identified = std::panic::catch_unwind(|| sound::identify(path)).ok().flatten();
        if let Some(identified) = identified {
            index.set_sound(&identity::path_text(path), identified.sound)?;
        }
    }
    index.flush()
}

/// Takes the files that are gone out of the index and keeps their songs aside; which these were.
fn forget(index: &Index, plan: &IndexingPlan) -> Result<Vec<String>, qbh_index::Error> {
    let mut gone = Vec::new();
    for path in &plan.vanished {
        // One that was recognised elsewhere is known there now.
        if index.park_file(path)? {
            gone.push(path.clone());
        }
    }
    index.flush()?;
    Ok(gone)
}

/// A worker that panicked has been caught before it could leave anything half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
