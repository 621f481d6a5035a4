//! Listens to a folder of music and stores the melody of every song, as `qbh index` does.
//!
//!     cargo run --release --locked --example index_folder -- ~/Music ./index
//!
//! The index can then be asked by `query_samples`, or by `qbh --index ./index query hum.wav`.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use qbh::library::indexer::{self, Failure, IndexingPlan, IndexingReport, KnownFiles, Observer, Pending};
use qbh_index::Index;
use qbh_models::Device;
use qbh_models::embedder::{self, DEFAULT_EMBEDDER};
use qbh_models::extractor::{self, DEFAULT_EXTRACTOR};

/// Is told about every file, from several threads.
struct Printer;

impl Observer for Printer {
    fn file_done(&self, file: &Pending, outcome: Result<f64, &Failure>) {
        match outcome {
            Ok(seconds) => println!("{}: {seconds:.0} s", file.path.display()),
            // One bad file never stops a run. Every failure says what the user can do.
            Err(failure) => println!("{}: {}; {}", file.path.display(), failure.reason, failure.remedy),
        }
    }
}

/// Brings the index in the folder `dir` up to date with the music below `folder`.
pub fn index_folder(folder: &Path, dir: &Path) -> Result<IndexingReport> {
    // The two networks that hear a song: audio to melody, and melody to vectors. Weights come with the crate.
    let extractor = extractor::open(DEFAULT_EXTRACTOR, Device::Cpu)?;
    let embedder = embedder::open(DEFAULT_EMBEDDER, Device::Cpu)?;

    // An index belongs to the networks that it was made with: those of another one are refused.
    let fingerprint = indexer::fingerprint(&indexer::model_id(extractor.info()), &*embedder);
    let index = Index::open(dir, &fingerprint)?;

    // What is new, changed or gone? Nothing is listened to yet.
    let plan = IndexingPlan::new(&[folder.canonicalize()?], KnownFiles::of(&index)?);

    // Setting this from another thread ends the run after the files that are being listened to. Nothing is lost.
    let stop = AtomicBool::new(false);
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let report = indexer::run(&index, &plan, &*extractor, &*embedder, jobs, &stop, &Printer)?;

    // Readers see what was stored when it is published.
    index.refresh()?;
    Ok(report)
}

#[allow(dead_code)] // the tests call the function above
fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("usage: index_folder MUSIC INDEX");
    let report = index_folder(Path::new(&next()?), Path::new(&next()?))?;
    println!("{} songs new, {} files unchanged, {} failed", report.songs, report.unchanged, report.failed.len());
    Ok(())
}
