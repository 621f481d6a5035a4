//! `qbh list`: the songs of the index.

use super::context::Context;
use super::format::clock;
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
struct JsonSong<'a> {
    schema: &'static str,
    id: u64,
    song: &'a str,
    file: &'a str,
    title: Option<&'a str>,
    artist: Option<&'a str>,
    album: Option<&'a str>,
    duration: Option<f64>,
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
            serde_json::to_writer(&mut *out, &json(song)).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    } else if songs.is_empty() {
        context.say("no songs");
    } else {
        table(&songs).write(out)?;
    }
    Ok(Status::Done)
}

fn json(song: &Song) -> JsonSong<'_> {
    JsonSong {
        schema: "qbh.song/1",
        id: song.id.0,
        song: &song.key,
        file: &song.file,
        title: song.tags.title.as_deref(),
        artist: song.tags.artist.as_deref(),
        album: song.tags.album.as_deref(),
        duration: song.tags.duration,
    }
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
