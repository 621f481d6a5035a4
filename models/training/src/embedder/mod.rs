//! Training of embedders: hums and song windows of the same tune are pulled together, others apart.
//!
//! Every random number belongs to (seed, step, item), so that a training resumed from its checkpoint goes on as if it had
//! never stopped (exactly so when its budget is in steps).
//!
//! - `tunes`, `real_hum`: what there is to learn from; `rivals`, `versions`: tunes that are much alike, or one
//! - `pair`, `pairs`, `batch`: a hum and its song window, how they are drawn, the input of a step
//! - `loss`, `task`: what is minimised, and the network in the training loop
//! - `dev`, `directions`: the development score, and which directions of the embeddings are stored

mod batch;
mod dev;
mod directions;
mod loss;
mod pair;
mod pairs;
mod principal;
mod real_hum;
mod rivals;
mod task;
mod tunes;
mod versions;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use loss::Loss;
pub use real_hum::RealHum;
pub use tunes::{Collection, Tune};

use crate::report::TrainingReport;
use crate::run::run;
use crate::settings::Settings;
use batch::Batch;
use directions::Directions;
use pairs::PairSource;
use qbh_models::ModelError;
use qbh_models::embedder::{self, Architecture};
use rivals::Rivals;
use task::EmbedderTask;

/// What is trained, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmbedderSettings {
    /// Network to train.
    pub architecture: Architecture,
    /// What is minimised.
    pub loss: Loss,
    /// Values that are stored of a window, a multiple of 4: so many principal directions of the 512 go with the weights, as their
    /// `projection`; 512 stores whole embeddings.
    pub dimension: usize,
}

/// What to train on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Data<'a> {
    /// Tunes, of which hums are simulated.
    pub tunes: &'a [Tune],
    /// Real hums with what they are of; a quarter of the pairs, where there are tunes too.
    pub real_hums: &'a [RealHum],
    /// Held-out tunes for the development score.
    pub dev: &'a [Tune],
}

/// Trains until the budget is used up, see [the crate](crate) for what is written and reported. The scores are `loss`,
/// `accuracy` (share of hums whose song comes first within the batch) and `inverse_temperature`; the development scores
/// `recall_1` and `recall_10` (share of hums whose song window is first, or among the first ten, of all held-out ones).
///
/// `settings.from` names trained weights of this embedder to set out from. They also tell which places of different tunes
/// are hard to tell apart; without them all negatives are drawn at random. A budget of no steps leaves these weights as they
/// are, with what is said of them, and gives them a projection.
///
/// # Errors
/// Data that gives no pairs, files that cannot be written or do not fit, and a network that diverges.
pub fn train(
    settings: &Settings,
    kind: EmbedderSettings,
    data: Data,
    report: &mut dyn FnMut(&TrainingReport),
) -> Result<PathBuf, ModelError> {
    if settings.batch < 2 || settings.batch > 1 << 20 {
        return Err(ModelError::Training("a batch has at least two pairs, and at most a million".into()));
    }
    let mut source = PairSource::new(data.tunes, kind.architecture);
    source.set_real_hums(data.real_hums);
    let directions = Directions::new(&source, kind.architecture, kind.dimension)?;
    if let Some(name) = settings.from.as_ref().filter(|_| settings.budget.steps != Some(0)) {
        source.set_rivals(Rivals::mine(data.tunes, embedder::open(name, settings.device.into())?.as_ref(), settings.device)?);
    }
    settings.prepare()?;
    let mut task = EmbedderTask::new(settings, kind, data.dev, directions)?;
    let draw = |step: u64| Batch::draw(&source, kind.architecture, settings.batch, settings.seed, step);
    run(settings, &mut task, &draw, report)
}
