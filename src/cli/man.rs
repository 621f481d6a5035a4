//! `qbh man`: the manual pages.

use super::Status;
use anyhow::Context as _;
use clap::Command;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `qbh man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  qbh man | man -l -
  qbh man --dir ~/.local/share/man/man1")]
pub struct Args {
    /// Write qbh.1 and a page per subcommand into this folder, instead of qbh.1 to standard output
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints or writes the pages.
pub fn run(args: &Args, command: Command, out: &mut dyn Write) -> anyhow::Result<Status> {
    match &args.dir {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            out.write_all(&page)?;
        }
        Some(dir) => {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot make folder {}", dir.display()))?;
            clap_mangen::generate_to(command, dir)
                .with_context(|| format!("cannot write manual pages into {}", dir.display()))?;
        }
    }
    Ok(Status::Done)
}
