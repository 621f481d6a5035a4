//! What a run of `qbh index` did, for a person and as JSON (docs/json.md).

use super::format::{bytes, count, duration};
use super::json::write_line;
use anyhow::Result;
use qbh::library::indexer::{Failure, IndexingPlan, IndexingReport};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Extensions of files that were passed by, of which so many are named.
const NAMED_EXTENSIONS: usize = 12;

/// Prints counts, speed, what failed and why, what has moved or is gone.
pub fn write(plan: &IndexingPlan, report: &IndexingReport, jobs: usize, out: &mut dyn Write) -> Result<()> {
    let (indexed, unchanged, failed) = (report.indexed, report.unchanged, report.failed.len());
    let mut notes = Vec::new();
    if report.changed > 0 {
        notes.push(format!("{} new, {} changed", indexed - report.changed, report.changed));
    }
    if report.songs != indexed {
        notes.push(count(report.songs, "song"));
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
    writeln!(out, "{indexed} indexed{notes}, {unchanged} unchanged, {failed} failed, {} gone", report.gone.len())?;
    let recognised = [
        (report.moved.len(), "moved"),
        (report.retagged.len(), "re-tagged"),
        (report.returned.len(), "back"),
        (report.copies.len(), "copies of others"),
    ];
    let recognised: Vec<String> = recognised.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !recognised.is_empty() {
        writeln!(out, "recognised by their sound: {}", recognised.join(", "))?;
    }
    if let Some(skipped) = skipped(plan) {
        writeln!(out, "{skipped}")?;
    }
    if report.seconds > 0.0 {
        let threads = count(jobs.min(plan.pending.len()), "thread");
        let (music, time, speed) = (duration(report.seconds), duration(report.elapsed.as_secs_f64()), report.times_real_time());
        writeln!(out, "{music} of music in {time} on {threads}: {speed:.0} x real time")?;
        let stages = report.stages;
        let all = [stages.decode, stages.extract, stages.embed, stages.store].map(|stage| stage.as_secs_f64());
        let [decode, extract, embed, store] = all.map(|stage| 100.0 * stage / all.iter().sum::<f64>().max(1e-9));
        write!(out, "time: {decode:.0} % decoding, {extract:.0} % extracting, {embed:.0} % embedding, {store:.0} % storing")?;
        writeln!(out, "{}", peak_memory().map(|peak| format!("; {} of memory at most", bytes(peak))).unwrap_or_default())?;
    }
    for (title, known) in [("Failed:", false), ("Failed before, and unchanged since (--retry-failed tries them again):", true)] {
        let failures: Vec<&Failure> = report.failed.iter().filter(|failure| failure.known == known).collect();
        if !failures.is_empty() {
            writeln!(out, "{title}")?;
        }
        for Failure { path, reason, remedy, .. } in failures {
            writeln!(out, "  {path}\n    {reason}; {remedy}")?;
        }
    }
    for (title, pairs, between) in [("Moved:", &report.moved, " -> "), ("Copies:", &report.copies, " = ")] {
        list(title, pairs.iter().map(|(one, other)| format!("{one}{between}{other}")), out)?;
    }
    list("Re-tagged:", report.retagged.iter().cloned(), out)?;
    list("Gone, and no longer found (not heard again if they come back):", report.gone.iter().cloned(), out)
}

fn list(title: &str, lines: impl ExactSizeIterator<Item = String>, out: &mut dyn Write) -> Result<()> {
    if lines.len() > 0 {
        writeln!(out, "{title}")?;
    }
    for line in lines {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// Which files were passed by because qbh does not take them for music; `None` if there were none.
pub fn skipped(plan: &IndexingPlan) -> Option<String> {
    let mut kinds: Vec<(&str, usize)> = plan.skipped.iter().map(|(extension, n)| (extension.as_str(), *n)).collect();
    kinds.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let all: usize = kinds.iter().map(|(_, n)| n).sum();
    let name = |extension: &str| if extension.is_empty() { "without extension".to_owned() } else { extension.to_owned() };
    let mut named: Vec<String> = kinds.iter().take(NAMED_EXTENSIONS).map(|(e, n)| format!("{} {n}", name(e))).collect();
    let rest: usize = kinds.iter().skip(NAMED_EXTENSIONS).map(|(_, n)| n).sum();
    if rest > 0 {
        named.push(format!("others {rest}"));
    }
    (all > 0).then(|| format!("{} skipped, not music by their names: {}", count(all, "file"), named.join(", ")))
}

/// The most memory this process has held, bytes; only Linux tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[derive(Serialize)]
struct JsonRun<'a> {
    schema: &'static str,
    indexed: usize,
    new: usize,
    changed: usize,
    songs: usize,
    unchanged: usize,
    moved: Vec<JsonMoved<'a>>,
    retagged: &'a [String],
    returned: &'a [String],
    copies: Vec<JsonCopy<'a>>,
    gone: &'a [String],
    failed: Vec<JsonFailure<'a>>,
    skipped: &'a BTreeMap<String, usize>,
    remarks: &'a [String],
    music_seconds: f64,
    seconds: f64,
    interrupted: bool,
}

#[derive(Serialize)]
struct JsonMoved<'a> {
    from: &'a str,
    to: &'a str,
}

#[derive(Serialize)]
struct JsonCopy<'a> {
    file: &'a str,
    of: &'a str,
}

#[derive(Serialize)]
struct JsonFailure<'a> {
    file: &'a str,
    reason: &'a str,
    remedy: &'a str,
    known: bool,
}

/// Writes the same as one line of JSON.
pub fn write_json(plan: &IndexingPlan, report: &IndexingReport, out: &mut dyn Write) -> Result<()> {
    let json = JsonRun {
        schema: "qbh.index/1",
        indexed: report.indexed,
        new: report.indexed - report.changed,
        changed: report.changed,
        songs: report.songs,
        unchanged: report.unchanged,
        moved: report.moved.iter().map(|(from, to)| JsonMoved { from, to }).collect(),
        retagged: &report.retagged,
        returned: &report.returned,
        copies: report.copies.iter().map(|(file, of)| JsonCopy { file, of }).collect(),
        gone: &report.gone,
        failed: report
            .failed
            .iter()
            .map(|f| JsonFailure { file: &f.path, reason: &f.reason, remedy: &f.remedy, known: f.known })
            .collect(),
        skipped: &plan.skipped,
        remarks: &plan.remarks,
        music_seconds: report.seconds,
        seconds: report.elapsed.as_secs_f64(),
        interrupted: report.interrupted,
    };
    write_line(&json, out)
}
