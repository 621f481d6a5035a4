//! The command line: one file per subcommand, arguments and printing only.

mod answer;
mod compact;
mod completions;
mod context;
mod demo;
mod duplicates;
mod eval;
mod format;
mod index;
mod index_summary;
mod json;
mod list;
mod man;
mod models;
mod pitch;
mod progress;
mod query;
mod remove;
mod select;
#[cfg(feature = "serve")]
mod serve;
mod show;
mod stats;
mod table;
#[cfg(not(feature = "torch"))]
mod torch;
#[cfg(feature = "torch")]
mod train;
mod verify;
mod wav;

use anyhow::Result;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{CommandFactory, Parser, Subcommand};
use context::{Context, Globals};
use std::io::{self, Write};
use std::process::ExitCode;

/// Query by humming: index your music once, hum, and get the song.
///
/// qbh listens to a music library and writes down the melody of every song. Afterwards it finds, for any hummed, sung or whistled
/// recording, the songs of that library which contain the tune, in whatever key and tempo you hum.
///
/// Audio files (mp3, m4a, flac, ogg, opus, wav, aiff and more), scores (MIDI, MusicXML, ABC, **kern) and pitch files can all be
/// songs, and all can be hums.
#[derive(Debug, Parser)]
#[command(name = "qbh", version, styles = STYLES, after_help = EXAMPLES, subcommand_required = true)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  qbh demo                   see it work on made-up songs
  qbh index ~/Music          listen to a library; run it again after adding songs
  qbh query hum.wav          which songs hold this tune?
  qbh show \"Some Song\"       what is stored about a song

Environment: QBH_INDEX names the folder of the index as --index does; QBH_LOG sets log levels as RUST_LOG does for Rust programs; \
NO_COLOR turns colours off.

Exit status: 0 done or found, 1 nothing matched with confidence, 2 an error.";

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Yellow.on_default().bold())
    .usage(AnsiColor::Yellow.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen to a music library, or to what is new in it
    Index(index::Args),
    /// Find the songs that hold a hummed, sung or whistled tune
    Query(query::Args),
    /// Serve a page to hum at, and an HTTP API
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    /// List the songs of the index
    List(list::Args),
    /// Show what the index knows about a song
    Show(show::Args),
    /// Forget songs
    Remove(remove::Args),
    /// Tell how big the index is and what it was made with
    Stats(stats::Args),
    /// Check the index for damage
    Verify(verify::Args),
    /// Find songs that are the same recording, or the same tune
    Duplicates(duplicates::Args),
    /// Give back the space of what was changed and removed
    Compact(compact::Args),
    /// Write down the melody of recordings: pitch tracks as text, CSV, JSON, MIDI, plots
    Pitch(pitch::Args),
    /// List, describe and import models
    Models(models::Args),
    /// Make a few songs and an off-key hum, and find the song
    Demo(demo::Args),
    /// Score extractors and the search on data sets
    #[command(subcommand)]
    Eval(eval::Eval),
    /// Train an extractor, an embedder or a reranker
    #[cfg(feature = "torch")]
    #[command(subcommand)]
    Train(Box<train::Train>),
    /// Train an extractor, an embedder or a reranker (with qbh-torch)
    #[cfg(not(feature = "torch"))]
    Train(torch::Arguments),
    /// Print a completion script for your shell
    Completions(completions::Args),
    /// Print the manual page, or write all pages into a folder
    Man(man::Args),
}

impl Command {
    /// How many `-v` it has by itself: a server writes a line for each request.
    fn verbosity(&self) -> u8 {
        #[cfg(feature = "serve")]
        return u8::from(matches!(self, Command::Serve(_)));
        #[cfg(not(feature = "serve"))]
        0
    }
}

/// How a subcommand ended, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    /// Done, or found.
    Done,
    /// No song matched with confidence.
    NotConfident,
    /// What went wrong was reported already.
    Failed,
}

/// Parses the arguments, runs the subcommand, reports errors on standard error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::NotConfident) => ExitCode::from(1),
        Ok(Status::Failed) => ExitCode::from(2),
        // `qbh list | head` has what it wanted.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            #[cfg(not(feature = "torch"))]
            let error = torch::hand_over(error);
            complain(format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> Result<Status> {
    let context = Context::new(cli.globals)?;
    progress::start_logging(context.quiet, context.verbose.max(cli.command.verbosity()));
    let mut out = io::stdout().lock();
    let status = match cli.command {
        Command::Index(args) => index::run(&args, &context, &mut out),
        Command::Query(args) => query::run(&args, &context, &mut out),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args, &context),
        Command::List(args) => list::run(&args, &context, &mut out),
        Command::Show(args) => show::run(&args, &context, &mut out),
        Command::Remove(args) => remove::run(&args, &context, &mut out),
        Command::Stats(args) => stats::run(&args, &context, &mut out),
        Command::Verify(args) => verify::run(&args, &context, &mut out),
        Command::Duplicates(args) => duplicates::run(&args, &context, &mut out),
        Command::Compact(args) => compact::run(&args, &context, &mut out),
        Command::Pitch(args) => pitch::run(&args, &context, &mut out),
        Command::Models(args) => models::run(&args, &context, &mut out),
        Command::Demo(args) => demo::run(&args, &context, &mut out),
        Command::Eval(args) => eval::run(&args, &context, &mut out),
        #[cfg(feature = "torch")]
        Command::Train(args) => train::run(*args).map(|()| Status::Done),
        #[cfg(not(feature = "torch"))]
        Command::Train(_) => torch::needed("qbh train"),
        // It knows the arguments of trainings too.
        #[cfg(not(feature = "torch"))]
        Command::Completions(_) | Command::Man(_) if torch::beside().is_some() => torch::needed("all there is to say"),
        Command::Completions(args) => completions::run(&args, Cli::command(), &mut out),
        Command::Man(args) => man::run(&args, Cli::command(), &mut out),
    }?;
    out.flush()?;
    Ok(status)
}

/// Reports an error that does not end the run, on standard error.
fn complain(message: impl std::fmt::Display) {
    progress::print_line(&format!("{} {message}", console::style("qbh:").for_stderr().red().bold()));
}

/// Says what was wrong with the index and has been put right, and what has to be heard again.
fn report_mended(mended: &qbh_index::Mended, context: &Context) {
    mended.found.iter().for_each(complain);
    if !mended.restored.is_empty() {
        context.say(format!("{} put back from the other copy", format::count(mended.restored.len(), "song")));
        mended.restored.iter().for_each(|song| tracing::info!("put back: {song}"));
    }
    for path in &mended.to_hear {
        complain(format!("{path} has to be heard again: run qbh index on it"));
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }
}
