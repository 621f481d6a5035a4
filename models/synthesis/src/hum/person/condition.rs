//! One hum of a person: how it goes this time, and what becomes of each note's pitch.

use super::population::*;
use crate::hum::ranges::{self, HIGHEST, LOWEST};
use crate::hum::render::Voice;
use crate::hum::singer::{fold, slip};
use crate::hum::{median, uniform};
use crate::random::Draw;
use qbh_models::Note;

/// How a hum goes.
pub(super) struct Condition {
    /// Strength of the faults of memory, as in [`super::super::hum`].
    pub(super) forgetting: f32,
    /// Strength of the faults of time.
    pub(super) unsteadiness: f32,
    /// Share of the notes that end before the next begins.
    articulated: f32,
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
        let badly = SKILL_OF_SINGERS * unskilled + SKILL_OF_HUMS * draw.normal();
        let strength = |spread: f32, draw: &mut Draw| (badly + spread * draw.normal()).exp();
        let hopeless = draw.chance(HOPELESS);
        let (narrow, worse) = if hopeless { (-uniform(NARROW, draw), WORSE) } else { (0.0, 0.0) };
        let badly = badly + worse;
        let voice = Voice {
            glide: uniform(GLIDE, draw),
            scoops: (SCOOPS * strength(LIKENESS, draw)).min(0.9),
            vibrato: if draw.chance(VIBRATING) { draw.range(0.0, VIBRATO) } else { 0.0 },
            jitter: (JITTER * (JITTER_SPREAD * draw.normal()).exp()).min(0.5),
        };
        Condition {
            forgetting: (FORGETTING * strength(LIKENESS, draw)).min(1.5),
            unsteadiness: (UNSTEADINESS * strength(LIKENESS, draw)).min(1.5),
            articulated: (ARTICULATED * (ARTICULATED_SPREAD * draw.normal()).exp()).min(1.0),
            voice,
            size: (size + SIZE_MEAN + SIZE_OF_HUMS * draw.normal() + narrow - SIZE_UNSKILLED * badly).exp().clamp(0.2, 1.6),
            error: (ERROR * badly.exp()).min(2.5),
            walk: WALK * strength(WALK_SPREAD, draw),
            slope: SLOPE * (0.5 * badly).exp() * draw.normal(),
        }
    }

    /// Notes end early: syllables and breath.
    pub(super) fn articulate(&self, notes: &mut [Note], draw: &mut Draw) {
        for note in notes {
            if draw.chance(self.articulated) {
                note.duration -= uniform(GAP, draw).min(0.6 * note.duration);
            }
        }
    }

    /// Gives the notes the pitches that are sung: larger intervals go more wrong.
    pub(super) fn intone(&self, notes: &mut [Note], draw: &mut Draw) {
        let centre = median(notes.iter().map(|n| n.pitch));
        let mut key = uniform(ranges::KEY, draw);
        let (mut octave, mut before) = (0.0f32, notes[0].pitch);
        let slip_at = if draw.chance(SLIP) { draw.index(notes.len()) } else { usize::MAX };
        for (k, note) in notes.iter_mut().enumerate() {
            key += self.walk * draw.normal();
            if k == slip_at {
                key += slip(draw);
            }
            octave = fold(octave, FOLD, draw);
            let leap = (note.pitch - before).abs();
            before = note.pitch;
            let sigma = self.error * (1.0 + LEAP * leap.sqrt()) * if draw.chance(MISSES) { MISS } else { 1.0 };
            let pitch =
                centre + (note.pitch - centre) * self.size + key + self.slope * note.onset + octave + sigma * draw.normal();
            note.pitch = pitch.clamp(LOWEST, HIGHEST);
        }
    }
}
