//! `qbh list`: the songs of the index.

use super::context::Context;
use super::format::clock;
use super::json::{JsonSong, write_line};
use super::table::Table;
use super::{Status, select};
use anyhow::Result;
use qbh_index::{Index, Song};
use serde::Serialize;
use std::io::Write;

/// Arguments of `qbh list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  qbh list
  qbh list beatles
  qbh list --json | jq -r .title")]
pub struct Args {
    /// Only songs with this text in title, artist, album or path
    text: Option<String>,
    /// One JSON object per line (docs/json.md)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct JsonListed<'a> {
    schema: &'static str,
    id: u64,
    #[serde(flatten)]
    song: JsonSong<'a>,
}

/// Prints the songs in the order of their paths.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let index = Index::open_existing(&context.index_dir)?;
    let songs = match &args.text {
        Some(text) => select::like(&index, text)?,
        None => select::all(&index)?,
    };
    if args.json {
        for song in &songs {
            write_line(&JsonListed { schema: "qbh.song/1", id: song.id.0, song: song.into() }, out)?;
        }
    } else if songs.is_empty() {
        context.say("no songs");
    } else {
        table(&songs).write(out)?;
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
