//! The networks on libtorch.

use tch::nn::Path;
use tch::{Kind, Tensor};

use super::architecture::Architecture;
use super::{contextual, reference};

/// An encoder: `(batch, channels, steps)` to unit vectors `(batch, 512)`, f32.
pub trait Network: Send + std::fmt::Debug {
    /// Runs the network, in the kind of `x`; `train` uses and updates batch statistics.
    fn forward_t(&self, x: &Tensor, train: bool) -> Tensor;

    /// Folds batch normalisation into the convolutions; from then on only for inference.
    fn fold(&mut self);
}

/// L2 normalisation over the last dimension.
pub(super) fn normalize(y: &Tensor) -> Tensor {
    y / y.square().sum_dim_intlist([-1i64].as_slice(), true, Kind::Float).sqrt().clamp_min(1e-9)
}

impl Architecture {
    /// A freshly initialised network with its variables under `path`.
    pub fn build(self, path: &Path) -> Box<dyn Network> {
        match self {
            Architecture::Contextual => Box::new(contextual::Contextual::new(path)),
            Architecture::Reference => Box::new(reference::Reference::new(path)),
        }
    }
}
