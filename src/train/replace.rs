//! Real music in which a synthetic voice sings what an extractor hears: at a pitch that is exactly known.

use std::path::Path;

use qbh_models::PitchTrack;
use qbh_models::extractor::Extractor;
use qbh_synthesis::Example;
use qbh_synthesis::resynthesis::singable;
use qbh_synthesis::studio::Studio;

use super::{TrainError, recordings};
use crate::pitchfile::segment;

/// A recording with another voice.
///
/// # Errors
/// A recording that cannot be read, or the extractor fails.
pub fn replace_voice(path: &Path, studio: &Studio, extractor: &dyn Extractor, seed: u64) -> Result<Example, TrainError> {
    let samples = recordings::whole(path)?;
    let heard = recordings::track(&samples, extractor)?;
    let f0 = singable(&heard.f0);
    let notes = segment(&PitchTrack::from_f0(f0.clone()));
    Ok(studio.replace_voice(seed, &samples, &heard, &f0, &notes))
}
