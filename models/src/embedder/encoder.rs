//! A loaded encoder: features of windows through a network, and what is stored of the embeddings.

use std::cell::RefCell;

use super::architecture::Architecture;
use super::runner::Runner;
#[cfg(feature = "torch")]
use super::torch::Torch;
use super::{Embedder, Projection, Windowing, contextual};
use crate::engine::Kernel;
use crate::nn::weights::Weights;
use crate::{Device, EMBEDDING_DIM, Embedding, ModelError, ModelInfo};

/// One of the [`Architecture`]s with its weights, ready to embed.
pub(super) struct Encoder {
    info: ModelInfo,
    architecture: Architecture,
    windowing: Windowing,
    projection: Option<Projection>,
    work: RefCell<Work>,
}

/// What changes while it embeds.
struct Work {
    runner: Box<dyn Runner>,
    features: Vec<f32>,
}

impl Encoder {
    /// Builds the network that the metadata names and fills it: `contextual` on the processor is the engine's, others are libtorch's.
    pub(super) fn load(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        match (architecture_of(weights)?, device) {
            (Architecture::Contextual, Device::Cpu) => Self::on_engine(weights, Kernel::best()),
            _ => Self::on_libtorch(weights, device),
        }
    }

    /// A `contextual` network on the engine.
    pub(super) fn on_engine(weights: &Weights, kernel: Kernel) -> Result<Self, ModelError> {
        let (engine, parameters) = contextual::Engine::new(weights, kernel)?;
        Self::assemble(weights, parameters, Architecture::Contextual, Box::new(engine))
    }

    /// Any network on libtorch.
    #[cfg(feature = "torch")]
    pub(super) fn on_libtorch(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        let architecture = architecture_of(weights)?;
        let (torch, parameters) = Torch::new(architecture, weights, device.into())?;
        Self::assemble(weights, parameters, architecture, Box::new(torch))
    }

    /// Not in this build.
    #[cfg(not(feature = "torch"))]
    fn on_libtorch(weights: &Weights, _: Device) -> Result<Self, ModelError> {
        Err(ModelError::NeedsTorch { what: format!("the embedder {} on this device", weights.architecture()) })
    }

    /// The network with random weights.
    #[cfg(feature = "torch")]
    #[expect(clippy::expect_used, reason = "weights of an architecture fit it")]
    pub(super) fn untrained(architecture: Architecture) -> Self {
        let vs = tch::nn::VarStore::new(tch::Device::Cpu);
        let _network = architecture.build(&vs.root());
        let metadata = [("architecture".to_string(), architecture.name().to_string())].into();
        let weights = Weights::of("untrained", metadata, &vs).expect("variables of the processor can be read");
        Self::load(&weights, Device::Cpu).expect("weights of this architecture fit")
    }

    fn assemble(
        weights: &Weights,
        parameters: usize,
        architecture: Architecture,
        runner: Box<dyn Runner>,
    ) -> Result<Self, ModelError> {
        Ok(Encoder {
            info: weights.describe(parameters),
            architecture,
            windowing: architecture.windowing(),
            projection: Projection::load(weights)?,
            work: RefCell::new(Work { runner, features: Vec::new() }),
        })
    }
}

/// The architecture that the metadata name.
fn architecture_of(weights: &Weights) -> Result<Architecture, ModelError> {
    let reason = || format!("no embedder has the architecture {:?}", weights.architecture());
    Architecture::from_name(weights.architecture())
        .ok_or_else(|| ModelError::Weights { name: weights.name.clone(), reason: reason() })
}

impl Embedder for Encoder {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn windowing(&self) -> &Windowing {
        &self.windowing
    }

    fn embed(&self, windows: &[&[f32]]) -> Result<Vec<Embedding>, ModelError> {
        let Work { runner, features } = &mut *self.work.borrow_mut();
        let (channels, steps) = self.architecture.input();
        let mut out = vec![[0.0; EMBEDDING_DIM]; windows.len()];
        for (windows, out) in windows.chunks(runner.batch()).zip(out.chunks_mut(runner.batch())) {
            features.resize(windows.len() * channels * steps, 0.0);
            for (window, features) in windows.iter().zip(features.chunks_exact_mut(channels * steps)) {
                self.architecture.features(window, features);
            }
            runner.run(features, out.as_flattened_mut())?;
        }
        Ok(out)
    }

    fn dimension(&self) -> usize {
        self.projection.as_ref().map_or(EMBEDDING_DIM, Projection::dimension)
    }

    fn vectors(&self, windows: &[&[f32]]) -> Result<Vec<f32>, ModelError> {
        let embeddings = self.embed(windows)?;
        Ok(match &self.projection {
            Some(projection) => projection.apply(&embeddings),
            None => embeddings.into_flattened(),
        })
    }

    fn fork(&self) -> Box<dyn Embedder> {
        let runner = self.work.borrow().runner.fork();
        Box::new(Encoder {
            info: self.info.clone(),
            architecture: self.architecture,
            windowing: self.windowing.clone(),
            projection: self.projection.clone(),
            work: RefCell::new(Work { runner, features: Vec::new() }),
        })
    }
}
