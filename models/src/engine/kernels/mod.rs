//! The arithmetic of all layers, once for every instruction set and chosen at run time: products of positions with packed weights
//! (convolutions of any shape are such products), the recurrent half of a GRU, activations.
//!
//! This folder holds all unsafe code of the crate: `tile` and `layers` are generic over the registers of `simd`, `instructions` has
//! the registers, [`Kernel`] checks lengths and calls. AVX-512 and NEON are compiled from the same source as AVX2.

mod instructions;
mod layers;
mod math;
mod plane;
mod simd;
#[cfg(test)]
mod tests;
mod tile;

use std::sync::LazyLock;

pub(crate) use math::Function;
pub(crate) use plane::Plane;
use plane::Run;

use super::panels::{PANEL, Panels};

/// Most panels between the two products of a residual block.
pub(super) const MOST_FUSED: usize = 4;

/// What becomes of the sums of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// They are stored.
    Sum,
    /// Rectified.
    Relu,
    /// Added to what is there.
    Add,
    /// Added to what is there, then rectified.
    AddRelu,
    /// Rectified, then added to what is there.
    ReluAdd,
}

/// At every position of a plane, `y[c] = bias[c] + sum over taps t and k < depth of x[t + k] * weight[t, k, c]`.
///
/// A linear layer has one tap; a convolution over channels-last values one tap for each stretch of its kernel that is contiguous
/// in memory.
#[derive(Clone, Copy)]
pub(super) struct Product<'a> {
    /// Weights and biases; a row for each `k` of each tap.
    pub(super) panels: &'a Panels,
    /// Where each tap begins, against the position.
    pub(super) taps: &'a [isize],
    /// Values of each tap.
    pub(super) depth: usize,
    /// What becomes of the sums.
    pub(super) finish: Finish,
}

/// One direction of a GRU, after the inputs have been multiplied (`r` reset, `z` update, `n` new, as libtorch orders them).
pub(super) struct Recurrence<'a> {
    /// From the state to the gates, `hidden` rows and `3 hidden` columns.
    pub(super) panels: &'a Panels,
    /// The share of the inputs, `3 hidden` values a frame.
    pub(super) given: &'a [f32],
    /// From frame to frame in `given`.
    pub(super) given_step: usize,
    /// Number of frames.
    pub(super) frames: usize,
    /// From the last frame to the first.
    pub(super) backwards: bool,
    /// Room for the state.
    pub(super) state: &'a mut [f32],
    /// Room for the share of the state.
    pub(super) gates: &'a mut [f32],
    /// The states, `hidden` values a frame.
    pub(super) y: &'a mut [f32],
    /// From frame to frame in `y`.
    pub(super) y_step: usize,
}

/// An instruction set to compute with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// Rust, for any machine.
    Plain,
}

