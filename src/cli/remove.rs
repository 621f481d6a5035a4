//! `qbh remove`: forgets songs.

use super::context::Context;
use super::format::count;
use super::json::write_line;
use super::{Status, complain, list, progress, report_mended, select};
use anyhow::{Result, bail};
use qbh_index::{Index, Song};
use serde::Serialize;
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

/// Arguments of `qbh remove`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The music files themselves are left alone. A removed file that is still there is indexed again by the next `qbh index` of its \
folder; a single song removed from a file of several stays away until the file changes.

Examples:
  qbh remove ~/Music/podcasts
  qbh remove \"Yesterday\"
  qbh remove 17")]
pub struct Args {
    /// Songs by number, path or full title; files or folders by path
    #[arg(required = true, value_name = "SONG|PATH")]
    songs: Vec<String>,
    /// Print one JSON object for each of them (docs/json.md)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct JsonRemoved<'a> {
    schema: &'static str,
    wanted: &'a str,
    removed: Option<usize>,
}

/// Removes and prints what was removed.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    progress::silence_panics();
    let index = Index::open_existing(&context.index_dir)?;
    report_mended(index.mended(), context);
    let mut status = Status::Done;
    for wanted in &args.songs {
        let removed = remove(&index, wanted, out)?;
        // Said when it is true, whatever happens next.
        index.flush()?;
        if args.json {
            write_line(&JsonRemoved { schema: "qbh.remove/1", wanted, removed }, out)?;
        }
        match removed {
            Some(removed) if !args.json => writeln!(out, "{wanted}: {} removed", count(removed, "song"))?,
            Some(_) => {}
            None => {
                complain(format!("{wanted}: no such song, file or folder in the index; `qbh list` shows all songs"));
                status = Status::Failed;
            }
        }
    }
    index.refresh()?;
    Ok(status)
}

/// Removes what `wanted` names; how many songs went (0 of a file that had failed), `None` if it names nothing.
fn remove(index: &Index, wanted: &str, out: &mut dyn Write) -> Result<Option<usize>> {
    let paths = select::spellings(wanted);
    let below = |file: &str| paths.iter().any(|path| Path::new(file).starts_with(path));
    let files = index.files().filter(|file| file.as_ref().map_or(true, |file| below(&file.identity.path)));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    if !files.is_empty() {
        let gone: HashSet<&str> = files.iter().map(|file| file.identity.path.as_str()).collect();
        let songs = all(index)?.iter().filter(|song| gone.contains(song.file.as_str())).count();
        for file in &files {
            index.remove_file(&file.identity.path)?;
        }
        return Ok(Some(songs));
    }
    let songs = select::named(&all(index)?, wanted);
    if songs.len() > 1 {
        list::table(&songs).write(out)?;
        bail!("{wanted:?} could be any of {}; name one by its id", count(songs.len(), "song"));
    }
    songs.iter().try_for_each(|song| remove_song(index, song))?;
    Ok(Some(songs.len()).filter(|&n| n > 0))
}

fn all(index: &Index) -> Result<Vec<Song>> {
    Ok(index.songs().collect::<Result<_, _>>()?)
}

/// A file without songs left is forgotten too, unless it held several.
fn remove_song(index: &Index, song: &Song) -> Result<()> {
    if song.key == song.file {
        index.remove_file(&song.file)?;
    } else {
        index.remove_song(song.id)?;
    }
    Ok(())
}
