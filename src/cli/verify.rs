//! `qbh verify`: is everything in the index as it was written?

use super::context::Context;
use super::format::count;
use super::{Status, complain, progress, report_mended};
use anyhow::Result;
use qbh_index::StoreCheck;
use std::io::Write;

/// Arguments of `qbh verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads everything once. The index keeps every song twice, in its store and in the snapshot that is searched; what one of them has \
lost is put back from the other. While another process writes the index, or on a read-only disk, only the snapshot is read.

Exit status: 0 nothing is wrong, 1 something was wrong and has been put right, 2 something is lost or still wrong.")]
pub struct Args {}

/// Checks, mends, and prints what was wrong.
pub fn run(_args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    progress::silence_panics();
    let spinner = progress::spinner("reading the index");
    let report = qbh_index::verify(&context.index_dir);
    spinner.finish_and_clear();
    let report = report?;
    writeln!(out, "{} in {} read", count(report.songs, "song"), count(report.files, "file"))?;
    writeln!(out, "snapshot {}, graph {}", report.snapshot, report.graph)?;
    if let StoreCheck::LeftAlone(reason) = &report.store {
        writeln!(out, "only the snapshot was read: {reason}")?;
    }
    report_mended(&report.mended, context);
    report.problems.iter().for_each(complain);
    if report.is_clean() {
        writeln!(out, "no damage found")?;
        return Ok(Status::Done);
    }
    if report.is_mended() {
        writeln!(out, "all that was damaged has been put right")?;
        return Ok(Status::NotConfident);
    }
    complain("not everything could be put right: run qbh index on the library, which hears again what is lost");
    Ok(Status::Failed)
}
