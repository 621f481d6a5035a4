//! Networks on libtorch: those that the engine does not know, and all of them on CUDA.

use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use super::architecture::Architecture;
use super::network::Network;
use super::runner::Runner;
use crate::ModelError;
use crate::nn::weights::Weights;

/// Windows that go through the network at once.
const BATCH: usize = 256;

/// A network of libtorch, batch normalisation folded.
#[derive(Debug)]
pub(super) struct Torch {
    architecture: Architecture,
    vs: VarStore,
    network: Box<dyn Network>,
}

impl Torch {
    /// The network with these weights, and how many parameters it has.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub(super) fn new(architecture: Architecture, weights: &Weights, device: Device) -> Result<(Self, usize), ModelError> {
        let mut vs = VarStore::new(device);
        let network = architecture.build(&vs.root());
        weights.fill(&mut vs)?;
        let parameters = vs.trainable_variables().iter().map(Tensor::numel).sum();
        Ok((Self::assemble(architecture, vs, network), parameters))
    }

    fn assemble(architecture: Architecture, mut vs: VarStore, mut network: Box<dyn Network>) -> Self {
        vs.freeze();
        network.fold();
        Torch { architecture, vs, network }
    }
}

impl Runner for Torch {
    fn batch(&self) -> usize {
        BATCH
    }

    fn run(&mut self, features: &[f32], out: &mut [f32]) -> Result<(), ModelError> {
        let _guard = tch::no_grad_guard();
        let (channels, steps) = self.architecture.input();
        let shape = [(features.len() / (channels * steps)) as i64, channels as i64, steps as i64];
        let x = Tensor::f_from_slice(features)?.f_view(shape)?.f_to_device(self.vs.device())?;
        let y = self.network.forward_t(&x, false).f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
        let count = out.len();
        Ok(y.f_copy_data(out, count)?)
    }

    fn fork(&self) -> Box<dyn Runner> {
        let _guard = tch::no_grad_guard();
        let vs = VarStore::new(self.vs.device());
        let network = self.architecture.build(&vs.root());
        let weights = self.vs.variables();
        for (name, mut variable) in vs.variables() {
            // Both networks then read the same memory.
            variable.set_data(&weights[&name]);
        }
        Box::new(Self::assemble(self.architecture, vs, network))
    }
}
