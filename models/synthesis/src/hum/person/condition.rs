//! One hum of a person: how it goes this time, and what becomes of each note's pitch.

use super::population::POPULATION as P;
use crate::hum::ranges::{self, HIGHEST, LOWEST};
use crate::hum::render::Voice;
use crate::hum::{median, uniform};
use crate::random::Draw;
use qbh_models::Note;

/// How a hum goes.
pub(super) struct Condition {
    /// Strength of the faults of memory, as in [`super::super::hum`].
    pub(super) forgetting: f32,
    /// Strength of the faults of time.
    pub(super) unsteadiness: f32,
    /// Strength of the extractor's mistakes.
    pub(super) tracking: f32,
    /// The voice.
    pub(super) voice: Voice,
    /// Sung intervals over those of the melody.
    size: f32,
    /// Sigma of the pitch of a note that repeats the one before, semitones.
    error: f32,
    /// Sigma of the random walk of the key, semitones a note.
    walk: f32,
    /// Drift of the key, semitones a second.
    slope: f32,
}

impl Condition {
    /// How it goes for a person of this skill and size of intervals.
    pub(super) fn draw(unskilled: f32, size: f32, draw: &mut Draw) -> Condition {
        let badly = P.skill_of_singers * unskilled + P.skill_of_hums * draw.normal();
        let strength = |spread: f32, draw: &mut Draw| (badly + spread * draw.normal()).exp();
        let narrow = if draw.chance(P.narrow) { -draw.range(0.0, P.narrowest) } else { 0.0 };
        let voice = Voice {
            glide: draw.range(P.glide.0, P.glide.1),
            scoops: (P.scoops * strength(0.5, draw)).min(0.9),
            vibrato: if draw.chance(P.vibrato.0) { draw.range(0.0, P.vibrato.1) } else { 0.0 },
            jitter: (P.jitter * (P.jitter_spread * draw.normal()).exp()).min(0.5),
        };
        Condition {
            forgetting: (P.forgetting * strength(0.5, draw)).min(1.5),
            unsteadiness: (P.unsteadiness * strength(0.5, draw)).min(1.5),
            tracking: (P.tracking * (0.5 * draw.normal()).exp()).min(1.5),
            voice,
            size: (size + P.size_of_hums * draw.normal() + narrow - P.size_unskilled * badly).exp().clamp(0.2, 1.6),
            error: (P.error * badly.exp()).min(2.5),
            walk: P.walk * strength(P.walk_spread, draw),
            slope: P.slope * (0.5 * badly).exp() * draw.normal(),
        }
    }

    /// Gives the notes the pitches that are sung: larger intervals go more wrong, an error is in part carried on to the next note.
    pub(super) fn intone(&self, notes: &mut [Note], draw: &mut Draw) {
        let centre = median(notes.iter().map(|n| n.pitch));
        let mut key = uniform(ranges::KEY, draw);
        let (mut error, mut octave, mut before) = (0.0f32, 0.0f32, notes[0].pitch);
        let slip_at = if draw.chance(P.slip) { draw.index(notes.len()) } else { usize::MAX };
        for (k, note) in notes.iter_mut().enumerate() {
            key += self.walk * draw.normal();
            if k == slip_at {
                let size = uniform(ranges::SLIPPED, draw);
                key += if draw.chance(0.5) { size } else { -size };
            }
            if draw.chance(P.fold) {
                octave = match octave {
                    0.0 if draw.chance(0.5) => 12.0,
                    0.0 => -12.0,
                    _ => 0.0,
                };
            }
            let leap = (note.pitch - before).abs();
            before = note.pitch;
            let sigma = self.error * (1.0 + P.leap * leap) * if draw.chance(P.miss.0) { P.miss.1 } else { 1.0 };
            error = P.carried * error + sigma * draw.normal();
            let pitch = centre + (note.pitch - centre) * self.size + key + self.slope * note.onset + octave + error;
            note.pitch = pitch.clamp(LOWEST, HIGHEST);
        }
    }
}
