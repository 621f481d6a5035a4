//! From a network's own frames to the project's 10 ms.

use crate::PitchTrack;
use crate::pitch::midi_to_hz;

/// What a network says of one of its frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    /// Most likely MIDI pitch, if it is voiced.
    pub(super) midi: f32,
    /// Whether it is.
    pub(super) voiced: bool,
    /// Probability that it is.
    pub(super) probability: f32,
}

/// Neighbours further apart than this, in semitones, are two notes.
const LEAP: f32 = 1.0;

/// A track of `len` frames of 10 ms out of frames every `step` times 10 ms. Voicing is that of the nearest frame; within a note
/// the pitch is interpolated, between notes it is that of the nearest frame.
pub(super) fn to_track(frames: &[Frame], step: f64, len: usize) -> PitchTrack {
    let mut track = PitchTrack::default();
    let Some(last) = frames.len().checked_sub(1) else { return track };
    for i in 0..len {
        let position = (i as f64 / step).min(last as f64);
        let (left, right) = (frames[position as usize], frames[(position as usize + 1).min(last)]);
        let share = position.fract() as f32;
        let near = if share < 0.5 { left } else { right };
        let one_note = left.voiced == right.voiced && (left.midi - right.midi).abs() < LEAP;
        let hz = midi_to_hz(if one_note { left.midi + share * (right.midi - left.midi) } else { near.midi });
        track.f0.push(if near.voiced { hz } else { 0.0 });
        track.guess.push(hz);
        track.voicing.push(near.probability);
    }
    track
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pitch::hz_to_midi;

    #[test]
    fn pitch_glides_within_a_note_and_leaps_between_notes() {
        let frame = |midi, voiced| Frame { midi, voiced, probability: if voiced { 0.9 } else { 0.1 } };
        let frames = [frame(60.0, true), frame(60.4, true), frame(67.0, true), frame(67.0, false)];
        let track = to_track(&frames, 2.5, 12);
        assert_eq!((track.len(), track.voicing.len(), track.guess.len()), (12, 12, 12));
        let midi: Vec<f32> = track.guess.iter().map(|&f| hz_to_midi(f)).collect();
        let wanted = [60.0, 60.16, 60.32, 60.4, 67.0, 67.0, 67.0, 67.0, 67.0, 67.0, 67.0, 67.0];
        assert!(midi.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-3), "{midi:?}");
        assert_eq!(track.f0.iter().filter(|f| **f > 0.0).count(), 7);
        assert_eq!((track.voicing[6], track.voicing[7]), (0.9, 0.1));
        assert!(to_track(&[], 2.5, 0).is_empty());
    }
}
