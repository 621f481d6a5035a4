//! What a network brings to its training: batches, their loss, and the model that is written.

use std::collections::BTreeMap;

use tch::Tensor;
use tch::nn::VarStore;

use crate::adamw::AdamWConfig;
use crate::checkpoint::Progress;
use crate::ema::Ema;
use crate::schedule::Schedule;
use qbh_models::ModelError;

/// How a network is optimised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// The optimiser.
    pub optimiser: AdamWConfig,
    /// The learning rate.
    pub schedule: Schedule,
    /// Largest joint norm of the gradients.
    pub clip: f64,
    /// Weight of the past in the averaged weights, per step.
    pub ema: f64,
}

/// What is written of a network: tensors, what they say of themselves, and how good they are.
#[derive(Debug)]
pub struct Model {
    /// The averaged weights and whatever ships with them.
    pub tensors: Vec<(String, Tensor)>,
    /// Their metadata.
    pub metadata: BTreeMap<String, String>,
    /// A value per name of [`Task::dev_scores`], where there is a development set.
    pub dev: Option<Vec<f64>>,
}

/// A network in training, on batches of one kind.
pub trait Task<Batch> {
    /// Its name in weights files.
    fn architecture(&self) -> &'static str;

    /// The settings that must not change between a checkpoint and its resume.
    fn identity(&self) -> String;

    /// Its variables.
    fn variables(&self) -> &VarStore;

    /// How it is optimised.
    fn recipe(&self) -> Recipe;

    /// Names of what [`Task::backward`] returns.
    fn scores(&self) -> &'static [&'static str];

    /// Names of the development scores.
    fn dev_scores(&self) -> &'static [&'static str] {
        &[]
    }

    /// Adds the gradients of a batch's loss to those of the variables, and returns the scores of the batch.
    ///
    /// # Errors
    /// What libtorch reports.
    fn backward(&mut self, batch: &Batch) -> Result<Vec<f64>, ModelError>;

    /// The model of the averaged weights. `metadata` is what the loop knows of it: a task adds to it, or replaces it.
    ///
    /// # Errors
    /// What libtorch reports.
    fn model(&mut self, averaged: &Ema, progress: Progress, metadata: BTreeMap<String, String>) -> Result<Model, ModelError>;
}
