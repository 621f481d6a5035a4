//! The network, described once for both runners: dilated convolutions along the hum, pooled to one number.

use super::pair::CHANNELS;
use crate::nn::shape::ConvShape;

/// Channels inside.
pub(super) const WIDTH: i64 = 40;
/// Dilations of the convolutions: the last sees 8 s around a step.
pub(super) const DILATIONS: [i64; 4] = [1, 2, 4, 8];
/// Units between pooling and the answer.
pub(super) const HIDDEN: i64 = 48;
/// Epsilon of the group normalisations.
pub(super) const EPS: f64 = 1e-5;

/// The convolution at the beginning.
pub(super) const STEM: ConvShape<1> = ConvShape::new(CHANNELS as i64, WIDTH, [5]);
/// To the share of each step in the pooling.
pub(super) const ATTENTION: ConvShape<1> = ConvShape::new(WIDTH, 1, [1]);

/// The convolution of a residual block, and where its variables are.
pub(super) fn block(dilation: i64) -> (String, ConvShape<1>) {
    (format!("block{dilation}"), ConvShape::new(WIDTH, WIDTH, [5]).dilated([dilation]))
}
