//! The contour: a melody at 100 ms steps, the one form in which songs and hums are compared.

use std::ops::Range;

use crate::median;
use crate::notes::Note;
use crate::pitch::{PitchTrack, hz_to_midi};

/// Seconds between two steps of a [`Contour`].
pub const CONTOUR_STEP: f64 = 0.1;

/// How much slower [`Contour::slowed`] is than the melody.
pub const SLOWDOWN: f64 = 1.5;

/// Frames of a [`PitchTrack`] per contour step.
const FRAMES_PER_STEP: f64 = 10.0;

/// A frame counts from this share of the voicing of the recording's surest frames on. Melody that is not there misleads a search more
/// than melody that is missing: the threshold lies above what extractors report as voiced.
const SURE: f32 = 0.6;

/// Which frames are the surest: those above this quantile of the voicing.
const SUREST: f64 = 0.8;

/// Voicing below this is never melody, however faint the rest.
const FAINTEST: f32 = 0.1;

/// MIDI pitch every 100 ms, 0 = unvoiced. Step `i` covers `[i, i + 1) * 100 ms`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contour {
    /// MIDI pitch in semitones, fractional; 0 where there is no melody.
    pub pitch: Vec<f32>,
    /// The same melody slowed down, 1.5 steps (of 67 ms) for every step of [`Contour::pitch`]: steps of 100 ms blur what is hummed fast.
    /// Step `i` of the one begins with step [`slowed_step`]`(i)` of the other.
    pub slowed: Vec<f32>,
}

/// The step of [`Contour::slowed`] with which a step of [`Contour::pitch`] begins.
pub fn slowed_step(step: usize) -> usize {
    (step as f64 * SLOWDOWN) as usize
}

impl Contour {
    /// A contour of which no more is known than its steps; slowed down, it repeats some of them.
    pub fn from_steps(pitch: Vec<f32>) -> Self {
        let slowed = (0..pitch.len()).flat_map(|i| std::iter::repeat_n(pitch[i], slowed_step(i + 1) - slowed_step(i))).collect();
        Contour { pitch, slowed }
    }

    /// Each step holds the median pitch of its ten frames when at least half of them are surely voiced, measured by how sure the
    /// extractor is elsewhere in the recording: a voice that is faint throughout is still its melody.
    pub fn from_pitch_track(track: &PitchTrack) -> Self {
        let threshold = (SURE * surest(&track.voicing)).max(FAINTEST);
        let pitch = steps_of(track, threshold, FRAMES_PER_STEP);
        let mut slowed = steps_of(track, threshold, FRAMES_PER_STEP / SLOWDOWN);
        slowed.resize(slowed_step(pitch.len()), 0.0);
        Contour { pitch, slowed }
    }

    /// The contour of notes: a step takes the note that covers its centre; of several, the one that began last.
    /// Time 0 of the notes is time 0 of the contour; notes need not be sorted; notes without length leave no trace.
    pub fn from_notes(notes: &[Note]) -> Self {
        let slow = |note: &Note| {
            let [onset, duration] = [note.onset, note.duration].map(|seconds| seconds * SLOWDOWN as f32);
            Note { onset, duration, ..*note }
        };
        let pitch = steps_of_notes(notes);
        let mut slowed = steps_of_notes(&notes.iter().map(slow).collect::<Vec<_>>());
        slowed.resize(slowed_step(pitch.len()), 0.0);
        Contour { pitch, slowed }
    }

    /// Some steps of the contour.
    ///
    /// # Panics
    /// When they are not within the contour.
    pub fn part(&self, steps: Range<usize>) -> Contour {
        let slowed = self.slowed[slowed_step(steps.start)..][..slowed_step(steps.len())].to_vec();
        Contour { pitch: self.pitch[steps].to_vec(), slowed }
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.pitch.len()
    }

    /// Whether the contour has no step.
    pub fn is_empty(&self) -> bool {
        self.pitch.is_empty()
    }

    /// Seconds covered.
    pub fn duration(&self) -> f64 {
        self.len() as f64 * CONTOUR_STEP
    }

    /// Share of steps with a pitch, 0..=1 (0 for an empty contour).
    pub fn voiced_fraction(&self) -> f32 {
        voiced_fraction(&self.pitch)
    }
}

/// A step of so many frames holds the median of their pitches when at least half of them have this voicing.
fn steps_of(track: &PitchTrack, threshold: f32, frames_per_step: f64) -> Vec<f32> {
    let frames = track.guess.len().min(track.voicing.len());
    let bound = |step: usize| ((step as f64 * frames_per_step).round() as usize).min(frames);
    let mut voiced = Vec::new();
    (0..)
        .map(|step| bound(step)..bound(step + 1))
        .take_while(|part| !part.is_empty())
        .map(|part| {
            voiced.clear();
            let sure = track.guess[part.clone()].iter().zip(&track.voicing[part.clone()]);
            let sure = sure.filter(|(f, v)| f.is_finite() && **f > 0.0 && **v >= threshold);
            voiced.extend(sure.map(|(&f, _)| hz_to_midi(f)));
            if 2 * voiced.len() < part.len() {
                return 0.0;
            }
            median(&mut voiced, f32::total_cmp).unwrap_or(0.0)
        })
        .collect()
}

