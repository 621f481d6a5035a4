//! The hum as it is searched: without the silence around it, and long enough to tell songs apart.

use std::ops::Range;

use qbh_models::Contour;
use qbh_models::contour::CONTOUR_STEP;

use super::SearchError;
use super::melody::Melody;

/// A hum is used up to this length, in contour steps (70 s).
const LONGEST_HUM: usize = 700;

/// Less melody than this, in voiced contour steps (2.5 s), tells no songs apart, and is too short for the shortest song windows.
const SHORTEST_HUM: usize = 25;

/// A hum with fewer voiced steps than this (0.3 s) has no voice.
const SHORTEST_VOICE: usize = 3;

/// A hum as it is searched, at two speeds: what is fast and short is laid on songs slowed down, where steps do not blur it.
#[derive(Debug, Clone)]
pub(super) struct Hum {
    /// Seconds cut off its beginning.
    pub(super) offset: f32,
    /// From its first pitch to its last, at most 70 s.
    contour: Contour,
    melody: Melody,
    /// The melody of the contour slowed down.
    slowed: Melody,
}

/// A hum at one of its speeds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'h> {
    /// MIDI pitch, 0 = unvoiced.
    pub(super) steps: &'h [f32],
    pub(super) melody: &'h Melody,
}

impl Hum {
    /// # Errors
    /// [`SearchError::NoVoice`], [`SearchError::TooShort`].
    pub(super) fn new(contour: &Contour) -> Result<Hum, SearchError> {
        let sounding = sounding(contour)?;
        let offset = (sounding.start as f64 * CONTOUR_STEP) as f32;
        let contour = contour.part(sounding);
        Ok(Hum { offset, melody: Melody::new(&contour.pitch), slowed: Melody::slowed(&contour.slowed), contour })
    }

    /// What sounds of it.
    pub(super) fn contour(&self) -> &Contour {
        &self.contour
    }

    /// The hum as it is, or slowed down.
    pub(super) fn reading(&self, slowed: bool) -> Reading<'_> {
        if slowed {
            Reading { steps: &self.contour.slowed, melody: &self.slowed }
        } else {
            Reading { steps: &self.contour.pitch, melody: &self.melody }
        }
    }
}

/// The steps of a hum that sound.
fn sounding(hum: &Contour) -> Result<Range<usize>, SearchError> {
    let voiced = hum.pitch.iter().filter(|&&p| p > 0.0).count();
    let (Some(first), Some(last)) = (hum.pitch.iter().position(|&p| p > 0.0), hum.pitch.iter().rposition(|&p| p > 0.0)) else {
        return Err(SearchError::NoVoice);
    };
    if voiced < SHORTEST_VOICE {
        return Err(SearchError::NoVoice);
    }
    if voiced < SHORTEST_HUM {
        let seconds = |steps: usize| (steps as f64 * CONTOUR_STEP) as f32;
        return Err(SearchError::TooShort { heard: seconds(voiced), needed: seconds(SHORTEST_HUM) });
    }
    Ok(first..(last + 1).min(first + LONGEST_HUM))
}
