//! How a training is doing.

use crate::checkpoint::Progress;

/// Named values.
pub type Scores = Vec<(&'static str, f64)>;

/// How a training is doing: mean values since the report before.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingReport {
    /// Steps done and seconds spent.
    pub progress: Progress,
    /// Share of the budget that is used up, 0..=1.
    pub share: f64,
    /// Learning rate.
    pub rate: f64,
    /// Loss and what else the task measures of every step; empty where there was no step since the report before.
    pub scores: Scores,
    /// Items that the network took per second.
    pub consumed: f64,
    /// Items that the worker threads could have made per second.
    pub offered: f64,
    /// Whether checkpoint and weights have just been written.
    pub saved: bool,
    /// Scores of the averaged weights on the development set, where weights were written and there is one.
    pub dev: Scores,
}

impl TrainingReport {
    /// The score of this name, where it was measured.
    pub fn score(&self, name: &str) -> Option<f64> {
        self.scores.iter().chain(&self.dev).find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// Sums of the scores of some steps.
pub(crate) struct Sums {
    names: &'static [&'static str],
    sums: Vec<f64>,
    pub(crate) steps: u32,
    /// Seconds that drawing the batches took.
    pub(crate) drawing: f64,
}

impl Sums {
    pub(crate) fn new(names: &'static [&'static str]) -> Self {
        Sums { names, sums: vec![0.0; names.len()], steps: 0, drawing: 0.0 }
    }

    /// Adds a step's.
    pub(crate) fn add(&mut self, scores: &[f64], drawing: f64) {
        self.sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
        self.steps += 1;
        self.drawing += drawing;
    }

    /// Their means; none without a step.
    pub(crate) fn means(&self) -> Scores {
        let mean = |(name, sum): (&&'static str, &f64)| (*name, sum / f64::from(self.steps));
        if self.steps == 0 { Vec::new() } else { self.names.iter().zip(&self.sums).map(mean).collect() }
    }
}
