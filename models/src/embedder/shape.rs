//! The residual block of both encoders, described once for both runners.

use crate::nn::shape::ConvShape;

/// Epsilon of the batch normalisations, PyTorch's.
pub(super) const EPS: f64 = 1e-5;

/// Shape of its convolutions.
pub(super) const fn residual(input: i64, output: i64, dilation: i64) -> ConvShape<1> {
    ConvShape::new(input, output, [3]).dilated([dilation])
}
