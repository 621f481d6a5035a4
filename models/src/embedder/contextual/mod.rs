//! The contextual encoder: convolutions, one transformer block, attention pooling. The default.
//!
//! Every window, whatever its length, is resampled to 80 steps, so that tempo is a choice of window pair; its median
//! pitch is subtracted, so that transposition changes nothing. 1.03 M parameters, some 15 M multiplications a window.

mod engine;
#[cfg(feature = "torch")]
mod net;
mod shape;

pub(super) use engine::Engine;
#[cfg(feature = "torch")]
pub(super) use net::Contextual;

use crate::median;

/// Steps to which a window is resampled.
pub(super) const STEPS: usize = 80;
/// Input channels: pitch against the median in units of 6 semitones (clipped to +-3), voiced share, sine and cosine of pitch class.
pub(super) const CHANNELS: usize = 4;

/// Fills `out`, `(4, 80)` row by row, with the input of one window (MIDI pitch per step, 0 = unvoiced).
/// Unvoiced stretches hold the pitch before them. All zero when the window has no pitch at all.
pub(super) fn features(window: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    let voiced = |p: f32| p.is_finite() && p > 0.0;
    let mut pitches: Vec<f32> = window.iter().copied().filter(|&p| voiced(p)).collect();
    let Some(median) = median(&mut pitches, f32::total_cmp) else { return };

    let (relative, rest) = out.split_at_mut(STEPS);
    let (share, classes) = rest.split_at_mut(STEPS);
    let width = window.len() as f64 / STEPS as f64;
    let mut held = None;
    for k in 0..STEPS {
        let (begin, end) = (k as f64 * width, (k + 1) as f64 * width);
        let steps = begin as usize..(end.ceil() as usize).clamp(begin as usize + 1, window.len());
        let overlap = |i: usize| ((i + 1) as f64).min(end) - (i as f64).max(begin);
        let (mut sum, mut weight, mut sounding, mut first) = (0.0, 0.0, 0.0, None);
        for i in steps {
            let p = window[i];
            if !voiced(p) {
                continue;
            }
            sounding += overlap(i);
            // A mean over a leap would be a pitch that nobody sang.
            if (p - *first.get_or_insert(p)).abs() < 1.5 {
                sum += f64::from(p - median) * overlap(i);
                weight += overlap(i);
            }
        }
        share[k] = (sounding / width) as f32;
        if weight > 0.0 {
            let pitch = (sum / weight) as f32;
            if held.is_none() {
                relative[..k].fill(pitch);
            }
            held = Some(pitch);
        }
        relative[k] = held.unwrap_or(0.0);
    }
    let (sine, cosine) = classes.split_at_mut(STEPS);
    for k in 0..STEPS {
        (sine[k], cosine[k]) = (relative[k] * (std::f32::consts::TAU / 12.0)).sin_cos();
        relative[k] = (relative[k] / 6.0).clamp(-3.0, 3.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn input(window: &[f32]) -> Vec<f32> {
        let mut out = vec![7.0; CHANNELS * STEPS];
        features(window, &mut out);
        out
    }

    proptest! {
        #[test]
        fn features_are_finite_and_bounded(window in prop::collection::vec(prop_oneof![Just(0.0f32), Just(f32::NAN), 1.0f32..127.0], 1..300)) {
            for (i, x) in input(&window).into_iter().enumerate() {
                prop_assert!(x.is_finite() && x.abs() <= if i < STEPS { 3.0 } else { 1.001 }, "{} at {}", x, i);
            }
        }

        #[test]
        fn transposition_changes_nothing(window in prop::collection::vec(prop_oneof![Just(0.0f32), 40.0f32..80.0], 1..250), shift in -24i32..24) {
            let moved: Vec<f32> = window.iter().map(|&p| if p > 0.0 { p + shift as f32 } else { 0.0 }).collect();
            for (a, b) in input(&window).into_iter().zip(input(&moved)) {
                prop_assert!((a - b).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn time_is_normalised_and_gaps_hold_their_pitch() {
        let window: Vec<f32> = [0.0, 60.0, 0.0, 62.0].iter().flat_map(|&p| [p; 20]).collect();
        let slow: Vec<f32> = window.iter().flat_map(|&p| [p, p]).collect();
        let fast = input(&window);
        assert_eq!(fast, input(&slow));
        // The median is 62, of two equally long pitches the upper one.
        assert_eq!([fast[0], fast[30], fast[50], fast[70]], [-2.0 / 6.0, -2.0 / 6.0, -2.0 / 6.0, 0.0]);
        assert_eq!([fast[80], fast[110], fast[130], fast[150]], [0.0, 1.0, 0.0, 1.0]);
    }
}
