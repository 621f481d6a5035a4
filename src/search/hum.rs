//! The hum as it is searched: without the silence around it, and long enough to tell songs apart.

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

/// A hum as it is searched.
#[derive(Debug, Clone)]
pub(super) struct Hum {
    /// Seconds cut off its beginning.
    pub(super) offset: f32,
    /// From its first pitch to its last, at most 70 s.
    pub(super) contour: Vec<f32>,
    pub(super) melody: Melody,
}

impl Hum {
    /// # Errors
    /// [`SearchError::NoVoice`], [`SearchError::TooShort`].
    pub(super) fn new(contour: &Contour) -> Result<Hum, SearchError> {
        let (offset, sounding) = sounding(contour)?;
        Ok(Hum { offset, contour: sounding.to_vec(), melody: Melody::new(sounding) })
    }

    /// Seconds with a pitch.
    pub(super) fn voiced(&self) -> f32 {
        self.contour.iter().filter(|&&pitch| pitch > 0.0).count() as f32 * CONTOUR_STEP as f32
    }
}

/// The part of a hum that sounds, and the seconds before it.
fn sounding(hum: &Contour) -> Result<(f32, &[f32]), SearchError> {
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
    Ok(((first as f64 * CONTOUR_STEP) as f32, &hum.pitch[first..=last.min(first + LONGEST_HUM - 1)]))
}
