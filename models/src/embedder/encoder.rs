//! A loaded encoder: weights, folded network, batches.

use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use super::architecture::Architecture;
use super::network::Network;
use super::{Embedder, Projection, Windowing};
use crate::nn::weights::Weights;
use crate::{EMBEDDING_DIM, Embedding, ModelError, ModelInfo};

/// Windows that go through the network at once.
const BATCH: usize = 256;

/// One of the [`Architecture`]s with its weights, ready to embed.
#[derive(Debug)]
pub(super) struct Encoder {
    info: ModelInfo,
    architecture: Architecture,
    windowing: Windowing,
    vs: VarStore,
    network: Box<dyn Network>,
    projection: Option<Projection>,
}

impl Encoder {
    /// Builds the network that the metadata names and fills it.
    pub(super) fn load(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        let architecture = Architecture::from_name(weights.architecture()).ok_or_else(|| ModelError::Weights {
            name: weights.name.clone(),
            reason: format!("no embedder has the architecture {:?}", weights.architecture()),
        })?;
        let mut vs = VarStore::new(device);
        let network = architecture.build(&vs.root());
        weights.fill(&mut vs)?;
        let projection = Projection::load(weights, device)?;
        Ok(Encoder { projection, ..Self::assemble(weights.info(&vs), architecture, vs, network) })
    }

    /// The network with random weights.
    pub(super) fn untrained(architecture: Architecture) -> Self {
        let vs = VarStore::new(Device::Cpu);
        let network = architecture.build(&vs.root());
        let info = ModelInfo {
            name: "untrained".into(),
            architecture: architecture.name().into(),
            fingerprint: "0".repeat(16),
            parameters: vs.trainable_variables().iter().map(Tensor::numel).sum(),
            metadata: Default::default(),
        };
        Self::assemble(info, architecture, vs, network)
    }

    fn assemble(info: ModelInfo, architecture: Architecture, mut vs: VarStore, mut network: Box<dyn Network>) -> Self {
        vs.freeze();
        network.fold();
        Encoder { info, architecture, windowing: architecture.windowing(), vs, network, projection: None }
    }

    /// Embeddings of a batch of windows, `(windows, 512)`.
    fn forward(&self, windows: &[&[f32]]) -> Result<Tensor, ModelError> {
        let (channels, steps) = self.architecture.input();
        let mut input = vec![0.0; windows.len() * channels * steps];
        for (window, out) in windows.iter().zip(input.chunks_exact_mut(channels * steps)) {
            self.architecture.features(window, out);
        }
        let shape = [windows.len() as i64, channels as i64, steps as i64];
        let x = Tensor::f_from_slice(&input)?.f_view(shape)?.f_to_device(self.vs.device())?;
        Ok(self.network.forward_t(&x, false))
    }
}

/// Copies a tensor into as many values.
fn copy(y: &Tensor, out: &mut [f32]) -> Result<(), ModelError> {
    let y = y.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    let count = out.len();
    Ok(y.f_copy_data(out, count)?)
}

impl Embedder for Encoder {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn windowing(&self) -> &Windowing {
        &self.windowing
    }

    fn embed(&self, windows: &[&[f32]]) -> Result<Vec<Embedding>, ModelError> {
        let _guard = tch::no_grad_guard();
        let mut out = vec![[0.0; EMBEDDING_DIM]; windows.len()];
        for (batch, out) in windows.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            copy(&self.forward(batch)?, out.as_flattened_mut())?;
        }
        Ok(out)
    }

    fn dimension(&self) -> usize {
        self.projection.as_ref().map_or(EMBEDDING_DIM, Projection::dimension)
    }

    fn vectors(&self, windows: &[&[f32]]) -> Result<Vec<f32>, ModelError> {
        let Some(projection) = &self.projection else { return Ok(self.embed(windows)?.into_flattened()) };
        let _guard = tch::no_grad_guard();
        let dimension = projection.dimension();
        let mut out = vec![0.0; windows.len() * dimension];
        for (batch, out) in windows.chunks(BATCH).zip(out.chunks_mut(BATCH * dimension)) {
            copy(&projection.apply(&self.forward(batch)?)?, out)?;
        }
        Ok(out)
    }

    fn fork(&self) -> Box<dyn Embedder> {
        let _guard = tch::no_grad_guard();
        let vs = VarStore::new(self.vs.device());
        let mut network = self.architecture.build(&vs.root());
        let weights = self.vs.variables();
        for (name, mut variable) in vs.variables() {
            // Both networks then read the same memory.
            variable.set_data(&weights[&name]);
        }
        network.fold();
        Box::new(Encoder {
            info: self.info.clone(),
            architecture: self.architecture,
            windowing: self.windowing.clone(),
            vs,
            network,
            projection: self.projection.as_ref().map(Projection::shared),
        })
    }
}
