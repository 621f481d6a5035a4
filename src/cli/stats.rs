//! `qbh stats`: how big the index is and what it was made with.

use super::context::Context;
use super::format::{bytes, duration};
use super::{Status, select};
use anyhow::Result;
use qbh_models::contour::CONTOUR_STEP;
use std::io::Write;

/// Arguments of `qbh stats`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints the numbers.
pub fn run(_args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let snapshot = select::snapshot(context)?;
    let stats = snapshot.stats()?;
    let mut line = |name: &str, value: String| writeln!(out, "{name:<12}{value}");
    line("index", snapshot.dir().display().to_string())?;
    line("songs", stats.songs.to_string())?;
    line("files", format!("{}, {} of them could not be indexed", stats.files, stats.failures))?;
    line("music", duration(stats.seconds))?;
    let total: u64 = stats.vectors.iter().map(|(_, n)| n).sum();
    let levels = stats.vectors.iter().map(|&(steps, n)| format!("{n} of {:.0} s", f64::from(steps) * CONTOUR_STEP));
    line("windows", format!("{total} ({})", levels.collect::<Vec<_>>().join(", ")))?;
    let size = stats.bytes;
    let parts = [("store", size.store), ("snapshot", size.snapshot), ("journal", size.journal), ("graph", size.graph)];
    let total: u64 = parts.iter().map(|(_, size)| size).sum();
    let parts: Vec<String> = parts.iter().map(|(part, size)| format!("{part} {}", bytes(*size))).collect();
    line("on disk", format!("{} ({})", bytes(total), parts.join(", ")))?;
    let made_with = &stats.fingerprint;
    line("extractor", format!("{} [{}]", made_with.extractor.name, made_with.extractor.fingerprint))?;
    line("embedder", format!("{} [{}]", made_with.embedder.name, made_with.embedder.fingerprint))?;
    Ok(Status::Done)
}
