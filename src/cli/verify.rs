//! `qbh verify`: is everything in the index as it was written?

use super::context::Context;
use super::format::count;
use super::json::write_line;
use super::{Status, complain, progress, report_mended};
use anyhow::Result;
use qbh_index::{StoreCheck, VerifyReport};
use serde::Serialize;
use std::io::Write;

/// Arguments of `qbh verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads everything once. The index keeps every song twice, in its store and in the snapshot that is searched; what one of them has \
lost is put back from the other. While another process writes the index, or on a read-only disk, only the snapshot is read.

Exit status: 0 nothing is wrong, 1 something was wrong and has been put right, 2 something is lost or still wrong.")]
pub struct Args {
    /// Print one JSON object (docs/json.md)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct JsonVerified<'a> {
    schema: &'static str,
    songs: usize,
    files: usize,
    clean: bool,
    found: &'a [String],
    restored: &'a [String],
    to_hear: &'a [String],
    problems: &'a [String],
    snapshot: String,
    graph: String,
    store_left_alone: Option<&'a str>,
}

/// Checks, mends, and prints what was wrong.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    progress::silence_panics();
    let spinner = progress::spinner("reading the index");
    let report = qbh_index::verify(&context.index_dir);
    spinner.finish_and_clear();
    let report = report?;
    if args.json {
        write_json(&report, out)?;
        return Ok(status(&report));
    }
    writeln!(out, "{} in {} read", count(report.songs, "song"), count(report.files, "file"))?;
    writeln!(out, "snapshot {}, graph {}", report.snapshot, report.graph)?;
    if let StoreCheck::LeftAlone(reason) = &report.store {
        writeln!(out, "only the snapshot was read: {reason}")?;
    }
    report_mended(&report.mended, context);
    report.problems.iter().for_each(complain);
    match status(&report) {
        Status::Done => writeln!(out, "no damage found")?,
        Status::NotConfident => writeln!(out, "all that was damaged has been put right")?,
        Status::Failed => {
            complain("not everything could be put right: run qbh index on the library, which hears again what is lost");
        }
    }
    Ok(status(&report))
}

fn status(report: &VerifyReport) -> Status {
    match (report.is_clean(), report.is_mended()) {
        (true, _) => Status::Done,
        (false, true) => Status::NotConfident,
        (false, false) => Status::Failed,
    }
}

fn write_json(report: &VerifyReport, out: &mut dyn Write) -> Result<()> {
    let left_alone = match &report.store {
        StoreCheck::LeftAlone(reason) => Some(reason.as_str()),
        StoreCheck::Read => None,
    };
    let json = JsonVerified {
        schema: "qbh.verify/1",
        songs: report.songs,
        files: report.files,
        clean: report.is_clean(),
        found: &report.mended.found,
        restored: &report.mended.restored,
        to_hear: &report.mended.to_hear,
        problems: &report.problems,
        snapshot: report.snapshot.to_string(),
        graph: report.graph.to_string(),
        store_left_alone: left_alone,
    };
    write_line(&json, out)
}
