//! The pitch classes of `multidnn`: 540 of a ninth of a semitone, from A1 (55 Hz) to A6 (1760 Hz).

use crate::pitch::hz_to_midi;

/// Number of pitch classes.
pub const CLASSES: i64 = 540;

/// Classes per semitone.
pub const PER_SEMITONE: i64 = 9;

/// MIDI pitch at which class 0 begins.
const LOWEST: f32 = 33.0;

/// The class that holds a pitch, `floor(540 log(f / 55) / log(1760 / 55))`, clamped; `None` when unvoiced (f0 = 0).
pub fn class_of(f0: f32) -> Option<i64> {
    let class = ((hz_to_midi(f0) - LOWEST) * PER_SEMITONE as f32).floor();
    (f0.is_finite() && f0 > 0.0).then(|| (class as i64).clamp(0, CLASSES - 1))
}

/// MIDI pitch in the middle of a class.
pub(super) fn midi_of(class: i64) -> f32 {
    LOWEST + (class as f32 + 0.5) / PER_SEMITONE as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pitch::midi_to_hz;

    #[test]
    fn classes_are_those_of_the_formula() {
        let formula = |f: f32| (540.0 * (f / 55.0).ln() / (1760.0f32 / 55.0).ln()).floor() as i64;
        for hz in [56.0, 100.0, 220.5, 441.0, 1000.0, 1759.0] {
            assert_eq!(class_of(hz), Some(formula(hz)));
        }
        assert_eq!((class_of(30.0), class_of(4000.0), class_of(0.0)), (Some(0), Some(539), None));
        assert!((0..CLASSES).all(|class| class_of(midi_to_hz(midi_of(class))) == Some(class)));
    }
}
