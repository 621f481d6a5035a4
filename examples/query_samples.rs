//! Finds the song for a hum that is in memory: samples, as a microphone or a web page gives them.
//!
//!     cargo run --release --locked --example query_samples -- ./index hum.wav
//!
//! The index is made by `index_folder` or by `qbh index`.

use std::path::Path;

use anyhow::{Context, Result};
use qbh::library::listen;
use qbh::search::{SearchOptions, Searcher};
use qbh_index::{Snapshot, Song};
use qbh_models::Device;
use qbh_models::embedder::{self, DEFAULT_EMBEDDER};
use qbh_models::extractor::{self, DEFAULT_EXTRACTOR};
use qbh_models::reranker::{DEFAULT_RERANKER, Reranker};

/// The songs that are most like a hum, best first, each with how likely it is the one. `samples` are mono, at any level, `rate` of them a second.
pub fn find(dir: &Path, samples: &[f32], rate: u32) -> Result<Vec<(Song, f32)>> {
    let extractor = extractor::open(DEFAULT_EXTRACTOR, Device::Cpu)?;
    let embedder = embedder::open(DEFAULT_EMBEDDER, Device::Cpu)?;
    let reranker = Reranker::open(DEFAULT_RERANKER, Device::Cpu)?;
    // A snapshot shows the index at one moment, beside whoever writes to it. A program that answers many hums keeps its searcher.
    let searcher = Searcher::new(Snapshot::open(dir)?, embedder, Some(reranker));

    // Samples to a contour: the melody in steps of 100 ms. Silence is an error that says so.
    let heard = listen::listen_samples(samples, rate, &*extractor)?;
    let hum = &heard.pieces.first().context("nothing was heard")?.contour;

    let answer = searcher.search(hum, &SearchOptions { limit: 3, ..SearchOptions::default() })?;
    Ok(answer.matches.into_iter().map(|found| (found.song, found.confidence)).collect())
}

#[allow(dead_code)] // the tests call the function above
fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("usage: query_samples INDEX HUM.wav");
    let (dir, hum) = (next()?, next()?);

    // The samples could come from anywhere; here from a WAV file, of which the first channel is taken.
    let mut wav = hound::WavReader::open(&hum)?;
    let spec = wav.spec();
    let channels = usize::from(spec.channels);
    let samples: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => wav.samples().step_by(channels).collect::<Result<_, _>>()?,
        hound::SampleFormat::Int => {
            let full = (1u32 << (spec.bits_per_sample - 1)) as f32;
            wav.samples::<i32>().step_by(channels).map(|s| Ok(s? as f32 / full)).collect::<Result<_, hound::Error>>()?
        }
    };
    for (song, confidence) in find(Path::new(&dir), &samples, spec.sample_rate)? {
        println!("{:3.0} %  {}", 100.0 * confidence, song.key);
    }
    Ok(())
}
