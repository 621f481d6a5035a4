//! The answer to a hum, as a table and as JSON (docs/json.md).

use super::format::{clock, duration, semitones};
use super::json::write_line;
use super::select;
use super::table::Table;
use anyhow::Result;
use console::style;
use qbh::json::QueryJson;
use qbh::search::{Answer, Match};
use qbh_index::Song;
use qbh_models::Contour;
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// Name and version of the schema of a refusal, which is that of an answer.
const SCHEMA: &str = "qbh.query/1";

/// A hum that was asked about.
pub struct Asked {
    /// What to call it.
    pub name: String,
    /// Its melody.
    pub contour: Contour,
    /// Time it took to get that.
    pub listened: Duration,
    /// How songs were looked up, as the command line calls it.
    pub search: String,
}

/// Why a hum has no answer.
#[derive(Debug, Serialize)]
pub struct Refusal {
    /// What is wrong.
    pub reason: String,
    /// What can be done; may be empty.
    pub remedy: String,
}

/// Title and artist of a song in one line.
pub fn title(song: &Song) -> String {
    let title = select::title(song);
    song.tags.artist.as_ref().map_or(title.clone(), |artist| format!("{title} – {artist}"))
}

/// Writes the ranking for a person.
pub fn write_table(answer: &Answer, out: &mut dyn Write) -> Result<()> {
    let mut table = Table::new(&[">", "title", "artist", ">score", ">confidence", ">where", ">key", ">tempo", "path"]);
    for (i, Match { song, copies, score, confidence, placement, .. }) in answer.matches.iter().enumerate() {
        table.row(vec![
            (i + 1).to_string(),
            select::title(song),
            song.tags.artist.clone().unwrap_or_default(),
            format!("{:.1}", score),
            format!("{:.0} %", 100.0 * confidence),
            format!("{}-{}", clock(placement.song_start.into()), clock(placement.song_end.into())),
            semitones(placement.key_shift),
            format!("{:.2}", placement.tempo_ratio),
            near(&song.key),
        ]);
        for copy in copies {
            let mut row = vec![String::new(); 8];
            row.push(format!("= {}", near(&copy.key)));
            table.row(row);
        }
    }
    table.write(out)?;
    if !answer.confident {
        let note = "Not sure: these are guesses. A longer hum (8 to 12 s), closer to the microphone, tells more.";
        writeln!(out, "{}", style(note).yellow())?;
    }
    Ok(())
}

/// What was heard, in a line.
pub fn summary(asked: &Asked, answer: &Answer) -> String {
    let t = answer.timings;
    format!(
        "{}: {} heard, melody in {:.0} % of it; {} songs searched in {:.0} ms (listening {:.0} ms)",
        asked.name,
        duration(asked.contour.duration()),
        100.0 * asked.contour.voiced_fraction(),
        answer.songs_searched,
        1e3 * (t.embed + t.score + t.align).as_secs_f64(),
        1e3 * asked.listened.as_secs_f64(),
    )
}

/// A path relative to the current folder where it lies below that.
fn near(path: &str) -> String {
    let here = std::env::current_dir().and_then(|dir| dir.canonicalize()).unwrap_or_default();
    Path::new(path).strip_prefix(here).map_or_else(|_| path.to_owned(), |below| below.to_string_lossy().into_owned())
}

#[derive(Serialize)]
struct JsonRefusal<'a> {
    schema: &'static str,
    query: &'a str,
    error: &'a Refusal,
}

/// Writes the answer as one line of JSON.
pub fn write_json(asked: &Asked, answer: &Answer, out: &mut dyn Write) -> Result<()> {
    write_line(&QueryJson::new(&asked.name, &asked.search, &asked.contour, asked.listened, answer), out)
}

/// Writes why there is no answer as one line of JSON.
pub fn write_refusal(query: &str, error: &Refusal, out: &mut dyn Write) -> Result<()> {
    write_line(&JsonRefusal { schema: SCHEMA, query, error }, out)
}
