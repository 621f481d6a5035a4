//! Recordings that a training makes use of.

use std::path::{Path, PathBuf};

use qbh_models::PitchTrack;
use qbh_models::extractor::{Extractor, MAX_SECTION};
use qbh_models::resample::resample;
use qbh_synthesis::SAMPLE_RATE;
use rayon::prelude::*;

use super::{PassedOver, TrainError};
use crate::audio;
use crate::library::walk;

/// Longest excerpt, seconds.
const EXCERPT: usize = 60;

/// Excerpts of at most a minute from the recordings below a folder, 16 kHz mono: from long recordings two, a quarter and three
/// quarters on. Recordings that cannot be read are passed over.
///
/// # Errors
/// Nothing can be read.
pub fn excerpts(folder: &Path, passed_over: &PassedOver) -> Result<Vec<Vec<f32>>, TrainError> {
    let paths = below(folder, passed_over);
    let excerpts = paths.par_iter().flat_map_iter(|path| match whole(path) {
        Ok(samples) => cut(&samples).map(<[f32]>::to_vec).collect(),
        Err(error) => {
            passed_over(path, &error);
            Vec::new()
        }
    });
    let excerpts: Vec<Vec<f32>> = excerpts.collect();
    if excerpts.is_empty() {
        return Err(TrainError::nothing(folder, "no recording that can be read"));
    }
    Ok(excerpts)
}

/// The recordings below a folder, in order; what cannot be looked at is passed over.
pub fn below(folder: &Path, passed_over: &PassedOver) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for path in walk::files(folder) {
        match path {
            Ok(path) if walk::is_audio(&path) => paths.push(path),
            Ok(_) => {}
            Err(error) => {
                passed_over(error.path(), &std::error::Error::source(&error).map_or_else(String::new, |e| e.to_string()))
            }
        }
    }
    paths
}

/// All of a recording, 16 kHz mono.
///
/// # Errors
/// It cannot be decoded.
pub fn whole(path: &Path) -> Result<Vec<f32>, TrainError> {
    let failed = |error| TrainError::file(path, error);
    let mut samples = Vec::new();
    let mut stream = audio::open(path, SAMPLE_RATE as u32).map_err(failed)?;
    while let Some(chunk) = stream.next_chunk().map_err(failed)? {
        samples.extend_from_slice(chunk);
    }
    Ok(samples)
}

/// The pitch track of 16 kHz samples of any length.
///
/// # Errors
/// The extractor fails.
pub fn track(samples: &[f32], extractor: &dyn Extractor) -> Result<PitchTrack, TrainError> {
    let samples = resample(samples, SAMPLE_RATE as u32, extractor.sample_rate())?;
    let mut track = PitchTrack::default();
    for section in samples.chunks((MAX_SECTION * f64::from(extractor.sample_rate())) as usize) {
        track.append(extractor.extract(section)?);
    }
    Ok(track)
}

/// The excerpts of one recording.
fn cut(samples: &[f32]) -> impl Iterator<Item = &[f32]> {
    let length = EXCERPT * SAMPLE_RATE;
    let starts = match samples.len() {
        0 => vec![],
        n if n <= 2 * length => vec![(n.saturating_sub(length)) / 2],
        n => vec![n / 4 - length / 2, n * 3 / 4 - length / 2],
    };
    starts.into_iter().map(move |start| &samples[start..(start + length).min(samples.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_lie_within_their_recording() {
        let lengths = |seconds: usize| cut(&vec![0.0; seconds * SAMPLE_RATE]).map(|c| c.len() / SAMPLE_RATE).collect::<Vec<_>>();
        assert_eq!(lengths(0), Vec::<usize>::new());
        assert_eq!(lengths(10), [10]);
        assert_eq!(lengths(90), [60]);
        assert_eq!(lengths(121), [60, 60]);
        assert_eq!(lengths(600), [60, 60]);
    }
}
