//! The published encoder (D. Jeong, "Query-by-Humming with Melody Embedding DNN"): residual convolutions and a GRU over
//! windows of 20 s, in their key and at their tempo. For comparison; what it lacks it has to learn from transposed and stretched copies.

#[cfg(feature = "torch")]
mod net;

#[cfg(feature = "torch")]
pub(super) use net::Reference;

/// Contour steps of a window: 20 s.
pub(super) const STEPS: usize = 200;
/// Input channels: normalised pitch, voiced.
pub(super) const CHANNELS: usize = 2;
/// Mean and standard deviation of voiced MIDI pitch, from the reference implementation.
const PITCH_MEAN: f32 = 61.7023;
const PITCH_STD: f32 = 5.5202;

/// Fills `out`, `(2, 200)` row by row: pitch normalised where voiced, else 0; and whether it is voiced.
/// A longer window is cut, a shorter one is followed by silence.
pub(super) fn features(window: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    let (pitch, voiced) = out.split_at_mut(STEPS);
    for (k, &p) in window.iter().take(STEPS).enumerate() {
        if p.is_finite() && p > 0.0 {
            pitch[k] = (p - PITCH_MEAN) / PITCH_STD;
            voiced[k] = 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_normalised_pitch_and_voicing() {
        let mut out = vec![7.0; CHANNELS * STEPS];
        features(&[PITCH_MEAN + PITCH_STD, 0.0, PITCH_MEAN], &mut out);
        assert!((out[0] - 1.0).abs() < 1e-5);
        assert_eq!(out[1..4], [0.0; 3]);
        assert_eq!(out[200..204], [1.0, 0.0, 1.0, 0.0]);
    }
}
