//! The pitch classes of `jdc`: 0 is unvoiced, 1..=721 are MIDI 38..=83 in sixteenths of a semitone.

use crate::pitch::{hz_to_midi, midi_to_hz};

/// Number of classes, "unvoiced" included.
pub const CLASSES: i64 = 722;

/// MIDI pitch of class 1.
const LOWEST: f32 = 38.0;

/// Classes per semitone.
const PER_SEMITONE: f32 = 16.0;

/// The class of a frame: nearest pitch, 0 when unvoiced (f0 = 0); `None` where the voice is out of range.
pub fn class_of(f0: f32) -> Option<i64> {
    if !(f0.is_finite() && f0 > 0.0) {
        return Some(0);
    }
    let class = ((hz_to_midi(f0) - LOWEST) * PER_SEMITONE).round() as i64 + 1;
    (1..CLASSES).contains(&class).then_some(class)
}

/// f0 in Hz of a class, 0 = unvoiced.
pub(super) fn f0_of(class: i64) -> f32 {
    if (1..CLASSES).contains(&class) { midi_to_hz(LOWEST + (class - 1) as f32 / PER_SEMITONE) } else { 0.0 }
}

/// Median of each frame and the two on either side, the track continued by unvoiced frames. An unvoiced frame counts as 0 Hz,
/// so that specks of voice and of silence go.
pub(super) fn median5(f0: Vec<f32>) -> Vec<f32> {
    let at = |i: isize| usize::try_from(i).ok().and_then(|i| f0.get(i)).copied().unwrap_or(0.0);
    (0..f0.len() as isize)
        .map(|i| {
            let mut near: [f32; 5] = std::array::from_fn(|k| at(i + k as isize - 2));
            near.sort_unstable_by(f32::total_cmp);
            near[2]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_cover_midi_38_to_83_in_sixteenths() {
        assert_eq!(class_of(midi_to_hz(38.0)), Some(1));
        assert_eq!(class_of(440.0), Some(1 + 16 * 31));
        assert_eq!(class_of(midi_to_hz(83.0)), Some(721));
        assert_eq!(class_of(midi_to_hz(83.1)), None);
        assert_eq!((class_of(0.0), class_of(f32::NAN)), (Some(0), Some(0)));
        assert_eq!((f0_of(0), f0_of(722), f0_of(-1)), (0.0, 0.0, 0.0));
        for class in 0..CLASSES {
            assert_eq!(class_of(f0_of(class)), Some(class));
        }
    }

    #[test]
    fn the_median_takes_out_specks() {
        let track = vec![0.0, 0.0, 5.0, 0.0, 0.0, 7.0, 7.0, 9.0, 7.0, 0.0, 7.0, 7.0];
        assert_eq!(median5(track), [0.0, 0.0, 0.0, 0.0, 5.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 0.0]);
        assert!(median5(Vec::new()).is_empty());
    }
}
