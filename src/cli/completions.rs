//! `qbh completions`: what a shell needs to complete qbh's arguments.

use super::Status;
use clap::{Command, ValueEnum};
use clap_complete::Shell;
use std::io::Write;

/// Arguments of `qbh completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  qbh completions bash > ~/.local/share/bash-completion/completions/qbh
  qbh completions zsh  > \"${fpath[1]}/_qbh\"
  qbh completions fish > ~/.config/fish/completions/qbh.fish")]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args, mut command: Command, out: &mut dyn Write) -> anyhow::Result<Status> {
    // clap_complete panics when it cannot write; a buffer cannot fail, and standard output reports its own errors.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "qbh", &mut script);
    out.write_all(&script)?;
    tracing::debug!(shell = ?args.shell.to_possible_value(), bytes = script.len(), "completions written");
    Ok(Status::Done)
}
