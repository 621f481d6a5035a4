//! What the architectures have in common when they are trained.

use std::collections::BTreeMap;

use tch::Tensor;
use tch::nn::VarStore;

use super::crops::Crop;
use super::{AdamWConfig, Architecture, Report, Schedule, Settings, Source, harmonic, ssl};
use crate::ModelError;
use crate::synthesis::random::Draw;

/// A network that learns.
pub(super) trait Student {
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
    fn loss(&self, batch: &[Crop]) -> (Tensor, Scores);

    /// Tensors that ship beside the variables.
    fn constants(&self) -> Vec<(String, Tensor)>;

    /// What the weights must say for the network to be rebuilt.
    fn metadata(&self) -> BTreeMap<String, String>;
}

/// A front end as the worker threads use it.
pub(super) trait Listener: Sync {
    /// Samples (16 kHz) of a crop.
    fn samples(&self) -> usize;

    /// Frames of a crop.
    fn frames(&self) -> usize;

    /// Label frames (10 ms) from one frame to the next.
    fn label_step(&self) -> usize;

    /// The network's input for the samples of a crop, augmented where that is cheapest done on features.
    fn listen(&self, samples: &[f32], draw: &mut Draw) -> Vec<f32>;
}

/// Sums over steps, see [`Report`] for the parts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scores {
    /// Steps summed.
    pub(super) steps: f64,
    pub(super) pitch_loss: f64,
    pub(super) voicing_loss: f64,
    pub(super) pitch_accuracy: f64,
    pub(super) voicing_accuracy: f64,
}

impl Scores {
    /// Adds another step's.
    pub(super) fn add(&mut self, other: &Scores) {
        self.steps += other.steps;
        self.pitch_loss += other.pitch_loss;
        self.voicing_loss += other.voicing_loss;
        self.pitch_accuracy += other.pitch_accuracy;
        self.voicing_accuracy += other.voicing_accuracy;
    }

    /// Their means, as part of a report.
    pub(super) fn mean(&self) -> Report {
        let steps = self.steps.max(1.0);
        Report {
            pitch_loss: self.pitch_loss / steps,
            voicing_loss: self.voicing_loss / steps,
            pitch_accuracy: self.pitch_accuracy / steps,
            voicing_accuracy: self.voicing_accuracy / steps,
            ..Report::default()
        }
    }
}

/// The student that the settings ask for, with fresh weights.
pub(super) fn enrol(settings: &Settings, source: &Source) -> Result<Box<dyn Student>, ModelError> {
    Ok(match settings.architecture {
        Architecture::Harmonic(size) => Box::new(harmonic::HarmonicStudent::new(size, settings.device)),
        Architecture::Ssl => Box::new(ssl::SslStudent::new(settings, source)?),
    })
}
