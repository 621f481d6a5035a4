//! Training of extractors on recordings whose pitch is known.
//!
//! - `student`: what a network brings to its training, as traits; `students`: the table of who is trained by what name
//! - `ah1`, `harmonic`, `jdc`, `multidnn`, `ssl`: the targets and losses of each; `segments`: what `jdc` and `ssl` share
//! - `crops`: recordings to labelled network inputs; `calibrate`: constants of front ends
//! - [`pseudo`]: music without labels, and what a teacher says about it
//! - `task`: a student in the training loop; `scores`: how it does

pub(crate) mod ah1;
mod calibrate;
mod crops;
pub(crate) mod harmonic;
pub(crate) mod jdc;
pub mod multidnn;
pub mod pseudo;
mod scores;
mod segments;
pub(crate) mod ssl;
pub(crate) mod student;
mod students;
mod task;

use std::path::PathBuf;

use self::multidnn::{MultiDnnStudent, Tasks};
use self::student::Student;
use self::task::ExtractorTask;
use crate::report::TrainingReport;
use crate::run::run;
use crate::settings::Settings;
use qbh_models::ModelError;
use qbh_models::extractor::{Architecture, SHIPPED};
use qbh_models::nn::weights::Weights;
use qbh_synthesis::Example;

/// Where recordings come from: the seed and the length in seconds in, a recording at least that long out. Equal seeds give
/// equal recordings.
pub type Source<'a> = dyn Fn(u64, f32) -> Example + Sync + 'a;

/// Trains an architecture until the budget is used up, see [the crate](crate) for what is written and reported.
/// The scores are `pitch_loss` (cross-entropy), `voicing_loss` (0 where the pitch loss covers it), `pitch_accuracy` (share of
/// voiced frames whose pitch is right within half a semitone) and `voicing_accuracy` (share of frames).
///
/// # Errors
/// Files that cannot be written or do not fit, and a network that diverges.
pub fn train(
    settings: &Settings,
    architecture: &'static Architecture,
    source: &Source,
    report: &mut dyn FnMut(&TrainingReport),
) -> Result<PathBuf, ModelError> {
    let enrol = students::enroller(architecture.name)?;
    settings.prepare()?;
    train_student(settings, architecture.name, enrol(settings, source)?, source, report)
}

/// Trains `multidnn` as [`train`] does, with another share of its two tasks in the loss.
///
/// # Errors
/// As [`train`].
pub fn train_multidnn(
    settings: &Settings,
    tasks: Tasks,
    source: &Source,
    report: &mut dyn FnMut(&TrainingReport),
) -> Result<PathBuf, ModelError> {
    settings.prepare()?;
    let student = MultiDnnStudent::new(settings, false, tasks)?;
    train_student(settings, student.architecture(), Box::new(student), source, report)
}

/// Trains a fresh student, called `name`.
fn train_student(
    settings: &Settings,
    name: &'static str,
    student: Box<dyn Student>,
    source: &Source,
    report: &mut dyn FnMut(&TrainingReport),
) -> Result<PathBuf, ModelError> {
    if let Some(weights) = start(settings)? {
        weights.fill_matching(student.variables())?;
    }
    let listener = student.listener();
    let draw = |step: u64| crops::batch(source, &*listener, settings, step);
    run(settings, &mut ExtractorTask { settings, student, name }, &draw, report)
}

/// The weights to start from: variables of the same name and shape are taken over.
fn start(settings: &Settings) -> Result<Option<Weights>, ModelError> {
    settings.from.as_ref().map(|name| Weights::open(name, SHIPPED)).transpose()
}

#[cfg(test)]
mod tests;
