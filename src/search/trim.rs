//! Trims a hum: off comes the silence around it; what is left must be long enough to tell songs apart.

use std::ops::Range;

use qbh_models::Contour;
use qbh_models::contour::CONTOUR_STEP;

use super::error::SearchError;
use super::sequence::PitchSequence;

/// A hum is used up to this length, in contour steps (70 s).
const LONGEST_HUM: usize = 700;

/// Less melody than this, in voiced contour steps (2.5 s), tells no songs apart, and is too short for the shortest song windows.
const SHORTEST_HUM: usize = 25;

/// A hum with fewer voiced steps than this (0.3 s) has no voice.
const SHORTEST_VOICE: usize = 3;

/// A hum as it is searched, at two speeds: what is fast and short is laid on songs slowed down, where steps do not blur it.
#[derive(Debug, Clone)]
pub struct TrimmedHum {
    /// Seconds cut off its beginning.
    pub offset: f32,
    /// From its first pitch to its last, at most 70 s.
    pub contour: Contour,
    sequence: PitchSequence,
    /// The sequence of the contour slowed down.
    slowed: PitchSequence,
}

/// A hum at one of its speeds.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'h> {
    /// MIDI pitch, 0 = unvoiced.
    pub steps: &'h [f32],
    /// What of it is aligned.
    pub sequence: &'h PitchSequence,
}

impl TrimmedHum {
    /// The hum as it is, or slowed down.
    pub fn reading(&self, slowed: bool) -> Reading<'_> {
        if slowed {
            Reading { steps: &self.contour.slowed, sequence: &self.slowed }
        } else {
            Reading { steps: &self.contour.pitch, sequence: &self.sequence }
        }
    }
}

/// Takes the silence around a hum away, and what lies beyond 70 s.
///
/// # Errors
/// [`SearchError::NoVoice`], [`SearchError::TooShort`].
pub fn trim(hum: &Contour) -> Result<TrimmedHum, SearchError> {
    let sounding = sounding(hum)?;
    let offset = (sounding.start as f64 * CONTOUR_STEP) as f32;
    let contour = hum.part(sounding);
    let [sequence, slowed] = [PitchSequence::new(&contour.pitch), PitchSequence::slowed(&contour.slowed)];
    Ok(TrimmedHum { offset, contour, sequence, slowed })
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
