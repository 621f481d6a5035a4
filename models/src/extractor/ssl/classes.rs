//! The pitch classes of `ssl`: 0 is unvoiced, 1..=441 are MIDI 40..=95 in eighths of a semitone.

use crate::pitch::{hz_to_midi, midi_to_hz};

/// Number of classes, "unvoiced" included.
pub const CLASSES: i64 = 442;

/// MIDI pitch of class 1.
const LOWEST: f32 = 40.0;

/// Classes per semitone.
const PER_SEMITONE: f32 = 8.0;

/// Class of the lowest pitch that is reported, MIDI 45; the published decoding mutes what lies below.
pub(super) const FIRST_REPORTED: i64 = 41;

/// The class of a frame: nearest pitch, 0 when unvoiced (f0 = 0) or out of range.
pub fn class_of(f0: f32) -> i64 {
    if !(f0.is_finite() && f0 > 0.0) {
        return 0;
    }
    let class = ((hz_to_midi(f0) - LOWEST) * PER_SEMITONE).round() as i64 + 1;
    if (1..CLASSES).contains(&class) { class } else { 0 }
}

/// f0 in Hz of a class, 0 = unvoiced. Only MIDI 45..=95 is reported.
pub fn f0_of(class: i64) -> f32 {
    if !(FIRST_REPORTED..CLASSES).contains(&class) {
        return 0.0;
    }
    midi_to_hz(LOWEST + (class - 1) as f32 / PER_SEMITONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_cover_midi_40_to_95_in_eighths() {
        assert_eq!(class_of(midi_to_hz(40.0)), 1);
        assert_eq!(class_of(440.0), 1 + 8 * 29);
        assert_eq!(class_of(midi_to_hz(95.0)), 441);
        assert_eq!(class_of(midi_to_hz(95.1)), 0);
        assert_eq!(class_of(0.0), 0);
        assert_eq!(class_of(f32::NAN), 0);
    }

    #[test]
    fn decoding_reports_midi_45_to_95() {
        assert_eq!(f0_of(class_of(midi_to_hz(44.8))), 0.0);
        assert!((f0_of(class_of(midi_to_hz(45.0))) - 110.0).abs() < 1e-3);
        assert!((hz_to_midi(f0_of(441)) - 95.0).abs() < 1e-4);
        assert_eq!((f0_of(0), f0_of(442), f0_of(-1)), (0.0, 0.0, 0.0));
        for class in 41..442 {
            assert_eq!(class_of(f0_of(class)), class);
        }
    }
}
