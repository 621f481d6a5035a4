//! Training of extractors on synthetic recordings whose pitch is known exactly.
//!
//! - `student`: what a network brings to its training, as traits; `students`: the table of who is trained by what name
//! - `ah1`, `harmonic`, `jdc`, `multidnn`, `ssl`: the targets and losses of each; `segments`: what `jdc` and `ssl` share
//! - `crops`: recordings to labelled network inputs, made ahead of time by worker threads
//! - `calibrate`, `resample`: constants of front ends; training audio at other rates
//! - [`pseudo`]: music without labels, and what a teacher says about it
//! - `scores`, `curve`: how it goes, and the learning curve on disk

pub(crate) mod ah1;
mod calibrate;
mod crops;
mod curve;
pub(crate) mod harmonic;
pub(crate) mod jdc;
pub mod multidnn;
pub mod pseudo;
mod resample;
mod scores;
mod segments;
pub(crate) mod ssl;
pub(crate) mod student;
mod students;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tch::Device;

use self::crops::Feeder;
use self::curve::Curve;
use self::multidnn::{MultiDnnStudent, Tasks};
use self::scores::Scores;
use self::student::Student;
use crate::adamw::AdamW;
use crate::checkpoint::{Progress, TrainingState};
use crate::ema::Ema;
use crate::schedule::Budget;
use qbh_models::ModelError;
use qbh_models::extractor::{Architecture, SHIPPED};
use qbh_models::nn::variables;
use qbh_models::nn::weights::Weights;
use qbh_synthesis::Example;

/// Steps between two reports.
const REPORT_STEPS: u64 = 50;

/// Seconds between two checkpoints.
const CHECKPOINT_SECONDS: f64 = 120.0;

/// Largest norm of a gradient.
const CLIP: f64 = 5.0;

/// Weight of the past in the averaged weights: the last hundred steps or so.
const EMA_DECAY: f64 = 0.99;

/// What a training is asked to do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The network.
    pub architecture: &'static Architecture,
    /// When to stop.
    pub budget: Budget,
    /// Recordings per step.
    pub batch: usize,
    /// Threads that make recordings, and threads of libtorch.
    pub threads: usize,
    /// Seed of weights and data.
    pub seed: u64,
    /// Weights to start from, a name or a path: variables of the same name and shape are taken over.
    pub from: Option<String>,
    /// Goes on from the checkpoint in `out`.
    pub resume: bool,
    /// Highest learning rate, where the network's own is not wanted: weights to start from are kept better by a lower one.
    pub rate: Option<f64>,
    /// Where the network is trained.
    pub device: Device,
    /// Folder for the weights, the checkpoint and the learning curve.
    pub out: PathBuf,
    /// File stem of the weights.
    pub name: String,
    /// What the weights shall say of themselves: data, licences, command.
    pub metadata: BTreeMap<String, String>,
}

impl Settings {
    /// The weights to start from.
    fn start(&self) -> Result<Option<Weights>, ModelError> {
        self.from.as_ref().map(|name| Weights::open(name, SHIPPED)).transpose()
    }

    /// The file of the weights.
    pub fn weights(&self) -> PathBuf {
        self.out.join(format!("{}.safetensors", self.name))
    }
}

/// Where recordings come from: the seed and the length in seconds in, a recording at least that long out. Equal seeds give
/// equal recordings.
pub type Source<'a> = dyn Fn(u64, f32) -> Example + Sync + 'a;

/// How a training is doing: mean values since the report before.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Report {
    /// Steps done.
    pub step: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Share of the budget that is used up, 0..=1.
    pub share: f64,
    /// Learning rate.
    pub rate: f64,
    /// Cross-entropy of the pitch.
    pub pitch_loss: f64,
    /// Loss of the voicing (0 where the pitch loss covers it).
    pub voicing_loss: f64,
    /// Share of voiced frames whose pitch is right within half a semitone.
    pub pitch_accuracy: f64,
    /// Share of frames whose voicing is right.
    pub voicing_accuracy: f64,
    /// Recordings that the network took per second.
    pub consumed: f64,
    /// Recordings that the worker threads could have made per second.
    pub offered: f64,
    /// Whether this report only says that checkpoint and weights have just been written.
    pub saved: bool,
}

/// Trains until the budget is used up; writes `NAME.safetensors` (averaged weights, f16), `checkpoint.safetensors` and
/// `curve.csv` to the output folder. `report` is called every 50 steps, and when weights have been written.
///
/// # Errors
/// Files that cannot be written or do not fit, and a network that diverges.
pub fn train(settings: &Settings, source: &Source, report: &mut dyn FnMut(&Report)) -> Result<PathBuf, ModelError> {
    train_until(settings, students::enroller(settings.architecture.name)?, source, report, u64::MAX)
}

/// Trains `multidnn` as [`train`] does, with another share of its two tasks in the loss.
///
/// # Errors
/// As [`train`].
pub fn train_multidnn(
    settings: &Settings,
    tasks: Tasks,
    source: &Source,
    report: &mut dyn FnMut(&Report),
) -> Result<PathBuf, ModelError> {
    let enrol = |settings: &Settings, _: &Source| -> Result<Box<dyn Student>, ModelError> {
        Ok(Box::new(MultiDnnStudent::new(settings, false, tasks)?))
    };
    train_until(settings, enrol, source, report, u64::MAX)
}

