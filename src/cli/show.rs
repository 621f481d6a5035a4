//! `qbh show`: what the index knows about a song or a file.

use super::context::Context;
use super::format::{clock, count};
use super::json::write_line;
use super::table::printable;
use super::{Status, list, select};
use anyhow::{Result, bail};
use qbh::json::ContourJson;
use qbh_index::{Outcome, Snapshot, Song};
use qbh_models::contour::{CONTOUR_STEP, voiced_fraction};
use qbh_models::median;
use std::io::Write;
use std::path::Path;

/// Arguments of `qbh show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  qbh show \"Yesterday\"
  qbh show ~/Music/yesterday.mp3
  qbh show 17")]
pub struct Args {
    /// The song: its number in `qbh list`, its path, its title, or a part of these
    song: String,
    /// One JSON object per song and line, with its melody (docs/json.md)
    #[arg(long)]
    json: bool,
}

/// Characters across which a melody is drawn.
const WIDTH: usize = 72;

/// Prints one song, or the list of those that could be meant.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let snapshot = select::snapshot(context)?;
    let songs = select::like(&select::all(&snapshot)?, &args.song);
    match songs.as_slice() {
        [] => match failed(&snapshot, &args.song)? {
            Some(text) => writeln!(out, "{text}")?,
            None => bail!("no song is called {:?}; `qbh list` shows all", args.song),
        },
        songs if args.json => songs.iter().try_for_each(|song| print_json(&snapshot, song, out))?,
        [song] => print(&snapshot, song, out)?,
        several => {
            list::table(several).write(out)?;
            context.say(format!("{} fit; name one by its id", count(several.len(), "song")));
        }
    }
    Ok(Status::Done)
}

fn print_json(snapshot: &Snapshot, song: &Song, out: &mut dyn Write) -> Result<()> {
    write_line(&ContourJson::new(song, contour(snapshot, song)?), out)
}

fn contour(snapshot: &Snapshot, song: &Song) -> Result<Vec<f32>> {
    Ok(snapshot.ordinal(song.id).map_or(Ok(Vec::new()), |ordinal| snapshot.contour(ordinal))?)
}

fn print(snapshot: &Snapshot, song: &Song, out: &mut dyn Write) -> Result<()> {
    let contour = contour(snapshot, song)?;
    let mut line = |name: &str, value: String| {
        if value.is_empty() { Ok(()) } else { writeln!(out, "{name:<10}{}", printable(value)) }
    };
    line("title", select::title(song))?;
    line("artist", song.tags.artist.clone().unwrap_or_default())?;
    line("album", song.tags.album.clone().unwrap_or_default())?;
    line("length", song.tags.duration.map(clock).unwrap_or_default())?;
    line("path", song.key.clone())?;
    line("id", song.id.to_string())?;
    let voiced: Vec<f32> = contour.iter().copied().filter(|&pitch| pitch > 0.0).collect();
    if let (Some(low), Some(high)) = (voiced.iter().copied().reduce(f32::min), voiced.iter().copied().reduce(f32::max)) {
        let share = 100.0 * voiced_fraction(&contour);
        line("melody", format!("{share:.0} % of the time, {} to {}", note_name(low), note_name(high)))?;
    }
    line("part", part(song).unwrap_or_default())?;
    let levels = snapshot.fingerprint().levels.iter().zip(&song.windows);
    let windows = levels.map(|(level, n)| format!("{n} of {:.0} s", f64::from(level.steps) * CONTOUR_STEP));
    line("windows", windows.collect::<Vec<_>>().join(", "))?;
    if let Some(file) =
        snapshot.file(&song.file)?.filter(|file| matches!(&file.outcome, Outcome::Indexed { songs } if songs.len() > 1))
    {
        let Outcome::Indexed { songs } = file.outcome else { return Ok(()) };
        line("file", format!("{} holds {}", song.file, count(songs.len(), "song")))?;
    }
    writeln!(out, "\n{}", sketch(&contour))?;
    Ok(())
}

/// Which part of a score is its melody, read from the file, if it is still there.
fn part(song: &Song) -> Option<String> {
    let path = Path::new(&song.file);
    if !path.is_file() || !qbh::symbolic::is_symbolic(path) {
        return None;
    }
    let melodies = qbh::symbolic::read(path).ok()?;
    let member = song.key.strip_prefix(&song.file).and_then(|rest| rest.strip_prefix('#'));
    melodies.into_iter().find(|melody| member.is_none() || melody.id.as_deref() == member)?.part
}

/// What is known of a file that is not in the index.
fn failed(snapshot: &Snapshot, path: &str) -> Result<Option<String>> {
    for path in select::spellings(path) {
        if let Some(record) = snapshot.file(&path.to_string_lossy())? {
            return Ok(match record.outcome {
                Outcome::Failed { reason, remedy } => Some(format!("{}: not in the index: {reason}; {remedy}", path.display())),
                Outcome::Indexed { .. } => {
                    Some(format!("{}: its songs were removed; they come back when it changes", path.display()))
                }
            });
        }
    }
    Ok(None)
}

/// `C4` and the like of a MIDI pitch.
fn note_name(pitch: f32) -> String {
    const NAMES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
    let midi = pitch.round() as i32;
    format!("{}{}", NAMES[midi.rem_euclid(12) as usize], midi.div_euclid(12) - 1)
}

/// The melody as a line of bars: height is pitch, gaps are rests.
fn sketch(contour: &[f32]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let columns = WIDTH.min(contour.len());
    let column = |i: usize| {
        let part = &contour[i * contour.len() / columns..(i + 1) * contour.len() / columns];
        let mut voiced: Vec<f32> = part.iter().copied().filter(|&pitch| pitch > 0.0).collect();
        median(&mut voiced, f32::total_cmp)
    };
    let medians: Vec<Option<f32>> = (0..columns).map(column).collect();
    let low = medians.iter().flatten().copied().fold(f32::INFINITY, f32::min);
    let high = medians.iter().flatten().copied().fold(0.0, f32::max);
    let bar = |pitch: f32| BARS[((pitch - low) / (high - low).max(1.0) * 7.0).round().clamp(0.0, 7.0) as usize];
    medians.iter().map(|median| median.map_or(' ', bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitches_have_names() {
        assert_eq!([note_name(60.0), note_name(69.4), note_name(21.0)], ["C4", "A4", "A0"]);
    }

    #[test]
    fn a_melody_can_be_sketched() {
        assert_eq!(sketch(&[60.0, 0.0, 67.0]), "▁ █");
        assert_eq!(sketch(&[]), "");
        assert_eq!(sketch(&[64.0]), "▁");
    }
}
