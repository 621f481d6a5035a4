//! Convolutions over channels-last values, as products with shifted taps.

use super::kernels::{Finish, Kernel, Plane, Product};
use super::panels::Panels;
use crate::nn::shape::ConvShape;

/// A convolution, in one or two dimensions, of any stride and dilation. The zeros around its input are the caller's.
#[derive(Debug, Clone)]
pub(crate) struct Conv {
    panels: Panels,
    taps: Vec<isize>,
    depth: usize,
}

impl Conv {
    /// `weight(output, rest)`, `rest` counting through input channels and kernel as libtorch does; neighbours along each dimension of
    /// the input lie `steps` values apart.
    pub(super) fn new<const D: usize>(
        shape: &ConvShape<D>,
        steps: [usize; D],
        bias: &[f32],
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let input = shape.input as usize;
        let kernel: usize = shape.kernel.iter().product::<i64>() as usize;
        let mut taps: Vec<isize> = (0..kernel)
            .map(|mut place| {
                let mut tap = 0;
                for d in (0..D).rev() {
                    let size = shape.kernel[d] as usize;
                    tap += (place % size) as isize * (shape.dilation[d] as usize * steps[d]) as isize;
                    tap -= (shape.padding()[d] as usize * steps[d]) as isize;
                    place /= size;
                }
                tap
            })
            .collect();
        let rows = kernel * input;
        let panels = Panels::new(rows, bias, |row, output| weight(output, row % input * kernel + row / input));
        // Taps along the last dimension are one where they lie side by side.
        let last = shape.kernel.last().map_or(1, |&n| n as usize);
        let mut depth = input;
        if taps.chunks(last).all(|along| along.windows(2).all(|pair| pair[1] - pair[0] == input as isize)) {
            taps = taps.into_iter().step_by(last).collect();
            depth = last * input;
        }
        Conv { panels, taps, depth }
    }

    /// As what the kernels compute.
    pub(super) fn product(&self, finish: Finish) -> Product<'_> {
        Product { panels: &self.panels, taps: &self.taps, depth: self.depth, finish }
    }

    /// Its weights, of a kernel of size 1 those of a linear layer.
    pub(super) fn panels(&self) -> &Panels {
        &self.panels
    }

    /// Convolves at the positions of a plane, whose places are those of the kernel's centre.
    pub(crate) fn apply(&self, kernel: Kernel, finish: Finish, plane: &Plane, x: &[f32], y: &mut [f32]) {
        kernel.product(&self.product(finish), plane, x, y);
    }
}

/// A residual block `relu(x + mix(relu(spread(x))))` of a convolution and one of kernel size 1, in one pass over memory.
#[derive(Debug, Clone)]
pub(crate) struct Residual {
    /// The first.
    pub(crate) spread: Conv,
    /// The second.
    pub(crate) mix: Conv,
}

impl Residual {
    /// Computes the block at the positions of a plane.
    pub(crate) fn apply(&self, kernel: Kernel, plane: &Plane, x: &[f32], y: &mut [f32]) {
        kernel.residual(&self.spread.product(Finish::Relu), self.mix.panels(), plane, x, y);
    }
}

/// A linear layer.
pub(crate) fn linear(kernel: Kernel, panels: &Panels, finish: Finish, plane: &Plane, x: &[f32], y: &mut [f32]) {
    kernel.product(&Product { panels, taps: &[0], depth: panels.rows(), finish }, plane, x, y);
}
