//! Shapes of layers, for both runners of a network: libtorch and the engine.

/// Shape of a convolution: one entry per spatial dimension (time, or time and frequency).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape<const D: usize> {
    /// Channels in.
    pub input: i64,
    /// Channels out.
    pub output: i64,
    /// Kernel size per dimension, odd.
    pub kernel: [i64; D],
    /// Stride per dimension.
    pub stride: [i64; D],
    /// Dilation per dimension.
    pub dilation: [i64; D],
}

impl<const D: usize> ConvShape<D> {
    /// Stride and dilation 1.
    pub const fn new(input: i64, output: i64, kernel: [i64; D]) -> Self {
        ConvShape { input, output, kernel, stride: [1; D], dilation: [1; D] }
    }

    /// With another dilation.
    pub const fn dilated(self, dilation: [i64; D]) -> Self {
        ConvShape { dilation, ..self }
    }

    /// With another stride.
    pub const fn strided(self, stride: [i64; D]) -> Self {
        ConvShape { stride, ..self }
    }

    /// Zero padding that keeps the length at stride 1.
    pub fn padding(&self) -> [i64; D] {
        std::array::from_fn(|d| self.kernel[d] / 2 * self.dilation[d])
    }

    /// Size of the weight: channels out and in, then the kernel.
    pub fn weight(&self) -> Vec<i64> {
        [self.output, self.input].into_iter().chain(self.kernel).collect()
    }

    /// Number of weights: multiply-adds per output position.
    pub fn weights(&self) -> u64 {
        self.weight().iter().product::<i64>() as u64
    }

    /// Weights of one output channel.
    pub fn each(&self) -> usize {
        self.input as usize * self.kernel.iter().product::<i64>() as usize
    }
}
