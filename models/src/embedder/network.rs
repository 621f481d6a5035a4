//! What an encoder is, whatever its architecture.

use tch::{Kind, Tensor};

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
