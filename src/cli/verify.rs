//! `qbh verify`: is everything in the index as it was written?

use super::context::Context;
use super::format::count;
use super::{Status, complain, progress};
use anyhow::Result;
use qbh_index::Index;
use std::io::Write;

/// Arguments of `qbh verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads everything once. The scan file and the graph are made from the rest and made anew when needed, so only damage to the rest \
is an error; exit status 2 then.")]
pub struct Args {}

/// Checks and prints what is wrong.
pub fn run(_args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let index = Index::open_existing(&context.index_dir)?;
    let spinner = progress::spinner("reading the index");
    let report = index.verify()?;
    spinner.finish_and_clear();
    writeln!(out, "{} in {} read", count(report.songs, "song"), count(report.files, "file"))?;
    writeln!(out, "scan file {}, graph {}", report.scan, report.graph)?;
    report.problems.iter().for_each(complain);
    if report.is_clean() {
        writeln!(out, "no damage found")?;
        return Ok(Status::Done);
    }
    complain("the index is damaged: index the files named above again, or delete the index and start anew");
    Ok(Status::Failed)
}
