//! Symbolic music in: the melodies of MIDI, MusicXML, ABC, **kern, karaoke charts, lists of notes and melody JSON lines, as notes in seconds.
//!
//! Every format goes the same way: its reader plays what is written ([`score`]: repeats, jumps), turns ticks or beats into seconds ([`tempo`]), and
//! finds the one part (track, voice, spine) that is the melody, which is made monophonic ([`choose`], [`skyline`]). Notation without a tempo mark is played at
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
mod note_list;
mod score;
mod tempo;
mod text;
mod ultrastar;

#[cfg(test)]
mod tests;

pub use error::SymbolicError;
pub use json_lines::JsonMelodies;

pub use qbh_models::notes::NOTATION_QPM;
use qbh_models::notes::{Note, Span, skyline};
use std::io::Read;
use std::path::Path;

/// Most notes in one melody, and in all parts of one file that holds one melody.
const MAX_NOTES: usize = 1_000_000;
/// Most bars that are played.
const MAX_BARS: usize = 200_000;
/// Most melodies in one file, and most notes in all of them.
const MAX_MELODIES: usize = 200_000;
const MAX_TOTAL_NOTES: usize = 20_000_000;
/// All melodies of a file last no longer than four hours and two seconds a note: more is rests.
const MAX_TOTAL_SECONDS: f64 = 4.0 * 3600.0;
const MAX_TOTAL_SECONDS_PER_NOTE: f64 = 2.0;
/// Of notation no more notes are played than so many for each byte, and some: each is written at least once, and repeated some times.
const MAX_NOTES_PER_BYTE: usize = 20;
const FEWEST_MOST_NOTES: usize = 10_000;
/// Longest melody: anything longer is a damaged file.
const MAX_SECONDS: f64 = 4.0 * 3600.0;
/// A melody lasts no longer than this and so many seconds for each of its notes: what is longer is rests, which would fill the index.
const MAX_REST: f64 = 300.0;
const MAX_SECONDS_PER_NOTE: f64 = 30.0;

/// One melody of a symbolic file.
#[derive(Debug, Clone, PartialEq)]
pub struct Melody {
    /// What the file calls it: the `X:` number of an ABC tune, the `id` of a JSON line. `None` in formats that hold one melody.
    pub id: Option<String>,
    /// Title, where the file tells.
    pub title: Option<String>,
    /// Composer or artist, where the file tells.
    pub artist: Option<String>,
    /// Which of several parts it is, and by what it was found.
    pub part: Option<String>,
    /// The notes, sorted by onset, in seconds from the start of the piece.
    pub notes: Vec<Note>,
}

/// The formats read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Standard MIDI file 0, 1 or 2, also karaoke and RIFF (.mid, .midi, .kar, .smf, .rmi).
    Midi,
    /// MusicXML, partwise or timewise, plain or compressed (.musicxml, .xml, .mxl).
    MusicXml,
    /// ABC 2.1, one or many tunes (.abc).
    Abc,
    /// Humdrum **kern (.krn).
    Kern,
    /// One JSON object per line, `{"id", "unit": "sec" | "quarter", "notes": [[onset, duration, midi], ...]}`, plain or gzip.
    JsonLines,
    /// UltraStar karaoke chart (.txt).
    UltraStar,
    /// Rows of onset, end or duration, and pitch, or of MIDI events (.csv, .tsv, .txt).
    NoteList,
}

/// Bytes by which text files are told from one another.
const HEAD_BYTES: u64 = 8 << 10;

/// No score that is read is larger, bytes.
pub(crate) const LARGEST_FILE: u64 = 256 << 20;

impl Format {
    /// Largest file read.
    fn max_file_bytes(self) -> u64 {
        match self {
            Format::JsonLines => LARGEST_FILE,
            Format::UltraStar | Format::NoteList => 16 << 20,
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
            "mid" | "midi" | "kar" | "smf" | "rmi" => Format::Midi,
            "musicxml" | "xml" | "mxl" => Format::MusicXml,
            "abc" => Format::Abc,
            "krn" => Format::Kern,
            "jsonl" => Format::JsonLines,
            _ => return None,
        })
    }
}

impl Format {
    /// The format of a file: by its extension, and of text files, which may be anything, by their beginning.
    pub fn of_file(path: &Path) -> Option<Format> {
        if let Some(format) = Format::of(path) {
            return Some(format);
        }
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        if !matches!(extension.as_str(), "txt" | "csv" | "tsv") {
            return None;
        }
        let mut head = Vec::new();
        let file = std::fs::File::open(path).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        file.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
        Format::of_text(&head)
    }

    /// The format of a text that begins so, if it is a karaoke chart or a list of notes.
    pub fn of_text(head: &[u8]) -> Option<Format> {
        let mut text = text::decode(head);
        if head.len() as u64 == HEAD_BYTES {
            // The last line may be cut off.
            text.truncate(text.rfind('\n').unwrap_or(0));
        }
        if ultrastar::is_chart(&text) {
            return Some(Format::UltraStar);
        }
        note_list::is_list(&text).then_some(Format::NoteList)
    }
}

