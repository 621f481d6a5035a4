//! Symbolic music in: the melodies of MIDI, MusicXML, ABC, **kern and melody JSON lines, as notes in seconds.
//!
//! Every format goes the same way: its reader finds the one part (track, voice, spine) that is the melody, makes it
//! monophonic ([`skyline`]), and turns ticks or beats into seconds ([`tempo`]). Notation without a tempo mark is played at
//! [`NOTATION_QPM`]; MIDI without one at 120, as its standard says. All readers take arbitrary bytes: they answer with
//! melodies or with an error, in memory bounded by the limits below.

mod abc;
mod choose;
mod error;
mod json_lines;
mod kern;
mod midi;
mod musicxml;
mod names;
mod tempo;
mod text;

#[cfg(test)]
mod tests;

pub use error::SymbolicError;

pub use qbh_models::notes::NOTATION_QPM;
use qbh_models::notes::{Note, Span, skyline};
use std::path::Path;

/// Most notes in one melody, and in all parts of one file that holds one melody.
const MAX_NOTES: usize = 1_000_000;
/// Most melodies in one file, and most notes in all of them.
const MAX_MELODIES: usize = 200_000;
const MAX_TOTAL_NOTES: usize = 20_000_000;
/// Longest melody: anything longer is a damaged file.
const MAX_SECONDS: f64 = 12.0 * 3600.0;

/// One melody of a symbolic file.
#[derive(Debug, Clone, PartialEq)]
pub struct Melody {
    /// What the file calls it: the `X:` number of an ABC tune, the `id` of a JSON line. `None` in formats that hold one melody.
    pub id: Option<String>,
    /// Title, where the file tells.
    pub title: Option<String>,
    /// Composer or artist, where the file tells.
    pub artist: Option<String>,
    /// The notes, sorted by onset, in seconds from the start of the piece.
    pub notes: Vec<Note>,
}

/// The formats read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Standard MIDI file 0, 1 or 2, also karaoke and RIFF (.mid, .midi, .kar).
    Midi,
    /// MusicXML, partwise or timewise, plain or compressed (.musicxml, .xml, .mxl).
    MusicXml,
    /// ABC 2.1, one or many tunes (.abc).
    Abc,
    /// Humdrum **kern (.krn).
    Kern,
    /// One JSON object per line, `{"id", "unit": "sec" | "quarter", "notes": [[onset, duration, midi], ...]}`, plain or gzip.
    JsonLines,
}

/// No score that is read is larger, bytes.
pub(crate) const LARGEST_FILE: u64 = 256 << 20;

impl Format {
    /// Largest file read.
    fn max_file_bytes(self) -> u64 {
        match self {
            Format::JsonLines => LARGEST_FILE,
            _ => 64 << 20,
        }
    }

    /// The format a path's extension stands for.
    pub fn of(path: &Path) -> Option<Format> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        if name.ends_with(".jsonl.gz") {
            return Some(Format::JsonLines);
        }
        Some(match name.rsplit_once('.')?.1 {
            "mid" | "midi" | "kar" => Format::Midi,
            "musicxml" | "xml" | "mxl" => Format::MusicXml,
            "abc" => Format::Abc,
            "krn" => Format::Kern,
            "jsonl" => Format::JsonLines,
            _ => return None,
        })
    }
}

/// Whether [`read`] takes files of this extension.
pub fn is_symbolic(path: &Path) -> bool {
    Format::of(path).is_some()
}

/// The melodies of a file, at least one; the format is told by the extension.
pub fn read(path: &Path) -> Result<Vec<Melody>, SymbolicError> {
    let extension = || path.extension().unwrap_or_default().to_string_lossy().into_owned();
    let format = Format::of(path).ok_or_else(|| SymbolicError::UnknownFormat(extension()))?;
    let size = std::fs::metadata(path)?.len();
    let limit = format.max_file_bytes();
    if size > limit {
        let (what, limit) = (format!("a file of {} MiB", size >> 20), format!("{} MiB", limit >> 20));
        return Err(SymbolicError::TooLarge { what, limit });
    }
    parse(format, &std::fs::read(path)?)
}

/// The melodies of a file's bytes, at least one, each with at least one note.
pub fn parse(format: Format, bytes: &[u8]) -> Result<Vec<Melody>, SymbolicError> {
    match format {
        Format::Midi => midi::parse(bytes).map(|m| vec![m]),
        Format::MusicXml => musicxml::parse(bytes).map(|m| vec![m]),
        Format::Abc => abc::parse(&text::decode(bytes)),
        Format::Kern => kern::parse(&text::decode(bytes)).map(|m| vec![m]),
        Format::JsonLines => json_lines::parse(bytes),
    }
}

/// The last step of every reader: spans in seconds become notes, or an error if there are none or they are absurd.
fn to_notes(format: &'static str, mut spans: Vec<Span>) -> Result<Vec<Note>, SymbolicError> {
    spans.retain(|s| s.end > s.start && s.start >= 0.0 && (0.0..=140.0).contains(&s.pitch));
    if spans.is_empty() {
        return Err(SymbolicError::no_notes(format, "it has no notes"));
    }
    check_count(spans.len())?;
    spans.sort_by(|a, b| a.start.total_cmp(&b.start));
    let end = spans.iter().map(|s| s.end).fold(0.0, f64::max);
    if end > MAX_SECONDS {
        let what = format!("a melody of {:.0} hours", end / 3600.0);
        return Err(SymbolicError::TooLarge { what, limit: format!("{:.0} hours", MAX_SECONDS / 3600.0) });
    }
    Ok(spans.into_iter().map(Note::from).collect())
}

fn check_count(notes: usize) -> Result<(), SymbolicError> {
    if notes > MAX_NOTES {
        return Err(SymbolicError::TooLarge { what: format!("{notes} notes"), limit: format!("{MAX_NOTES} notes") });
    }
    Ok(())
}

/// For files that hold many melodies.
fn check_totals(melodies: usize, notes: usize) -> Result<(), SymbolicError> {
    if melodies > MAX_MELODIES || notes > MAX_TOTAL_NOTES {
        let what = format!("{melodies} melodies of {notes} notes");
        return Err(SymbolicError::TooLarge { what, limit: format!("{MAX_MELODIES} melodies, {MAX_TOTAL_NOTES} notes") });
    }
    Ok(())
}
