//! Recordings that a training makes use of.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use qbh::audio;
use qbh::library::walk;
use qbh_synthesis::SAMPLE_RATE;
use rayon::prelude::*;

use crate::cli::complain;

/// Longest excerpt, seconds.
const EXCERPT: usize = 60;

/// Excerpts of at most a minute from the recordings below a folder, 16 kHz mono: from long recordings two, a quarter and three
/// quarters on. Recordings that cannot be read are complained of and passed over.
pub fn excerpts(folder: &Path) -> Result<Vec<Vec<f32>>> {
    let paths = below(folder);
    let excerpts = paths.par_iter().flat_map_iter(|path| match whole(path) {
        Ok(samples) => cut(&samples).map(<[f32]>::to_vec).collect(),
        Err(error) => {
            complain(format!("{}: {error:#}", path.display()));
            Vec::new()
        }
    });
    let excerpts: Vec<Vec<f32>> = excerpts.collect();
    if excerpts.is_empty() {
        bail!("{} holds no recording that can be read", folder.display());
    }
    Ok(excerpts)
}

/// The recordings below a folder, in order.
pub fn below(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for path in walk::files(folder) {
        match path {
            Ok(path) if walk::is_audio(&path) => paths.push(path),
            Ok(_) => {}
            Err(error) => complain(format!("{error:#}")),
        }
    }
    paths
}

/// All of a recording, 16 kHz mono.
pub fn whole(path: &Path) -> Result<Vec<f32>> {
    let mut samples = Vec::new();
    let mut stream = audio::open(path, SAMPLE_RATE as u32)?;
    while let Some(chunk) = stream.next_chunk().context("it ends in the middle")? {
        samples.extend_from_slice(chunk);
    }
    Ok(samples)
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
