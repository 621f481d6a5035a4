//! `qbh duplicates`: songs that are the same recording, or the same tune.

use super::context::{Context, DeviceName};
use super::format::count;
use super::json::write_line;
use super::{Status, list, models, progress, select};
use anyhow::Result;
use qbh::json::SongJson;
use qbh::search::{Searcher, duplicates};
use qbh_index::{Snapshot, Song, SongId};
use qbh_models::reranker::DEFAULT_RERANKER;
use serde::Serialize;
use std::io::Write;

/// Arguments of `qbh duplicates`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Copies of a recording are found whatever their format, names and tags. With --tunes, other performances of a song are grouped with \
it as well; that takes about as long as a query for every song.

Examples:
  qbh duplicates
  qbh duplicates --tunes
  qbh duplicates --json | jq -r '.songs[1:][].file'")]
pub struct Args {
    /// Group songs with the same tune too, in whatever performance
    #[arg(long)]
    tunes: bool,
    /// One JSON object per group and line (docs/json.md)
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct JsonGroup {
    schema: &'static str,
    kind: &'static str,
    songs: Vec<SongJson>,
}

/// Prints the groups.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let snapshot = select::snapshot(context)?;
    let spinner = progress::spinner("comparing recordings");
    let recordings = duplicates::recordings(&snapshot);
    spinner.finish_and_clear();
    let recordings = recordings?;
    let mut found = print("recording", "Same recording:", &recordings, &snapshot, args, out)?;
    if args.tunes && !snapshot.is_empty() {
        let device = DeviceName::Cpu.device()?;
        let embedder = models::embedder_of(&snapshot, context, device)?;
        let reranker = models::open_reranker(DEFAULT_RERANKER, context, device)?;
        let searcher = Searcher::new(snapshot.clone(), embedder, Some(reranker));
        let bar = progress::bar(snapshot.len() as u64, "{bar:32} {pos}/{len} songs compared  {eta} left");
        let tunes = duplicates::tunes(&searcher, || bar.inc(1));
        bar.finish_and_clear();
        // Copies that no other performance belongs to have been named.
        let told = |group: &Vec<SongId>| recordings.iter().any(|copies| group.iter().all(|song| copies.contains(song)));
        let tunes: Vec<_> = tunes?.into_iter().filter(|group| !told(group)).collect();
        if !args.json && found > 0 && !tunes.is_empty() {
            writeln!(out)?;
        }
        found += print("tune", "Same tune:", &tunes, &snapshot, args, out)?;
    }
    if found == 0 {
        context.say("no song is there twice");
    } else if !args.json {
        context.say(count(found, "group"));
    }
    Ok(Status::Done)
}

/// Prints groups; how many these are.
fn print(
    kind: &'static str,
    title: &str,
    groups: &[Vec<SongId>],
    snapshot: &Snapshot,
    args: &Args,
    out: &mut dyn Write,
) -> Result<usize> {
    for (i, group) in groups.iter().enumerate() {
        let songs = group.iter().filter_map(|&id| snapshot.ordinal(id)).map(|ordinal| snapshot.song(ordinal));
        let songs: Vec<Song> = songs.collect::<Result<_, _>>()?;
        if args.json {
            let songs = songs.iter().map(SongJson::from).collect();
            write_line(&JsonGroup { schema: "qbh.duplicates/1", kind, songs }, out)?;
            continue;
        }
        writeln!(out, "{}{title}", if i > 0 { "\n" } else { "" })?;
        list::table(&songs).write(out)?;
    }
    Ok(groups.len())
}
