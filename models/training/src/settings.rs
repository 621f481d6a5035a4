//! What every training is asked to do, whatever it trains.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tch::{Device, Kind};

use crate::schedule::Budget;
use qbh_models::ModelError;
use qbh_models::extractor::fastest_kind;

/// Whether a training goes on from the checkpoint in its output folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// It begins anew.
    Never,
    /// It does if there is a checkpoint.
    IfThere,
    /// It does, and a missing checkpoint is an error.
    Required,
}

/// The settings that all trainings share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// When to stop.
    pub budget: Budget,
    /// Items (recordings, pairs, hums) per step.
    pub batch: usize,
    /// Threads that make batches, and threads of libtorch. The batches are the same whatever their number.
    pub threads: usize,
    /// Seed of weights and data.
    pub seed: u64,
    /// Weights to start from, a name or a path.
    pub from: Option<String>,
    /// Whether to go on from a checkpoint.
    pub resume: Resume,
    /// Highest learning rate, where the network's own is not wanted: weights to start from are kept better by a lower one.
    pub rate: Option<f64>,
    /// Seconds of training between two checkpoints.
    pub checkpoint_seconds: f64,
    /// Where the network is trained.
    pub device: Device,
    /// Whether the network computes in f32 where bf16 would be faster (weights, losses and moments are f32 anyway).
    pub f32: bool,
    /// Folder for the weights, the checkpoint (`checkpoint.safetensors`) and the learning curve (`curve.csv`).
    pub out: PathBuf,
    /// File stem of the weights.
    pub name: String,
    /// What the weights shall say of themselves beside what the training knows: data, licences, command.
    pub metadata: BTreeMap<String, String>,
}

impl Settings {
    /// The file of the weights.
    pub fn weights(&self) -> PathBuf {
        self.out.join(format!("{}.safetensors", self.name))
    }

    /// The file of the checkpoint.
    pub fn checkpoint(&self) -> PathBuf {
        self.out.join("checkpoint.safetensors")
    }

    /// The kind that convolutions and products are computed in.
    pub(crate) fn kind(&self) -> Kind {
        match (self.f32, self.device) {
            (true, _) => Kind::Float,
            (false, Device::Cuda(_)) => Kind::BFloat16,
            (false, device) => fastest_kind(device),
        }
    }

    /// Makes the output folder, seeds libtorch and sets its threads: before the network is built.
    pub(crate) fn prepare(&self) -> Result<(), ModelError> {
        std::fs::create_dir_all(&self.out).map_err(|source| ModelError::Io { path: self.out.clone(), source })?;
        tch::manual_seed(self.seed as i64);
        if self.device == Device::Cpu {
            tch::set_num_threads(self.threads.max(1) as i32);
        }
        Ok(())
    }
}

#[cfg(test)]
impl Settings {
    /// So many steps into a folder, on one thread.
    pub(crate) fn for_test(out: &std::path::Path, steps: u64, batch: usize) -> Self {
        Settings {
            budget: Budget { steps: Some(steps), hours: None },
            batch,
            threads: 1,
            seed: 5,
            from: None,
            resume: Resume::IfThere,
            rate: None,
            checkpoint_seconds: 1e9,
            device: Device::Cpu,
            f32: false,
            out: out.to_path_buf(),
            name: "net".into(),
            metadata: BTreeMap::from([("data".to_string(), "tests".to_string())]),
        }
    }
}
