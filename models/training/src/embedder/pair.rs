//! Pairs of a hum and the song window that it is of.

use std::ops::Range;

use qbh_models::contour::CONTOUR_STEP;

/// A song window begins and ends up to this share of its length away from what the hum holds: windows meet by chance only.
pub(super) const MISALIGNMENT: f32 = 0.2;
/// Seconds of a hum that can be one window of a query.
pub(super) const HUM_SECONDS: Range<f32> = 2.5..24.0;
/// Least voiced share of either window.
pub(super) const LEAST_VOICED: f32 = 0.25;

/// The contours of a pair (MIDI pitch per 100 ms, 0 = unvoiced) and its tune.
#[derive(Debug, Clone, PartialEq)]
pub struct HumPair {
    /// The hum, simulated or real.
    pub hum: Vec<f32>,
    /// The song window.
    pub song: Vec<f32>,
    /// Pairs of equal group are of one tune, and no negatives of each other.
    pub group: i64,
}

/// The steps of a contour between two times, in seconds, as far as there are any.
pub(super) fn cut(contour: &[f32], from: f32, to: f32) -> &[f32] {
    let step = |seconds: f32| ((seconds / CONTOUR_STEP as f32).round().max(0.0) as usize).min(contour.len());
    &contour[step(from)..step(to).max(step(from))]
}
