//! `qbh demo`: the whole way from songs to an answer, on music that qbh makes itself.

use super::context::Context;
use super::format::{count, semitones};
use super::wav::write_wav;
use super::{Status, index, progress, query};
use anyhow::{Context as _, Result};
use qbh_index::Index;
use qbh_models::Note;
use qbh_synthesis::demo::{demo_hum, demo_songs};
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `qbh demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing is downloaded: melodies, voices, instruments and the hum are synthesised. The index of the demo is its own.")]
pub struct Args {
    /// Where songs, hum, index and plot go
    #[arg(long, value_name = "DIR", default_value = "demo")]
    dir: PathBuf,
}

const SONGS: usize = 12;
const SEED: u64 = 7;
/// The song that is hummed, where the hum begins (share of its notes), and how much of it is hummed, seconds.
const HUMMED: usize = 4;
const FROM: f32 = 0.35;
const SECONDS: f32 = 11.0;

/// Makes the music, indexes it, asks for the hum.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let library = args.dir.join("songs");
    std::fs::create_dir_all(&library).with_context(|| format!("cannot make folder {}", library.display()))?;
    let spinner = progress::spinner("composing, singing and mixing the songs");
    let songs = demo_songs(SONGS, SEED);
    for song in &songs {
        write_wav(&library.join(format!("{} - {}.wav", song.artist, song.title)), &song.samples, song.rate)?;
    }
    let hummed = &songs[HUMMED];
    let hum = demo_hum(&passage(&hummed.notes), SEED);
    let hum_file = args.dir.join("hum.wav");
    write_wav(&hum_file, &hum.samples, hum.rate)?;
    spinner.finish_and_clear();
    writeln!(out, "Made {} in {}.", count(songs.len(), "song"), library.display())?;
    writeln!(
        out,
        "Hummed a part of \"{}\" into {}: {} semitones off its key, {:.2} times as fast, in a noisy room.\n",
        hummed.title,
        hum_file.display(),
        semitones(hum.transposition),
        hum.tempo,
    )?;

    // Made anew each time: an index of an older demo may be that of older models.
    let context = Context { index_dir: args.dir.join("demo-index"), ..context.clone() };
    if Index::exists(&context.index_dir) {
        std::fs::remove_dir_all(&context.index_dir).with_context(|| format!("cannot remove {}", context.index_dir.display()))?;
    }
    writeln!(out, "$ qbh index {}", library.display())?;
    index::run(&index::Args::of(library), &context, out)?;

    let plot = args.dir.join("match.svg");
    writeln!(out, "\n$ qbh query {} --plot {}", hum_file.display(), plot.display())?;
    let answered = query::answer_all(&query::Args::of(hum_file, Some(plot)), &context, out)?;
    let found = answered.iter().any(|a| a.first.as_ref().is_some_and(|key| key.contains(&hummed.title)));
    if !found {
        writeln!(out, "\nThat is not the song that was hummed, \"{}\".", hummed.title)?;
        return Ok(Status::NotConfident);
    }
    writeln!(
        out,
        "\nThat is the song. Now your own music:\n  qbh index ~/Music\n  qbh query hum.wav      a recording of you, 8 to 12 s"
    )?;
    Ok(Status::Done)
}

/// The notes of a song that are hummed, beginning after a breath where there is one near.
fn passage(notes: &[Note]) -> Vec<Note> {
    let from = (FROM * notes.len() as f32) as usize;
    let rest = |i: &usize| notes[*i].onset - notes[i - 1].offset() > 0.15;
    let first = (from.max(1)..notes.len() / 2).find(rest).unwrap_or(from);
    let begin = notes.get(first).map_or(0.0, |note| note.onset);
    notes.iter().skip(first).take_while(|note| note.onset < begin + SECONDS).copied().collect()
}
