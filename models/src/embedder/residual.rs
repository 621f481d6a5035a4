//! The residual block of both encoders, on libtorch.

use tch::Tensor;
use tch::nn::Path;

use super::shape::{EPS, residual as shape};
use crate::nn::conv::{ConvBn, ConvShape};

/// conv-BN-ReLU-conv-BN, added to the input (projected by 1x1 conv-BN where the widths differ), ReLU. Keeps the length.
#[derive(Debug)]
pub(super) struct Residual {
    a: ConvBn<1>,
    b: ConvBn<1>,
    projection: Option<ConvBn<1>>,
}

impl Residual {
    /// Variables under `path`: `a`, `b` and, where the widths differ, `projection`. Kernel 3.
    pub(super) fn new(path: &Path, input: i64, output: i64, dilation: i64) -> Self {
        Residual {
            a: ConvBn::new(&(path / "a"), shape(input, output, dilation), EPS),
            b: ConvBn::new(&(path / "b"), shape(output, output, dilation), EPS),
            projection: (input != output).then(|| ConvBn::new(&(path / "projection"), ConvShape::new(input, output, [1]), EPS)),
        }
    }

    /// `(batch, input, length)` to `(batch, output, length)`.
    pub(super) fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        let inner = self.b.forward_t(&self.a.forward_t(x, train).relu(), train);
        match &self.projection {
            Some(projection) => (projection.forward_t(x, train) + inner).relu(),
            None => (x + inner).relu(),
        }
    }

    /// Folds the batch normalisations.
    pub(super) fn fold(&mut self) {
        self.a.fold();
        self.b.fold();
        if let Some(projection) = &mut self.projection {
            projection.fold();
        }
    }
}
