//! From a pitch track to notes.

use qbh_models::pitch::{PITCH_HOP, hz_to_midi};
use qbh_models::{Note, PitchTrack, median};

/// Semitones from the mean of a note at which a frame no longer belongs to it.
const DEVIATION: f32 = 0.7;
/// So many deviating frames begin a new note; fewer are vibrato, or a slip.
const NEW_NOTE_FRAMES: usize = 8;
/// Unvoiced frames that a note bridges.
const GAP_FRAMES: usize = 4;
/// Shorter notes are glides between others.
const SHORTEST_FRAMES: usize = 8;

/// The notes of a track: stretches of steady pitch, each with its median pitch (fractional), sorted, not overlapping.
pub fn segment(track: &PitchTrack) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut current = Stretch::default();
    // Frames that may begin the next note.
    let mut pending = Stretch::default();
    for (frame, &hz) in track.f0.iter().enumerate() {
        if hz.is_nan() || hz <= 0.0 {
            if frame >= current.last().max(pending.last()) + GAP_FRAMES {
                close(&mut current, &mut notes);
                close(&mut pending, &mut notes);
            }
            continue;
        }
        let pitch = hz_to_midi(hz);
        if current.is_empty() || current.holds(pitch) {
            // A deviation that came back was none.
            pending = Stretch::default();
            current.push(frame, pitch);
        } else {
            if !pending.is_empty() && !pending.holds(pitch) {
                pending = Stretch::default();
            }
            pending.push(frame, pitch);
            if pending.pitches.len() >= NEW_NOTE_FRAMES {
                close(&mut current, &mut notes);
                current = std::mem::take(&mut pending);
            }
        }
    }
    close(&mut current, &mut notes);
    notes
}

/// Frames of about one pitch.
#[derive(Default)]
struct Stretch {
    /// (first, last) frame
    frames: Option<(usize, usize)>,
    pitches: Vec<f32>,
    sum: f64,
}

impl Stretch {
    fn is_empty(&self) -> bool {
        self.frames.is_none()
    }

    /// The last frame, 0 if there is none.
    fn last(&self) -> usize {
        self.frames.map_or(0, |f| f.1)
    }

    fn holds(&self, pitch: f32) -> bool {
        (f64::from(pitch) - self.sum / self.pitches.len().max(1) as f64).abs() <= f64::from(DEVIATION)
    }

    fn push(&mut self, frame: usize, pitch: f32) {
        self.frames = Some((self.frames.map_or(frame, |f| f.0), frame));
        self.pitches.push(pitch);
        self.sum += f64::from(pitch);
    }
}

/// Empties a stretch, and keeps it as a note if it is long enough.
fn close(stretch: &mut Stretch, notes: &mut Vec<Note>) {
    let Stretch { frames, mut pitches, .. } = std::mem::take(stretch);
    if let Some((first, last)) = frames.filter(|(first, last)| last - first + 1 >= SHORTEST_FRAMES) {
        let Some(pitch) = median(&mut pitches, f32::total_cmp) else { return };
        let seconds = |frames: usize| (frames as f64 * PITCH_HOP) as f32;
        notes.push(Note { onset: seconds(first), duration: seconds(last - first + 1), pitch });
    }
}
