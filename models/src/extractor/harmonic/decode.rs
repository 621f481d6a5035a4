//! From activations to a pitch track: the best path through the pitch bins, refined between bins, muted where nobody sings.

use crate::PitchTrack;
use crate::pitch::midi_to_hz;

/// Pitch bins: MIDI 36..=96 in thirds of a semitone.
pub const BINS: usize = 181;

/// MIDI pitch of bin 0.
pub const LOWEST_MIDI: f32 = 36.0;

/// Bins per semitone.
pub const BINS_PER_SEMITONE: f32 = 3.0;

/// Cost of moving by one bin in 20 ms, in units of the logits.
const GLIDE: f32 = 0.4;

/// Cost of a leap of any size.
const LEAP: f32 = 6.0;

/// Weight of a frame that is certainly unvoiced: its pitch hardly bends the path.
const UNVOICED_WEIGHT: f32 = 0.05;

/// Bins on either side of the path that take part in the refined pitch.
const REFINE: usize = 2;

/// `frames` frames of 10 ms from logits (`n x 181`) and voicing probabilities (`n`) every 20 ms, `n > frames / 2`.
pub(super) fn decode(logits: &[f32], voicing: &[f32], frames: usize, threshold: f32) -> PitchTrack {
    let rows: Vec<&[f32]> = logits.chunks_exact(BINS).collect();
    let path = best_path(&rows, voicing);
    let midi: Vec<f32> = rows.iter().zip(&path).map(|(row, &bin)| refined_midi(row, bin)).collect();
    let mut track = PitchTrack::default();
    for frame in 0..frames {
        let (left, right) = (frame / 2, frame.div_ceil(2));
        let probability = 0.5 * (voicing[left] + voicing[right]);
        let pitch = match (voicing[left] >= threshold, voicing[right] >= threshold) {
            // Within a note the pitch glides; from note to note it leaps, and is not in between.
            (true, false) => midi[left],
            (false, true) => midi[right],
            _ if (midi[left] - midi[right]).abs() < 1.0 => 0.5 * (midi[left] + midi[right]),
            _ => midi[left],
        };
        let hz = midi_to_hz(pitch);
        track.f0.push(if probability >= threshold { hz } else { 0.0 });
        track.guess.push(hz);
        track.voicing.push(probability);
    }
    track
}

/// Viterbi: the path that maximises logits (weighted by voicing) less the cost of its movements, `min(GLIDE * bins, LEAP)` per
/// step. Such a cost needs no comparison of all pairs: what can be reached by gliding spreads in one sweep up and one down,
/// and a leap starts from the best bin of all.
fn best_path(rows: &[&[f32]], voicing: &[f32]) -> Vec<usize> {
    let mut came_from: Vec<[u8; BINS]> = Vec::with_capacity(rows.len());
    let mut score = [0.0f32; BINS];
    for (row, &voiced) in rows.iter().zip(voicing) {
        let best = best_bin(&score);
        let leap = score[best] - LEAP;
        let mut origin: [u8; BINS] = std::array::from_fn(|bin| bin as u8);
        for bin in 0..BINS {
            if score[bin] < leap {
                (score[bin], origin[bin]) = (leap, best as u8);
            }
        }
        for bin in 1..BINS {
            glide(&mut score, &mut origin, bin - 1, bin);
        }
        for bin in (1..BINS).rev() {
            glide(&mut score, &mut origin, bin, bin - 1);
        }
        let weight = UNVOICED_WEIGHT + (1.0 - UNVOICED_WEIGHT) * voiced;
        // Scores stay near zero however long the recording is.
        let top = score[best_bin(&score)];
        for (value, logit) in score.iter_mut().zip(*row) {
            *value += weight * logit - top;
        }
        came_from.push(origin);
    }
    let mut path = vec![best_bin(&score); rows.len()];
    for step in (1..rows.len()).rev() {
        path[step - 1] = usize::from(came_from[step][path[step]]);
    }
    path
}

/// Lets the score of bin `from` spread to its neighbour `to`.
fn glide(score: &mut [f32; BINS], origin: &mut [u8; BINS], from: usize, to: usize) {
    if score[from] - GLIDE > score[to] {
        score[to] = score[from] - GLIDE;
        origin[to] = origin[from];
    }
}

fn best_bin(values: &[f32; BINS]) -> usize {
    let mut best = 0;
    for (bin, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = bin;
        }
    }
    best
}

