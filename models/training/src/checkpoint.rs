//! Checkpoints from which a training resumes exactly: weights, optimiser moments, averaged weights, and how far it was.
//!
//! Random numbers need no state: trainers draw them from streams keyed by seed, step and item.

use std::collections::BTreeMap;
use std::path::Path;

use tch::nn::VarStore;

use crate::adamw::AdamW;
use crate::ema::Ema;
use qbh_models::ModelError;
use qbh_models::nn::variables::save_f32;
use qbh_models::nn::weights::Weights;

/// How far a training is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Progress {
    /// Optimiser steps done.
    pub step: u64,
    /// Seconds spent training.
    pub seconds: f64,
}

/// Everything that a step changes.
pub struct TrainingState<'a> {
    /// Architecture of the network, checked at resume.
    pub architecture: &'a str,
    /// The settings that must not change between a checkpoint and its resume, as one string (seed, batch, data...).
    pub settings: &'a str,
    /// The network's variables.
    pub vs: &'a VarStore,
    /// Its optimiser.
    pub optimiser: &'a mut AdamW,
    /// Its averaged weights.
    pub ema: &'a mut Ema,
}

impl TrainingState<'_> {
    /// Writes the checkpoint (f32 safetensors) through a temporary file: a crash leaves the one before.
    pub fn save(&self, progress: Progress, path: &Path) -> Result<(), ModelError> {
        let mut tensors: Vec<_> =
            self.vs.variables().into_iter().map(|(name, variable)| (format!("model/{name}"), variable.detach())).collect();
        tensors.extend(self.optimiser.tensors());
        tensors.extend(self.ema.tensors());
        let metadata = BTreeMap::from([
            ("architecture".to_string(), self.architecture.to_string()),
            ("settings".to_string(), self.settings.to_string()),
            ("step".to_string(), progress.step.to_string()),
            ("seconds".to_string(), progress.seconds.to_string()),
        ]);
        save_f32(&tensors, metadata, path)
    }

    /// Reads a checkpoint back. Refuses one of another architecture or of other settings.
    pub fn resume(&mut self, path: &Path) -> Result<Progress, ModelError> {
        let _guard = tch::no_grad_guard();
        let name = path.display().to_string();
        let stored = Weights::open(&name, &[])?;
        let refuse = |reason: String| ModelError::Weights { name: name.clone(), reason };
        if stored.architecture() != self.architecture {
            return Err(refuse(format!("it is of architecture {}, not {}", stored.architecture(), self.architecture)));
        }
        let field = |key: &str| stored.metadata.get(key).ok_or_else(|| refuse(format!("the checkpoint has no {key}")));
        let settings = field("settings")?;
        if settings != self.settings {
            return Err(refuse(format!("it was trained with other settings ({settings}, now {})", self.settings)));
        }
        let step: u64 = field("step")?.parse().map_err(|_| refuse("step is no number".into()))?;
        let seconds: f64 = field("seconds")?.parse().map_err(|_| refuse("seconds is no number".into()))?;
        for (key, mut variable) in self.vs.variables() {
            variable.f_copy_(&stored.tensor(&format!("model/{key}"))?)?;
        }
        self.optimiser.restore(&stored, step)?;
        self.ema.restore(&stored)?;
        Ok(Progress { step, seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adamw::AdamWConfig;
    use tch::{Device, Kind, Tensor, nn};

    const CONFIG: AdamWConfig = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.01 };

    fn train(vs: &VarStore, layer: &nn::Linear, optimiser: &mut AdamW, ema: &mut Ema, steps: std::ops::Range<u64>) {
        for step in steps {
            let x = (Tensor::arange(6, (Kind::Float, vs.device())).view([2, 3]) + step as f64).cos();
            optimiser.zero_grad();
            (x.apply(layer) - 1.0).square().mean(Kind::Float).backward();
            optimiser.step(0.05);
            ema.update(step + 1);
        }
    }

    #[test]
    fn a_resumed_training_equals_one_that_was_never_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint.safetensors");
        let build = || {
            let vs = VarStore::new(Device::Cpu);
            let layer = nn::linear(vs.root() / "fc", 3, 2, Default::default());
            (AdamW::new(&vs, CONFIG), Ema::new(&vs, 0.9), vs, layer)
        };
        let (mut optimiser, mut ema, vs, layer) = build();
        train(&vs, &layer, &mut optimiser, &mut ema, 0..5);
        let progress = Progress { step: 5, seconds: 1.25 };
        let state = TrainingState { architecture: "test", settings: "seed 1", vs: &vs, optimiser: &mut optimiser, ema: &mut ema };
        state.save(progress, &path).unwrap();
        train(&vs, &layer, &mut optimiser, &mut ema, 5..9);

        let (mut optimiser2, mut ema2, vs2, layer2) = build();
        let mut state =
            TrainingState { architecture: "test", settings: "seed 1", vs: &vs2, optimiser: &mut optimiser2, ema: &mut ema2 };
        assert_eq!(state.resume(&path).unwrap(), progress);
        state.settings = "seed 2";
        assert!(state.resume(&path).unwrap_err().to_string().contains("seed 2"));
        train(&vs2, &layer2, &mut optimiser2, &mut ema2, 5..9);
        assert_eq!(layer.ws, layer2.ws);
        assert_eq!(ema.weights()[0].1, ema2.weights()[0].1);
    }
}
