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

/// A hum whose pitches (all but the outermost tenths) are no further apart than this many semitones holds one tone: no melody.
const ONE_TONE: f32 = 0.7;

impl TrimmedHum {
    /// Whether it holds one tone, as a tuning fork or a dial tone does: it would be found in every song that holds a note.
    pub fn is_one_tone(&self) -> bool {
        let mut voiced: Vec<f32> = self.contour.pitch.iter().copied().filter(|&pitch| pitch > 0.0).collect();
        voiced.sort_by(f32::total_cmp);
        let (low, high) = (voiced.len() / 10, voiced.len() - 1 - voiced.len() / 10);
        voiced[high] - voiced[low] < ONE_TONE
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tone_is_no_melody() {
        let hum = |pitch: &dyn Fn(usize) -> f32| trim(&Contour::from_steps((0..90).map(pitch).collect())).unwrap().is_one_tone();
        assert!(hum(&|_| 69.0));
        assert!(hum(&|i| if i % 9 == 0 { 0.0 } else { 60.0 + 0.3 * (i % 2) as f32 }));
        assert!(hum(&|i| if i < 5 { 72.0 } else { 69.0 }));
        assert!(!hum(&|i| if i % 30 < 15 { 60.0 } else { 61.0 }));
    }
}
