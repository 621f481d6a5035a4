//! The network, described once for both runners.

use super::{CHANNELS, STEPS};
use crate::nn::shape::ConvShape;

/// Channels while there are 40 steps.
pub(super) const NARROW: i64 = 64;
/// Channels while there are 20 steps.
pub(super) const WIDE: i64 = 160;
/// Heads of the attention, and of the pooling.
pub(super) const HEADS: i64 = 4;
/// Dilations of the residual blocks, at either width.
pub(super) const DILATIONS: [i64; 2] = [1, 2];
/// Steps in the middle of the network.
pub(super) const NARROW_STEPS: usize = STEPS / 2;
/// Steps from there on.
pub(super) const WIDE_STEPS: usize = STEPS / 4;

/// The convolution at the beginning.
pub(super) const STEM: ConvShape<1> = ConvShape::new(CHANNELS as i64, NARROW, [7]).strided([2]);
/// Between the residual blocks of either width.
pub(super) const DOWN: ConvShape<1> = ConvShape::new(NARROW, WIDE, [3]).strided([2]);
