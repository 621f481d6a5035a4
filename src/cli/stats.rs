//! `qbh stats`: how big the index is and what it was made with.

use super::Status;
use super::context::Context;
use super::format::{bytes, duration};
use anyhow::Result;
use qbh_index::Index;
use qbh_models::contour::CONTOUR_STEP;
use std::io::Write;

/// Arguments of `qbh stats`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints the numbers.
pub fn run(_args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let index = Index::open_existing(&context.index_dir)?;
    let stats = index.stats()?;
    let mut line = |name: &str, value: String| writeln!(out, "{name:<12}{value}");
    line("index", index.dir().display().to_string())?;
    line("songs", stats.songs.to_string())?;
    line("files", format!("{}, {} of them could not be indexed", stats.files, stats.failures))?;
    line("music", duration(stats.seconds))?;
    let total: u64 = stats.vectors.iter().map(|(_, n)| n).sum();
    let levels = stats.vectors.iter().map(|&(steps, n)| format!("{n} of {:.0} s", f64::from(steps) * CONTOUR_STEP));
    line("windows", format!("{total} ({})", levels.collect::<Vec<_>>().join(", ")))?;
    let size = stats.bytes;
    let parts = format!("store {}, scan file {}, graph {}", bytes(size.store), bytes(size.scan), bytes(size.graph));
    line("on disk", format!("{} ({parts})", bytes(size.store + size.scan + size.graph)))?;
    let made_with = &stats.fingerprint;
    line("extractor", format!("{} [{}]", made_with.extractor.name, made_with.extractor.fingerprint))?;
    line("embedder", format!("{} [{}]", made_with.embedder.name, made_with.embedder.fingerprint))?;
    Ok(Status::Done)
}