/// A step takes the note that covers its centre; of several, the one that began last.
fn steps_of_notes(notes: &[Note]) -> Vec<f32> {
    let mut sorted: Vec<&Note> = notes.iter().filter(|n| n.duration > 0.0 && n.offset().is_finite()).collect();
    sorted.sort_by(|a, b| a.onset.total_cmp(&b.onset));
    let end = sorted.iter().map(|n| n.offset()).fold(0.0, f32::max);
    let step_at = |seconds: f32| (f64::from(seconds.max(0.0)) / CONTOUR_STEP - 0.5).ceil().max(0.0) as usize;
    let mut pitch = vec![0.0; step_at(end)];
    for note in sorted {
        let (from, to) = (step_at(note.onset), step_at(note.offset()));
        if from < pitch.len() {
            let to = to.max(from + 1).min(pitch.len());
            pitch[from..to].fill(note.pitch);
        }
    }
    pitch
}

/// The voicing that the surest frames exceed, 0..=1.
fn surest(voicing: &[f32]) -> f32 {
    let mut sorted: Vec<f32> = voicing.iter().copied().filter(|v| v.is_finite()).collect();
    if sorted.is_empty() {
        return 0.0;
    }
    let rank = ((sorted.len() - 1) as f64 * SUREST) as usize;
    *sorted.select_nth_unstable_by(rank, f32::total_cmp).1
}

/// Share of steps with a pitch in a stretch of contour, 0..=1 (0 for an empty one).
pub fn voiced_fraction(pitch: &[f32]) -> f32 {
    if pitch.is_empty() {
        return 0.0;
    }
    pitch.iter().filter(|&&p| p > 0.0).count() as f32 / pitch.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_take_the_median_of_voiced_frames() {
        let mut f0 = vec![440.0; 10];
        f0[3] = 880.0;
        f0.extend([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 440.0, 440.0, 440.0, 440.0]);
        let contour = Contour::from_pitch_track(&PitchTrack::from_f0(f0));
        assert_eq!(contour.pitch, [69.0, 0.0]);
    }

    #[test]
    fn slowed_down_short_notes_keep_their_shape() {
        // Notes of 70 ms: at 100 ms some of them are lost, slowed down none.
        let notes: Vec<Note> =
            (0..20).map(|i| Note { onset: 0.07 * i as f32, duration: 0.07, pitch: 60.0 + (i % 2) as f32 }).collect();
        let contour = Contour::from_notes(&notes);
        let changes = |line: &[f32]| line.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(changes(&contour.pitch) < 15, "{:?}", contour.pitch);
        assert!(changes(&contour.slowed) >= 18, "{:?}", contour.slowed);
        let hz = |pitch: f32| 440.0 * ((pitch - 69.0) / 12.0).exp2();
        let f0 = notes.iter().flat_map(|n| [hz(n.pitch); 7]).collect();
        let heard = Contour::from_pitch_track(&PitchTrack::from_f0(f0));
        assert!(changes(&heard.slowed) >= 18, "{:?}", heard.slowed);
    }

    proptest! {
        #[test]
        fn both_speeds_belong_together(frames in prop::collection::vec(prop_oneof![Just(0.0f32), 100.0f32..800.0], 0..300), cut in (0usize..40, 0usize..40)) {
            let contour = Contour::from_pitch_track(&PitchTrack::from_f0(frames));
            prop_assert_eq!(contour.slowed.len(), slowed_step(contour.len()));
            let (from, to) = (cut.0.min(cut.1).min(contour.len()), cut.0.max(cut.1).min(contour.len()));
            for part in [contour.part(from..to), Contour::from_steps(contour.pitch.clone()).part(from..to)] {
                prop_assert_eq!(part.slowed.len(), slowed_step(part.len()));
            }
        }

        #[test]
        fn steps_are_repeated_where_nothing_finer_is_known(pitch in prop::collection::vec(40.0f32..80.0, 0..50)) {
            let contour = Contour::from_steps(pitch);
            for (i, &p) in contour.pitch.iter().enumerate() {
                prop_assert_eq!(contour.slowed[slowed_step(i)], p);
            }
        }
    }

    #[test]
    fn a_step_is_voiced_where_the_extractor_is_sure_for_this_recording() {
        // A second at each voicing; the f0 that is reported plays no part.
        let track = |levels: [f32; 4]| PitchTrack {
            f0: vec![0.0; 400],
            voicing: levels.iter().flat_map(|&v| [v; 100]).collect(),
            guess: vec![440.0; 400],
        };
        let voiced = |levels| {
            let contour = Contour::from_pitch_track(&track(levels));
            [0, 1, 2, 3].map(|second| contour.pitch[10 * second..][..10].iter().all(|&p| p > 0.0))
        };
        assert_eq!(voiced([1.0, 0.65, 0.55, 0.1]), [true, true, false, false]);
        assert_eq!(voiced([0.5, 0.35, 0.25, 0.1]), [true, true, false, false], "a faint voice");
        assert_eq!(voiced([0.09, 0.08, 0.07, 0.05]), [false; 4], "no voice");
    }

    #[test]
    fn notes_become_steps() {
        let note = |onset, duration, pitch| Note { onset, duration, pitch };
        let contour = Contour::from_notes(&[note(0.5, 0.2, 62.0), note(0.0, 0.3, 60.0)]);
        assert_eq!(contour.pitch, [60.0, 60.0, 60.0, 0.0, 0.0, 62.0, 62.0]);
    }
}