/// Mean pitch of the bins around `bin`, weighted by their probability.
fn refined_midi(row: &[f32], bin: usize) -> f32 {
    let near = bin.saturating_sub(REFINE)..(bin + REFINE + 1).min(BINS);
    let top = row[near.clone()].iter().copied().fold(f32::MIN, f32::max);
    let (mut total, mut sum) = (0.0, 0.0);
    for b in near {
        let weight = (row[b] - top).exp();
        total += weight;
        sum += weight * b as f32;
    }
    let mean = if total > 0.0 { sum / total } else { bin as f32 };
    LOWEST_MIDI + mean / BINS_PER_SEMITONE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Logits with a peak at a fractional bin per frame.
    fn peaks(bins: &[f32]) -> Vec<f32> {
        bins.iter().flat_map(|&peak| (0..BINS).map(move |b| 6.0 - 2.0 * (b as f32 - peak).powi(2).min(8.0))).collect()
    }

    /// The definition: every bin against every bin.
    fn slow_path_score(rows: &[&[f32]], voicing: &[f32]) -> f32 {
        let mut score = vec![0.0f32; BINS];
        for (row, v) in rows.iter().zip(voicing) {
            let weight = UNVOICED_WEIGHT + (1.0 - UNVOICED_WEIGHT) * v;
            score = (0..BINS)
                .map(|to| {
                    let reach = |from: usize| score[from] - (GLIDE * from.abs_diff(to) as f32).min(LEAP);
                    (0..BINS).map(reach).fold(f32::MIN, f32::max) + weight * row[to]
                })
                .collect();
        }
        score.into_iter().fold(f32::MIN, f32::max)
    }

    fn path_score(rows: &[&[f32]], voicing: &[f32], path: &[usize]) -> f32 {
        let gain: f32 =
            (0..rows.len()).map(|t| (UNVOICED_WEIGHT + (1.0 - UNVOICED_WEIGHT) * voicing[t]) * rows[t][path[t]]).sum();
        gain - path.windows(2).map(|w| (GLIDE * w[0].abs_diff(w[1]) as f32).min(LEAP)).sum::<f32>()
    }

    proptest! {
        #[test]
        fn the_path_is_the_best_one(seed in 0u64..1000, frames in 1usize..12) {
            let mut state = seed.wrapping_mul(2654435761).wrapping_add(12345);
            let mut random = || { state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); (state >> 40) as f32 / (1u64 << 24) as f32 };
            let logits: Vec<f32> = (0..frames * BINS).map(|_| random() * 5.0).collect();
            let voicing: Vec<f32> = (0..frames).map(|_| random()).collect();
            let rows: Vec<&[f32]> = logits.chunks(BINS).collect();
            let path = best_path(&rows, &voicing);
            let (fast, slow) = (path_score(&rows, &voicing, &path), slow_path_score(&rows, &voicing));
            prop_assert!((fast - slow).abs() < 1e-3, "{} against {}", fast, slow);
        }
    }

    #[test]
    fn pitch_between_bins_is_found() {
        let track = decode(&peaks(&[99.0, 99.3, 99.3]), &[1.0; 3], 4, 0.5);
        let expected = [69.0, 69.05, 69.1, 69.1].map(midi_to_hz);
        for (f0, wanted) in track.f0.iter().zip(expected) {
            assert!((f0 / wanted).log2().abs() * 1200.0 < 5.0, "{f0} against {wanted}");
        }
    }

    #[test]
    fn a_stray_frame_does_not_leave_the_line() {
        let mut logits = peaks(&[60.0; 9]);
        // One frame prefers another bin by a little.
        logits[4 * BINS + 120] = logits[4 * BINS + 60] + 1.0;
        let track = decode(&logits, &[1.0; 9], 16, 0.5);
        assert!(track.f0.iter().all(|f0| (f0 / midi_to_hz(56.0)).log2().abs() < 0.01));
    }

    #[test]
    fn frames_below_the_threshold_are_mute_and_keep_their_probability() {
        let track = decode(&peaks(&[60.0, 60.0, 90.0, 90.0]), &[0.9, 0.9, 0.2, 0.2], 6, 0.5);
        assert_eq!(track.voicing, [0.9, 0.9, 0.9, 0.55, 0.2, 0.2]);
        assert_eq!(track.f0.iter().map(|&f| f > 0.0).collect::<Vec<_>>(), [true, true, true, true, false, false]);
        // At the border the pitch is that of the voiced side.
        assert!((track.f0[3] - midi_to_hz(56.0)).abs() < 0.1);
        // Where it is mute the path goes on, as a guess.
        assert_eq!(track.guess[..4], track.f0[..4]);
        assert!(track.guess[4..].iter().all(|g| *g > 0.0));
    }

    #[test]
    fn leaps_between_notes_are_not_bridged() {
        let track = decode(&peaks(&[60.0, 60.0, 96.0, 96.0]), &[1.0; 4], 6, 0.5);
        assert!((track.f0[3] - midi_to_hz(56.0)).abs() < 0.1);
        assert!((track.f0[4] - midi_to_hz(68.0)).abs() < 0.1);
    }
}
