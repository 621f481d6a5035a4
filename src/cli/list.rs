//! `qbh list`: the songs of the index.

use super::context::Context;
use super::format::clock;
use super::json::write_line;
use super::table::Table;
use super::{Status, select};
use anyhow::Result;
use qbh::json::ListedJson;
use qbh_index::{Outcome, Snapshot, Song};
use serde::Serialize;
use std::io::Write;

/// Arguments of `qbh list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  qbh list
  qbh list beatles
  qbh list --failed
  qbh list --json | jq -r .title")]
pub struct Args {
    /// Only songs with this text in title, artist, album or path
    text: Option<String>,
    /// Files that could not be indexed instead of songs, each with what is wrong and what to do
    #[arg(long)]
    failed: bool,
    /// One JSON object per line (docs/json.md)
    #[arg(long)]
    json: bool,
}

/// Prints the songs in the order of their paths.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let snapshot = select::snapshot(context)?;
    if args.failed {
        return list_failed(args, &snapshot, context, out);
    }
    let all = select::all(&snapshot)?;
    let songs = match &args.text {
        Some(text) => select::like(&all, text),
        None => all,
    };
    if args.json {
        for song in &songs {
            write_line(&ListedJson::from(song), out)?;
        }
    } else if songs.is_empty() {
        context.say("no songs");
    } else {
        table(&songs).write(out)?;
    }
    Ok(Status::Done)
}

#[derive(Serialize)]
struct JsonFailed<'a> {
    schema: &'static str,
    file: &'a str,
    reason: &'a str,
    remedy: &'a str,
}

/// Prints the files that could not be indexed, in the order of their paths.
fn list_failed(args: &Args, snapshot: &Snapshot, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let mut count = 0;
    for file in snapshot.files() {
        let file = file?;
        let Outcome::Failed { reason, remedy } = &file.outcome else { continue };
        let path = &file.identity.path;
        if args.text.as_ref().is_some_and(|text| !path.contains(text)) {
            continue;
        }
        count += 1;
        if args.json {
            write_line(&JsonFailed { schema: "qbh.failed/1", file: path, reason, remedy }, out)?;
        } else {
            writeln!(out, "{path}\n  {reason}; {remedy}")?;
        }
    }
    if count == 0 {
        context.say("no files have failed");
    }
    Ok(Status::Done)
}

/// Songs with their ids and paths.
pub fn table(songs: &[Song]) -> Table {
    let mut table = Table::new(&[">id", "title", "artist", ">length", "path"]);
    for song in songs {
        let length = song.tags.duration.map(clock).unwrap_or_default();
        let artist = song.tags.artist.clone().unwrap_or_default();
        table.row(vec![song.id.to_string(), select::title(song), artist, length, song.key.clone()]);
    }
    table
}
