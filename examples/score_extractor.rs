//! Scores an extractor on a folder of recordings with references (NAME.wav with NAME.txt), as `qbh eval melody` does.
//!
//!     cargo run --release --locked --example score_extractor -- recordings/ harmonic-s
//!
//! The second argument is the name of shipped weights, or a file of your own.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use qbh::eval::bootstrap::{Interval, interval};
use qbh::eval::recordings;
use qbh::eval::reference::Reference;
use qbh::eval::units::Units;
use qbh::library::listen;
use qbh_models::Device;
use qbh_models::extractor::{self, DEFAULT_EXTRACTOR};

/// Overall accuracy of an extractor over the recordings of a folder, with a 95 % interval.
pub fn score(folder: &Path, name_or_path: &str) -> Result<Interval> {
    let extractor = extractor::open(name_or_path, Device::Cpu)?;
    let (mut accuracies, mut names) = (Vec::new(), Vec::new());
    for (recording, reference) in recordings::with_references(&[folder.to_path_buf()], None)? {
        // Rows of two columns are `time f0`, rows of three are notes.
        let reference = Reference::read(&reference, &recording, None)?;
        let track = listen::pitch_track(&recording, &*extractor)?;
        // VR, VFA, RPA, RCA and OA, as `mir_eval` computes them; within 50 cents.
        let scores = reference.score(&track.into(), None);
        println!("{}: OA {:.3}, RPA {:.3}, VFA {:.3}", recording.display(), scores.oa, scores.rpa, scores.vfa);
        accuracies.push(scores.oa);
        names.push(recording.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    }
    ensure!(!accuracies.is_empty(), "no recording in {} has a reference of its name", folder.display());
    // Recordings of one singer are not independent of each other, where their names tell the singer.
    let units = Units::of_recordings(names.iter().map(String::as_str));
    Ok(interval(&accuracies, &units.clusters))
}

#[allow(dead_code)] // the tests call the function above
fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("usage: score_extractor RECORDINGS [EXTRACTOR]")?;
    let name = arguments.next().unwrap_or(DEFAULT_EXTRACTOR.into());
    let Interval { mean, low, high } = score(Path::new(&folder), &name)?;
    println!("overall accuracy {mean:.3} ({low:.3} to {high:.3})");
    Ok(())
}