/// The functions of one instruction set: `R` positions a tile, `V` registers a panel.
macro_rules! compiled {
    ($name:ident, $simd:ident, $r:literal, $v:literal, $h:literal, $v3:literal $(, $features:literal)?) => {
        mod $name {
            use super::{instructions, layers, math, Panels, Plane, Product, Recurrence};

            /// # Safety
            /// As for [`layers::product`].
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn product(product: &Product, plane: &Plane, x: *const f32, y: *mut f32) {
                // SAFETY: as the caller promises.
                unsafe { layers::product::<instructions::$simd, $r, $v, $h>(product, plane, x, y) }
            }

            /// # Safety
            /// As for [`layers::residual`].
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn residual(pair: (&Product, &Panels), plane: &Plane, x: *const f32, y: *mut f32) {
                // SAFETY: as the caller promises.
                unsafe { layers::residual::<instructions::$simd, $r, $v>(pair, plane, x, y) }
            }

            /// # Safety
            /// As for [`layers::recur`].
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn recur(recurrence: &mut Recurrence) {
                // SAFETY: as the caller promises.
                unsafe { layers::recur::<instructions::$simd, $v, $v3>(recurrence) }
            }

            /// # Safety
            /// The machine must have the instruction set.
            $(#[target_feature(enable = $features)])?
            pub(super) unsafe fn map(function: math::Function, values: &mut [f32]) {
                math::map(function, values);
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
compiled!(avx512, Avx512, 12, 1, 1, 3, "avx512f");
#[cfg(target_arch = "x86_64")]
compiled!(avx2, Avx2, 6, 2, 1, 6, "avx2,fma");
#[cfg(target_arch = "aarch64")]
compiled!(neon, Neon, 6, 4, 2, 12, "neon");
compiled!(plain, Plain, 2, 4, 2, 12);

/// Calls a function of the module of a kernel.
macro_rules! call {
    ($kernel:expr, $function:ident($($argument:expr),*)) => {
        match $kernel {
            // SAFETY: `available`, the only source of kernels, found the instructions; lengths were checked before.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => unsafe { avx512::$function($($argument),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { avx2::$function($($argument),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => unsafe { neon::$function($($argument),*) },
            // SAFETY: as above.
            Kernel::Plain => unsafe { plain::$function($($argument),*) },
        }
    };
}

impl Kernel {
    /// The kernels that this machine can run, fastest first.
    pub fn available() -> Vec<Kernel> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                kernels.push(Kernel::Avx512);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                kernels.push(Kernel::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            kernels.push(Kernel::Neon);
        }
        kernels.push(Kernel::Plain);
        kernels
    }

    /// The fastest kernel of this machine.
    pub fn best() -> Kernel {
        static BEST: LazyLock<Kernel> = LazyLock::new(|| Kernel::available().first().copied().unwrap_or(Kernel::Plain));
        *BEST
    }

    /// Computes a product at every position of a plane, from `x` into `y`.
    ///
    /// # Panics
    /// Where the plane or a tap lies outside.
    pub(in crate::engine) fn product(self, product: &Product, plane: &Plane, x: &[f32], y: &mut [f32]) {
        assert_eq!(product.taps.len() * product.depth, product.panels.rows(), "a row of weights for each value of each tap");
        plane.check(product.taps, product.depth, x.len(), product.panels.columns(), y.len());
        call!(self, product(product, plane, x.as_ptr(), y.as_mut_ptr()))
    }

    /// A residual block in one pass: `y = relu(x + mix(relu(spread(x))))`; the weights of `mix` are a linear layer's.
    ///
    /// # Panics
    /// Where the plane or a tap lies outside.
    pub(super) fn residual(self, spread: &Product, mix: &Panels, plane: &Plane, x: &[f32], y: &mut [f32]) {
        let channels = mix.columns();
        assert!(channels.is_multiple_of(PANEL) && channels <= MOST_FUSED * PANEL, "whole panels, and not too many");
        assert_eq!((spread.panels.columns(), mix.rows()), (channels, channels), "equally many channels throughout");
        assert_eq!(spread.taps.len() * spread.depth, spread.panels.rows(), "a row of weights for each value of each tap");
        plane.check(spread.taps, spread.depth, x.len(), channels, y.len());
        plane.check(&[0], channels, x.len(), channels, y.len());
        call!(self, residual((spread, mix), plane, x.as_ptr(), y.as_mut_ptr()))
    }

    /// Runs one direction of a GRU.
    ///
    /// # Panics
    /// Where a slice is too short.
    pub(super) fn recur(self, mut recurrence: Recurrence) {
        let (r, hidden) = (&recurrence, recurrence.panels.rows());
        assert_eq!(r.panels.columns(), 3 * hidden, "three gates");
        assert_eq!((r.state.len(), r.gates.len()), (hidden, 3 * hidden), "room for the state and its gates");
        call!(self, recur(&mut recurrence))
    }

    /// Applies a function to every value.
    pub(crate) fn map(self, function: Function, values: &mut [f32]) {
        call!(self, map(function, values))
    }
}