/// Whether [`read`] takes a file: by its extension, and if it is a text by its beginning too.
pub fn is_symbolic(path: &Path) -> bool {
    Format::of_file(path).is_some()
}

/// The melodies of a file, at least one.
pub fn read(path: &Path) -> Result<Vec<Melody>, SymbolicError> {
    let format = format_of(path)?;
    parse(format, &std::fs::read(path)?)
}

/// The melodies of a file one after the other, so that of a file of many no more than one is held.
///
/// # Errors
/// What keeps the file from being read; what is wrong within it is an error of the sequence.
pub fn read_each(path: &Path) -> Result<Box<dyn Iterator<Item = Result<Melody, SymbolicError>>>, SymbolicError> {
    match format_of(path)? {
        Format::JsonLines => Ok(Box::new(JsonMelodies::new(std::fs::File::open(path)?)?)),
        format => Ok(Box::new(parse(format, &std::fs::read(path)?)?.into_iter().map(Ok))),
    }
}

/// The format of a file that is not too large.
fn format_of(path: &Path) -> Result<Format, SymbolicError> {
    let extension = || path.extension().unwrap_or_default().to_string_lossy().into_owned();
    let format = Format::of_file(path).ok_or_else(|| SymbolicError::UnknownFormat(extension()))?;
    let size = std::fs::metadata(path)?.len();
    let limit = format.max_file_bytes();
    if size > limit {
        let (what, limit) = (format!("a file of {} MiB", size >> 20), format!("{} MiB", limit >> 20));
        return Err(SymbolicError::TooLarge { what, limit });
    }
    Ok(format)
}

/// The melodies of a file's bytes, at least one, each with at least one note.
pub fn parse(format: Format, bytes: &[u8]) -> Result<Vec<Melody>, SymbolicError> {
    match format {
        Format::Midi => midi::parse(bytes),
        Format::MusicXml => musicxml::parse(bytes).map(|m| vec![m]),
        Format::Abc => abc::parse(&text::decode(bytes)),
        Format::Kern => kern::parse(&text::decode(bytes)).map(|m| vec![m]),
        Format::JsonLines => json_lines::parse(bytes),
        Format::UltraStar => ultrastar::parse(bytes).map(|m| vec![m]),
        Format::NoteList => note_list::parse(&text::decode(bytes)).map(|m| vec![m]),
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
    let most = MAX_SECONDS.min(MAX_REST + MAX_SECONDS_PER_NOTE * spans.len() as f64);
    if end > most {
        let length = if end >= 7200.0 { format!("{:.0} hours", end / 3600.0) } else { format!("{:.0} minutes", end / 60.0) };
        let what = format!("a melody of {} notes that lasts {length}", spans.len());
        return Err(SymbolicError::TooLarge { what, limit: format!("{:.0} minutes for so many notes", most / 60.0) });
    }
    Ok(spans.into_iter().map(Note::from).collect())
}

fn check_count(notes: usize) -> Result<(), SymbolicError> {
    if notes > MAX_NOTES {
        return Err(SymbolicError::TooLarge { what: format!("{notes} notes"), limit: format!("{MAX_NOTES} notes") });
    }
    Ok(())
}

/// What the melodies of a file that holds many have in all.
struct Totals {
    most_notes: usize,
    melodies: usize,
    notes: usize,
    seconds: f64,
}

impl Default for Totals {
    fn default() -> Self {
        Totals { most_notes: MAX_TOTAL_NOTES, melodies: 0, notes: 0, seconds: 0.0 }
    }
}

impl Totals {
    /// For notation of so many bytes, whose repeats make more of it.
    fn of_notation(bytes: usize) -> Self {
        let most = bytes.saturating_mul(MAX_NOTES_PER_BYTE).saturating_add(FEWEST_MOST_NOTES);
        Totals { most_notes: most.min(MAX_TOTAL_NOTES), ..Totals::default() }
    }

    /// Counts a melody; one too many is an error.
    fn add(&mut self, melody: &Melody) -> Result<(), SymbolicError> {
        self.melodies += 1;
        self.notes += melody.notes.len();
        self.seconds += melody.notes.last().map_or(0.0, |note| f64::from(note.offset()));
        let most_seconds = MAX_TOTAL_SECONDS + MAX_TOTAL_SECONDS_PER_NOTE * self.notes as f64;
        if self.melodies > MAX_MELODIES || self.notes > self.most_notes || self.seconds > most_seconds {
            let what = format!("{} melodies of {} notes that last {:.0} hours", self.melodies, self.notes, self.seconds / 3600.0);
            let limit = format!("{MAX_MELODIES} melodies, {} notes, {:.0} hours", self.most_notes, most_seconds / 3600.0);
            return Err(SymbolicError::TooLarge { what, limit });
        }
        Ok(())
    }
}
