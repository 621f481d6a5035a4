//! The hums of people: a person has a skill, each hum a condition, each note an error.
//!
//! Its numbers are fitted to real hums ([`population`]); [`super::hum`] is the older model, whose faults are of one strength, drawn
//! uniformly. Forgetting, losing the thread and the extractor's mistakes are the same in both.

mod condition;
mod population;

use std::ops::Range;

use super::clip;
use super::singer::{heard, remember, retime};
use crate::random::Draw;
use condition::Condition;
use population::SIZE_OF_SINGERS;
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
        Singer { unskilled, size: SIZE_OF_SINGERS * draw.normal() }
    }

    /// The contour of this person's hum of `section` (seconds) of `notes` (in order of time, one at a time), `tempo` times as fast;
    /// `tracking` is the strength of the extractor's mistakes, 0 = none. Empty where fewer than two notes are left.
    pub fn hum(&self, notes: &[Note], section: Range<f32>, tempo: f32, tracking: f32, draw: &mut Draw) -> Contour {
        let condition = Condition::draw(self.unskilled, self.size, draw);
        let mut notes = remember(&clip(notes, &section), condition.forgetting, draw);
        if notes.len() < 2 {
            return Contour::default();
        }
        retime(&mut notes, tempo, condition.unsteadiness, draw);
        condition.articulate(&mut notes, draw);
        condition.intone(&mut notes, draw);
        heard(&notes, &condition.voice, tracking, draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hum::ranges;
    use crate::random::stream;
    use proptest::prelude::*;
    use qbh_models::contour::slowed_step;

    /// Notes of half a second, up and down a third, a fifth and an octave.
    fn tune() -> Vec<Note> {
        let pitches = [60.0, 64.0, 60.0, 67.0, 60.0, 72.0];
        (0..60).map(|i| Note { onset: 0.5 * i as f32, duration: 0.5, pitch: pitches[i % 6] }).collect()
    }

    /// How far the voiced steps of a contour are from the tune in the hum's own key: their mean distance.
    fn astray(contour: &[f32]) -> f32 {
        let voiced: Vec<f32> = contour.iter().copied().filter(|p| *p > 0.0).collect();
        let mean = |key: f32| {
            let nearest = |p: f32| [60.0f32, 64.0, 67.0, 72.0].iter().map(|n| (p - n - key).abs()).fold(f32::MAX, f32::min);
            voiced.iter().map(|&p| nearest(p)).sum::<f32>() / voiced.len() as f32
        };
        (-100..=100).map(|key| mean(key as f32 * 0.1)).fold(f32::MAX, f32::min)
    }

    proptest! {
        #[test]
        fn hums_are_contours(from in 0.0f32..40.0, length in 0.0f32..40.0, tempo in 0.5f32..2.0, unskilled in -4.0f32..4.0,
                             tracking in 0.0f32..1.5, seed in any::<u64>()) {
            let singer = Singer { unskilled, size: 0.0 };
            let contour = singer.hum(&tune(), from..from + length, tempo, tracking, &mut stream(seed, 0, 0));
            prop_assert!(contour.pitch.iter().chain(&contour.slowed).all(|&p| p == 0.0 || (ranges::LOWEST..=ranges::HIGHEST).contains(&p)));
            prop_assert!(contour.len() <= ranges::LONGEST_HUM);
            prop_assert_eq!(contour.slowed.len(), slowed_step(contour.len()));
        }
    }

    #[test]
    fn the_unskilled_go_astray() {
        let mean = |unskilled| {
            let singer = Singer { unskilled, size: 0.0 };
            let hums = (0..60).map(|item| singer.hum(&tune(), 0.0..12.0, 1.0, 0.0, &mut stream(2, 0, item)));
            hums.map(|hum| astray(&hum.pitch)).sum::<f32>() / 60.0
        };
        let (good, poor) = (mean(-2.0), mean(2.0));
        assert!(1.2 * good < poor && good < 0.6, "{good} and {poor} semitones");
    }

    #[test]
    fn some_sing_narrow_intervals() {
        let spread = |size: f32| {
            let singer = Singer { unskilled: -2.0, size };
            let hums = (0..40).map(|item| singer.hum(&tune(), 0.0..12.0, 1.0, 0.0, &mut stream(4, 0, item)).pitch);
            let apart = |hum: Vec<f32>| {
                let mut voiced: Vec<f32> = hum.into_iter().filter(|p| *p > 0.0).collect();
                voiced.sort_by(f32::total_cmp);
                voiced[voiced.len() * 19 / 20] - voiced[voiced.len() / 20]
            };
            hums.map(apart).sum::<f32>() / 40.0
        };
        assert!(spread(-0.4) < 0.75 * spread(0.0), "{} of {} semitones", spread(-0.4), spread(0.0));
    }
}
