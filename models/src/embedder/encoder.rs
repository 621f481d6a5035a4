//! A loaded encoder: weights, folded network, batches.

use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use super::network::{Architecture, Network};
use super::{Embedder, Windowing};
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
        Ok(Self::assemble(weights.info(&vs), architecture, vs, network))
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
        Encoder { info, architecture, windowing: architecture.windowing(), vs, network }
    }

    fn embed_batch(&self, windows: &[&[f32]]) -> Result<Vec<Embedding>, ModelError> {
        let (channels, steps) = self.architecture.input();
        let mut input = vec![0.0; windows.len() * channels * steps];
        for (window, out) in windows.iter().zip(input.chunks_exact_mut(channels * steps)) {
            self.architecture.features(window, out);
        }
        let shape = [windows.len() as i64, channels as i64, steps as i64];
        let x = Tensor::f_from_slice(&input)?.f_view(shape)?.f_to_device(self.vs.device())?;
        let y = self.network.forward_t(&x, false).f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
        let mut out = vec![[0.0; EMBEDDING_DIM]; windows.len()];
        let values = out.as_flattened_mut();
        let count = values.len();
        y.f_copy_data(values, count)?;
        Ok(out)
    }
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
        let mut out = Vec::with_capacity(windows.len());
        for batch in windows.chunks(BATCH) {
            out.extend(self.embed_batch(batch)?);
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
        })
    }
}
