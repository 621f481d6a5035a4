//! What is aligned: a contour as five pitches a second, without rests to speak of.

use std::ops::Range;

use qbh_models::contour::{CONTOUR_STEP, SLOWDOWN};

/// Contour steps per frame: 5 Hz.
const STEPS_PER_FRAME: usize = 2;

/// A pitch is held through a gap for this many frames (2 s); what is left of a longer gap is cut out.
const LONGEST_HOLD: usize = 10;

/// Two steps within a frame are averaged when they are no further apart than this, semitones; else the first counts.
const SAME_PITCH: f32 = 1.0;

/// A contour at 5 Hz with its gaps held for up to 2 s and cut beyond that: people do not keep time in rests, and a song may rest
/// where the extractor lost the voice. Begins and ends with voice.
#[derive(Debug, Clone, PartialEq)]
pub struct PitchSequence {
    /// MIDI pitch of every frame.
    pub pitch: Vec<f32>,
    /// Pitch class of every frame on the ring of all `u16`: an octave is 65536, differences wrap around as pitch classes do.
    pub class: Vec<u16>,
    /// First contour step of every frame, ascending.
    pub step: Vec<u32>,
    /// How many of these steps there are to 100 ms.
    slowdown: f32,
}

impl PitchSequence {
    /// The sequence of contour steps of 100 ms (MIDI pitch, 0 = unvoiced).
    pub fn new(contour: &[f32]) -> Self {
        PitchSequence::at(contour, 1.0)
    }

    /// The sequence of steps of a contour slowed down: [`qbh_models::Contour::slowed`].
    pub fn slowed(contour: &[f32]) -> Self {
        PitchSequence::at(contour, SLOWDOWN as f32)
    }

    fn at(contour: &[f32], slowdown: f32) -> Self {
        let mut sequence = PitchSequence { pitch: Vec::new(), class: Vec::new(), step: Vec::new(), slowdown };
        let mut unvoiced = usize::MAX;
        for (frame, steps) in contour.chunks(STEPS_PER_FRAME).enumerate() {
            let pitch = match frame_pitch(steps) {
                Some(pitch) => {
                    unvoiced = 0;
                    pitch
                }
                None => {
                    unvoiced = unvoiced.saturating_add(1);
                    match sequence.pitch.last() {
                        Some(&held) if unvoiced <= LONGEST_HOLD => held,
                        _ => continue,
                    }
                }
            };
            sequence.pitch.push(pitch);
            sequence.class.push(pitch_class(pitch));
            sequence.step.push((frame * STEPS_PER_FRAME) as u32);
        }
        let held_at_the_end = unvoiced.min(LONGEST_HOLD).min(sequence.frames());
        sequence.truncate(sequence.frames() - held_at_the_end);
        sequence
    }

    /// The sequence of some steps of a contour, as far as it has them.
    pub fn of_part(contour: &[f32], part: Range<usize>) -> Self {
        let start = part.start.min(contour.len());
        let mut sequence = PitchSequence::new(&contour[start..part.end.clamp(start, contour.len())]);
        sequence.step.iter_mut().for_each(|step| *step += start as u32);
        sequence
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.pitch.len()
    }

    /// Whether it has no frame.
    pub fn is_empty(&self) -> bool {
        self.pitch.is_empty()
    }

    fn truncate(&mut self, frames: usize) {
        self.pitch.truncate(frames);
        self.class.truncate(frames);
        self.step.truncate(frames);
    }

    /// When frame `i` begins, seconds of what was heard, slowed down or not.
    pub fn start(&self, i: usize) -> f32 {
        self.seconds(self.step[i])
    }

    /// When frame `i` ends, seconds.
    pub fn end(&self, i: usize) -> f32 {
        self.seconds(self.step[i] + STEPS_PER_FRAME as u32)
    }

    /// Seconds of so many frames that follow each other.
    pub fn duration(&self, frames: usize) -> f32 {
        self.seconds((frames * STEPS_PER_FRAME) as u32)
    }

    fn seconds(&self, steps: u32) -> f32 {
        (f64::from(steps) * CONTOUR_STEP / f64::from(self.slowdown)) as f32
    }
}

fn frame_pitch(steps: &[f32]) -> Option<f32> {
    let mut voiced = steps.iter().copied().filter(|&p| p > 0.0 && p.is_finite());
    let first = voiced.next()?;
    Some(match voiced.next() {
        Some(second) if (first - second).abs() <= SAME_PITCH => (first + second) / 2.0,
        _ => first,
    })
}

fn pitch_class(pitch: f32) -> u16 {
    (pitch.rem_euclid(12.0) * (65536.0 / 12.0)) as u32 as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_held_for_two_seconds_and_cut_beyond() {
        let mut contour = vec![0.0; 5];
        contour.extend([60.0; 5]); // one step of it in frame 2
        contour.extend([0.0; 30]);
        contour.extend([62.0, 62.5, 64.0, 70.0]);
        contour.extend([0.0; 9]);
        let sequence = PitchSequence::new(&contour);
        let mut pitch = vec![60.0; 3 + 10];
        pitch.extend([62.25, 64.0]);
        assert_eq!(sequence.pitch, pitch);
        assert_eq!(sequence.step[..4], [4, 6, 8, 10]);
        assert_eq!(sequence.step[12..], [28, 40, 42]);
        assert_eq!((sequence.start(14), sequence.end(14)), (4.2, 4.4));
    }

    #[test]
    fn a_part_keeps_its_place_in_the_whole() {
        let contour: Vec<f32> = (0..40).map(|i| 50.0 + i as f32).collect();
        let (whole, part) = (PitchSequence::new(&contour), PitchSequence::of_part(&contour, 10..30));
        assert_eq!((&part.pitch[..], &part.step[..]), (&whole.pitch[5..15], &whole.step[5..15]));
        assert_eq!(PitchSequence::of_part(&contour, 30..90).frames(), 5);
        assert!(PitchSequence::of_part(&contour, 50..90).is_empty());
    }

    #[test]
    fn silence_is_no_frame() {
        assert_eq!(PitchSequence::new(&[0.0; 50]).frames(), 0);
        assert_eq!(PitchSequence::new(&[]).frames(), 0);
        assert_eq!(PitchSequence::new(&[f32::NAN, 60.0]).pitch, [60.0]);
    }

    #[test]
    fn octaves_share_a_class_and_the_ring_closes() {
        assert_eq!(pitch_class(60.0), pitch_class(72.0));
        assert_eq!(pitch_class(66.0), 32768);
        assert_eq!(pitch_class(71.999_99).wrapping_sub(pitch_class(60.0)) as i16, -1);
    }
}
