//! `qbh compact`: gives back the space of what was changed and removed.

use super::context::Context;
use super::format::bytes;
use super::{Status, progress, report_mended};
use anyhow::Result;
use qbh_index::Index;
use std::io::Write;

/// Arguments of `qbh compact`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Worth it after large parts of a library were removed or indexed again. Needs disk space for a second copy while it works; when it \
is interrupted, the index stays as it was.")]
pub struct Args {}

/// Compacts and prints the gain.
pub fn run(_args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    progress::silence_panics();
    let index = Index::open_existing(&context.index_dir)?;
    report_mended(index.mended(), context);
    let spinner = progress::spinner("copying the index");
    let (index, gain) = index.compact()?;
    index.refresh()?;
    spinner.finish_and_clear();
    writeln!(out, "{} before, {} after", bytes(gain.before), bytes(gain.after))?;
    Ok(Status::Done)
}
