//! A student as a task of the training loop.

use std::collections::BTreeMap;

use tch::nn::VarStore;

use super::scores::NAMES;
use super::student::{Crop, Student};
use crate::checkpoint::Progress;
use crate::ema::Ema;
use crate::settings::Settings;
use crate::task::{Model, Recipe, Task};
use qbh_models::ModelError;

/// Largest norm of a gradient.
const CLIP: f64 = 5.0;
/// Weight of the past in the averaged weights: the last hundred steps or so.
const EMA_DECAY: f64 = 0.99;

/// A student with the settings of its training.
pub(super) struct ExtractorTask<'a> {
    pub(super) settings: &'a Settings,
    pub(super) student: Box<dyn Student>,
    /// The name that it was asked for by.
    pub(super) name: &'static str,
}

impl Task<Vec<Crop>> for ExtractorTask<'_> {
    fn architecture(&self) -> &'static str {
        self.student.architecture()
    }

    fn identity(&self) -> String {
        format!("{}, batch {}, seed {}", self.name, self.settings.batch, self.settings.seed)
    }

    fn variables(&self) -> &VarStore {
        self.student.variables()
    }

    fn recipe(&self) -> Recipe {
        Recipe { optimiser: self.student.optimiser(), schedule: self.student.schedule(), clip: CLIP, ema: EMA_DECAY }
    }

    fn scores(&self) -> &'static [&'static str] {
        &NAMES
    }

    fn backward(&mut self, batch: &Vec<Crop>) -> Result<Vec<f64>, ModelError> {
        let (loss, scores) = self.student.loss(batch);
        loss.f_backward()?;
        Ok(scores.values())
    }

    fn model(&mut self, averaged: &Ema, _: Progress, mut metadata: BTreeMap<String, String>) -> Result<Model, ModelError> {
        metadata.extend(self.student.metadata());
        let mut tensors = averaged.weights();
        tensors.extend(self.student.constants());
        Ok(Model { tensors, metadata, dev: None })
    }
}
