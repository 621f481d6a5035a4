//! The hums of people: a person has a skill, each hum a condition, each note an error.
//!
//! Its numbers are fitted to real hums ([`population`]); [`super::hum`] is the older model, whose faults are of one strength, drawn
//! uniformly. Forgetting, losing the thread and the extractor's mistakes are the same in both.

mod condition;
pub mod population;

use std::ops::Range;

use super::clip;
use super::singer::{heard, remember, retime};
use crate::random::Draw;
use condition::Condition;
use population::POPULATION as P;
use qbh_models::{Contour, Note};

/// A person who hums: what all of their hums have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Singer {
    /// Deviations of the person's skill from the mean: above zero are the poor singers.
    unskilled: f32,
    /// Logarithm of the size of the person's intervals over those of the melody.
    size: f32,
}

impl Singer {
    /// Anybody.
    pub fn draw(draw: &mut Draw) -> Singer {
        let unskilled = draw.normal();
        Singer { unskilled, size: P.size_of_singers * draw.normal() }
    }

    /// The contour of this person's hum of `section` (seconds) of `notes` (in order of time, one at a time), `tempo` times as fast.
    /// Empty where fewer than two notes are left.
    pub fn hum(&self, notes: &[Note], section: Range<f32>, tempo: f32, draw: &mut Draw) -> Contour {
        let condition = Condition::draw(self.unskilled, self.size, draw);
        let mut notes = remember(&clip(notes, &section), condition.forgetting, draw);
        if notes.len() < 2 {
            return Contour::default();
        }
        retime(&mut notes, tempo, condition.unsteadiness, draw);
        condition.intone(&mut notes, draw);
        heard(&notes, &condition.voice, condition.tracking, draw)
    }
}
