//! Training of rerankers: of the songs that a search proposed for a hum, the right one shall stand out.
//!
//! - `drawn`: what is looked at of a hum in a step
//! - `task`: the network in the training loop

mod drawn;
mod task;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::report::TrainingReport;
use crate::run::run;
use crate::settings::Settings;
use drawn::Drawn;
use qbh_models::ModelError;
use qbh_models::reranker::Pair;
use task::RerankerTask;

/// Hums per step that a reranker is usually trained with.
pub const BATCH: usize = 8;

/// A hum with the songs that a search proposed.
#[derive(Debug, Clone)]
pub struct Case {
    /// The hum beside each of them, at the places where it may lie: at least one.
    pub pairs: Vec<Vec<Pair>>,
    /// What the search ranked each of them by.
    pub scores: Vec<f32>,
    /// Whether it is the song that was hummed.
    pub right: Vec<bool>,
}

/// Trains until the budget is used up, see [the crate](crate) for what is written and reported. The score is `loss`; the
/// development scores are the shares of held-out hums whose right song comes first: by the `search` alone, by the `network`
/// alone, by `both` (the score of the search plus a fifth of the log-odds).
///
/// # Errors
/// No cases, files that cannot be written or do not fit, and a network that diverges.
pub fn train(
    settings: &Settings,
    cases: &[Case],
    dev: &[Case],
    report: &mut dyn FnMut(&TrainingReport),
) -> Result<PathBuf, ModelError> {
    if !cases.iter().any(|case| case.right.contains(&true)) {
        return Err(ModelError::Training("no hum found its song: there is nothing to learn from".into()));
    }
    settings.prepare()?;
    let mut task = RerankerTask::new(settings, cases.len(), dev)?;
    let draw = |step: u64| Ok(Drawn::batch(cases, settings.batch, settings.seed, step));
    run(settings, &mut task, &draw, report)
}