/// Trains the student that `enrol` makes; stops at a step, as if interrupted there.
fn train_until(
    settings: &Settings,
    enrol: impl Fn(&Settings, &Source) -> Result<Box<dyn Student>, ModelError>,
    source: &Source,
    report: &mut dyn FnMut(&Report),
    last_step: u64,
) -> Result<PathBuf, ModelError> {
    std::fs::create_dir_all(&settings.out).map_err(|source| ModelError::Io { path: settings.out.clone(), source })?;
    let weights_path = settings.weights();
    let checkpoint_path = settings.out.join("checkpoint.safetensors");

    tch::manual_seed(settings.seed as i64);
    if settings.device == Device::Cpu {
        tch::set_num_threads(settings.threads.max(1) as i32);
    }
    let student = enrol(settings, source)?;
    if let Some(weights) = settings.start()? {
        weights.fill_matching(student.variables())?;
    }
    let mut optimiser = AdamW::new(student.variables(), student.optimiser());
    let mut ema = Ema::new(student.variables(), EMA_DECAY);
    let identity = format!("{}, batch {}, seed {}", settings.architecture.name, settings.batch, settings.seed);
    let mut state = TrainingState {
        architecture: student.architecture(),
        settings: &identity,
        vs: student.variables(),
        optimiser: &mut optimiser,
        ema: &mut ema,
    };
    if settings.resume && !checkpoint_path.exists() {
        return Err(ModelError::Training(format!("there is no {} to go on from", checkpoint_path.display())));
    }
    let mut progress = if settings.resume { state.resume(&checkpoint_path)? } else { Progress::default() };
    let mut curve = Curve::open(&settings.out.join("curve.csv"), progress.step)?;

    let listener = student.listener();
    std::thread::scope(|scope| {
        let feeder = Feeder::start(scope, settings, source, &*listener, progress.step);
        let mut schedule = student.schedule();
        schedule.peak = settings.rate.unwrap_or(schedule.peak);
        let (began, before) = (Instant::now(), progress.seconds);
        let (mut row, mut row_began, mut saved) = (Scores::default(), Instant::now(), Instant::now());
        loop {
            progress.seconds = before + began.elapsed().as_secs_f64();
            let share = settings.budget.progress(progress.step, progress.seconds);
            if share >= 1.0 || progress.step >= last_step {
                break;
            }
            let Some(batch) = feeder.next() else {
                return Err(ModelError::Training("the threads that make recordings have stopped".into()));
            };
            // Dropout repeats itself after a resume.
            tch::manual_seed((settings.seed ^ progress.step.wrapping_mul(0x9E37_79B9)) as i64);
            state.optimiser.zero_grad();
            let (loss, scores) = student.loss(&batch.crops);
            loss.backward();
            let norm = state.optimiser.clip_gradients(CLIP);
            if !norm.is_finite() {
                return Err(ModelError::Training(format!("the training diverged at step {}", progress.step)));
            }
            let rate = schedule.rate(progress.step, share);
            state.optimiser.step(rate);
            progress.step += 1;
            state.ema.update(progress.step);
            row.add(&scores);
            if progress.step.is_multiple_of(REPORT_STEPS) {
                let now = Report {
                    step: progress.step,
                    seconds: progress.seconds,
                    share,
                    rate,
                    consumed: row.steps * settings.batch as f64 / row_began.elapsed().as_secs_f64(),
                    offered: (settings.batch * settings.threads.max(1)) as f64 / batch.seconds,
                    ..row.mean()
                };
                curve.push(&now)?;
                report(&now);
                (row, row_began) = (Scores::default(), Instant::now());
            }
            if saved.elapsed().as_secs_f64() > CHECKPOINT_SECONDS {
                state.save(progress, &checkpoint_path)?;
                save_weights(settings, &*student, state.ema, progress, &weights_path)?;
                saved = Instant::now();
                report(&Report { step: progress.step, seconds: progress.seconds, share, saved: true, ..Report::default() });
            }
        }
        state.save(progress, &checkpoint_path)?;
        save_weights(settings, &*student, state.ema, progress, &weights_path)?;
        report(&Report { step: progress.step, seconds: progress.seconds, share: 1.0, saved: true, ..Report::default() });
        Ok(())
    })?;
    Ok(weights_path)
}

/// Writes the averaged weights as they ship.
fn save_weights(
    settings: &Settings,
    student: &dyn Student,
    ema: &Ema,
    progress: Progress,
    path: &Path,
) -> Result<(), ModelError> {
    let mut metadata = settings.metadata.clone();
    metadata.insert("architecture".into(), student.architecture().into());
    metadata.insert("steps".into(), progress.step.to_string());
    metadata.insert("hours".into(), format!("{:.2}", progress.seconds / 3600.0));
    metadata.insert("batch".into(), settings.batch.to_string());
    metadata.insert("seed".into(), settings.seed.to_string());
    metadata.extend(student.metadata());
    let mut tensors = ema.weights();
    tensors.extend(student.constants());
    variables::save(&tensors, metadata, path)
}

#[cfg(test)]
mod tests;
