//! The command line: one file per subcommand, arguments and printing only.

mod train;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Query by humming: index a music library, hum, and get the song.
#[derive(Debug, Parser)]
#[command(name = "qbh", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train an extractor or an embedder
    #[command(subcommand)]
    Train(train::Train),
}

/// Parses the arguments, runs the subcommand, reports errors on standard error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Train(args) => train::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("qbh: {error:#}");
            ExitCode::from(2)
        }
    }
}
