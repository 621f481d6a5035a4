//! From notes to a contour: a voice at 20 ms frames, then the median of those in a step, as an extractor and the contour step see it.

use std::f32::consts::TAU;
use std::ops::Range;

use super::ranges::{self, HIGHEST, LOWEST};
use super::{fault, uniform};
use crate::random::Draw;
use qbh_models::Note;

const FRAME: f32 = 0.02;
/// Frames of a contour step.
pub(super) const FRAMES_PER_STEP: usize = 5;
/// Correlation of the pitch error between frames (it lasts some 100 ms).
const JITTER_MEMORY: f32 = 0.8;

/// How a voice moves on and between notes.
pub(super) struct Voice {
    /// Time constant of the glide into a note, seconds.
    pub(super) glide: f32,
    /// Chance that a note after a gap is approached from below.
    pub(super) scoops: f32,
    /// Depth of vibrato in semitones, 0 = none.
    pub(super) vibrato: f32,
    /// Sigma of the pitch around its note.
    pub(super) jitter: f32,
}

impl Voice {
    /// A voice drawn at random; `strength` scales what is a fault. `glide` and `jitter` are the ranges of these two.
    pub(super) fn draw(glide: Range<f32>, jitter: Range<f32>, strength: f32, draw: &mut Draw) -> Self {
        Voice {
            glide: if draw.chance(0.6) { uniform(glide, draw) } else { 0.01 },
            scoops: fault(ranges::SCOOPS, strength, draw),
            vibrato: if draw.chance(0.3) { uniform(ranges::VIBRATO, draw) } else { 0.0 },
            jitter: fault(jitter, strength, draw),
        }
    }

    /// The frames of `steps` contour steps of the notes (in order of time; a note ends where the next begins).
    pub(super) fn render(&self, notes: &[Note], steps: usize, draw: &mut Draw) -> Vec<f32> {
        let mut frames = vec![0.0f32; steps * FRAMES_PER_STEP];
        let rate = uniform(ranges::VIBRATO_RATE, draw);
        let phase = draw.range(0.0, TAU);
        let mut error = 0.0;
        let mut before: Option<&Note> = None;
        for (k, note) in notes.iter().enumerate() {
            let end = notes.get(k + 1).map_or(note.offset(), |next| note.offset().min(next.onset));
            let approach = match before {
                Some(last) if note.onset - last.offset() < 0.08 => last.pitch - note.pitch,
                _ if draw.chance(self.scoops) => -uniform(ranges::SCOOP, draw),
                _ => 0.0,
            };
            let to_frame = |t: f32| ((t / FRAME - 0.5).ceil().max(0.0) as usize).min(frames.len());
            for (i, frame) in (to_frame(note.onset)..to_frame(end)).enumerate() {
                let time = (i as f32 + 0.5) * FRAME;
                error = JITTER_MEMORY * error + (1.0 - JITTER_MEMORY * JITTER_MEMORY).sqrt() * self.jitter * draw.normal();
                let vibrato = self.vibrato * (TAU * rate * time + phase).sin();
                frames[frame] = note.pitch + approach * (-time / self.glide).exp() + vibrato + error;
            }
            before = Some(note);
        }
        frames
    }
}

/// Steps of so many frames, [`FRAMES_PER_STEP`] or fewer.
pub(super) fn steps_of(frames: &[f32], frames_per_step: f64) -> Vec<f32> {
    let bound = |step: usize| (step as f64 * frames_per_step).round() as usize;
    let steps = (frames.len() as f64 / frames_per_step) as usize;
    (0..steps).map(|i| step(&frames[bound(i)..bound(i + 1)])).collect()
}

/// Median of the voiced frames of a step, when most are voiced.
fn step(frames: &[f32]) -> f32 {
    let mut voiced = [0.0f32; FRAMES_PER_STEP];
    let mut n = 0;
    for &p in frames.iter().filter(|&&p| p != 0.0) {
        voiced[n] = p;
        n += 1;
    }
    if 2 * n < frames.len() {
        return 0.0;
    }
    voiced[..n].sort_unstable_by(f32::total_cmp);
    voiced[n / 2].clamp(LOWEST, HIGHEST)
}
