//! What every network brings to its training: a [`Student`] with its loss, and a [`Listener`] with its front end.

use std::collections::BTreeMap;

use tch::Tensor;
use tch::nn::VarStore;

use super::scores::FrameScores;
use crate::adamw::AdamWConfig;
use crate::schedule::Schedule;
use qbh_models::ModelError;
use qbh_synthesis::random::Draw;

/// One network input and what is true about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Crop {
    /// What the front end made.
    pub(crate) features: Vec<f32>,
    /// f0 of each frame in Hz, 0 = unvoiced.
    pub(crate) f0: Vec<f32>,
    /// How much each frame counts: 0 where the voice is too faint to be called voiced or unvoiced, or where a teacher is
    /// not sure, else 1.
    pub(crate) weight: Vec<f32>,
}

/// A network that learns.
pub(crate) trait Student {
    /// Its name in weights files.
    fn architecture(&self) -> &'static str;

    /// Its variables.
    fn variables(&self) -> &VarStore;

    /// What turns recordings into its inputs.
    fn listener(&self) -> Box<dyn Listener>;

    /// Learning rate.
    fn schedule(&self) -> Schedule;

    /// Settings of the optimiser.
    fn optimiser(&self) -> AdamWConfig;

    /// Loss of a batch, with its parts for the learning curve.
    fn loss(&self, batch: &[Crop]) -> (Tensor, FrameScores);

    /// Tensors that ship beside the variables.
    fn constants(&self) -> Vec<(String, Tensor)>;

    /// What the weights must say for the network to be rebuilt.
    fn metadata(&self) -> BTreeMap<String, String>;
}

/// A front end as the worker threads use it.
pub(crate) trait Listener: Sync {
    /// Samples (16 kHz) of a crop.
    fn samples(&self) -> usize;

    /// Frames of a crop.
    fn frames(&self) -> usize;

    /// Label frames (10 ms) from one frame to the next; need not be whole.
    fn label_step(&self) -> f64;

    /// The network's input for the samples of a crop, augmented where that is cheapest done on features.
    ///
    /// # Errors
    /// A rate that the samples cannot be brought to.
    fn listen(&self, samples: &[f32], draw: &mut Draw) -> Result<Vec<f32>, ModelError>;
}
