//! `qbh stats`: how big the index is and what it was made with.

use super::context::Context;
use super::format::{bytes, count, duration};
use super::json::write_line;
use super::{Status, select};
use anyhow::Result;
use qbh_index::{ModelId, Snapshot, Stats};
use qbh_models::contour::CONTOUR_STEP;
use serde::Serialize;
use std::io::Write;

/// Arguments of `qbh stats`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object (docs/json.md)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct JsonStats<'a> {
    schema: &'static str,
    index: String,
    songs: usize,
    files: usize,
    failed: usize,
    gone: usize,
    music_seconds: f64,
    windows: Vec<JsonLevel>,
    bytes: JsonBytes,
    generation: u64,
    extractor: &'a ModelId,
    embedder: &'a ModelId,
}

#[derive(Serialize)]
struct JsonLevel {
    seconds: f64,
    count: u64,
}

#[derive(Serialize)]
struct JsonBytes {
    store: u64,
    snapshot: u64,
    journal: u64,
    graph: u64,
}

/// Prints the numbers.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let snapshot = select::snapshot(context)?;
    let stats = snapshot.stats()?;
    if args.json {
        write_json(&snapshot, &stats, out)?;
        return Ok(Status::Done);
    }
    let mut line = |name: &str, value: String| writeln!(out, "{name:<12}{value}");
    line("index", snapshot.dir().display().to_string())?;
    line("songs", stats.songs.to_string())?;
    line("files", format!("{}, {} of them could not be indexed", stats.files, stats.failures))?;
    if stats.parked > 0 {
        line("gone", format!("{}, kept aside in case they come back (qbh compact forgets them)", count(stats.parked, "file")))?;
    }
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

fn write_json(snapshot: &Snapshot, stats: &Stats, out: &mut dyn Write) -> Result<()> {
    let level = |&(steps, count): &(u16, u64)| JsonLevel { seconds: f64::from(steps) * CONTOUR_STEP, count };
    let size = stats.bytes;
    let json = JsonStats {
        schema: "qbh.stats/1",
        index: snapshot.dir().display().to_string(),
        songs: stats.songs,
        files: stats.files,
        failed: stats.failures,
        gone: stats.parked,
        music_seconds: stats.seconds,
        windows: stats.vectors.iter().map(level).collect(),
        bytes: JsonBytes { store: size.store, snapshot: size.snapshot, journal: size.journal, graph: size.graph },
        generation: stats.generation,
        extractor: &stats.fingerprint.extractor,
        embedder: &stats.fingerprint.embedder,
    };
    write_line(&json, out)
}
