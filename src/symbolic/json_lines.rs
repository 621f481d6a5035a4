//! Melody JSON lines, as [`qbh_models::notes::json_lines`] reads them: within limits, and every note must be one.

use super::{Melody, SymbolicError, Totals, to_notes};
use qbh_models::notes::json_lines::{LinesError, MAX_LINE_BYTES, MelodyLine, MelodyLines};
use std::io::Read;

const JSON_LINES: &str = "JSON lines";
/// Most bytes a gzip file may unpack to.
const MAX_UNPACKED_BYTES: u64 = 512 << 20;

/// The melodies of JSON lines, one after the other, so that a file of any number takes no more memory than one. Ends after an error.
pub struct JsonMelodies<'a> {
    lines: MelodyLines<'a>,
    totals: Totals,
    failed: bool,
}

impl<'a> JsonMelodies<'a> {
    /// From a file's bytes, plain or gzip.
    ///
    /// # Errors
    /// The beginning cannot be read.
    pub fn new(bytes: impl Read + 'a) -> Result<Self, SymbolicError> {
        let lines = MelodyLines::new(bytes).map_err(refuse)?.at_most(MAX_UNPACKED_BYTES);
        Ok(JsonMelodies { lines, totals: Totals::default(), failed: false })
    }

    fn read(&mut self) -> Result<Option<Melody>, SymbolicError> {
        let Some(line) = self.lines.next() else {
            return match self.totals.melodies {
                0 => Err(SymbolicError::no_notes(JSON_LINES, "it has no line")),
                _ => Ok(None),
            };
        };
        let (number, line) = line.map_err(refuse)?;
        let melody = melody(line, &format!("line {number}"))?;
        self.totals.add(&melody)?;
        Ok(Some(melody))
    }
}

impl Iterator for JsonMelodies<'_> {
    type Item = Result<Melody, SymbolicError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.read();
        self.failed = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Melody>, SymbolicError> {
    JsonMelodies::new(bytes)?.collect()
}

fn refuse(error: LinesError) -> SymbolicError {
    match error {
        LinesError::TooLong { line } => too_large(format!("line {line}"), MAX_LINE_BYTES),
        LinesError::TooLarge { limit } => too_large("the unpacked file".into(), limit),
        LinesError::Io { line, source } => SymbolicError::malformed(JSON_LINES, format!("line {line}"), source.to_string()),
        LinesError::Malformed { line, reason } => SymbolicError::malformed(JSON_LINES, format!("line {line}"), reason),
        other => SymbolicError::malformed(JSON_LINES, "the file", other.to_string()),
    }
}

fn too_large(what: String, limit: u64) -> SymbolicError {
    SymbolicError::TooLarge { what, limit: format!("{} MiB", limit >> 20) }
}

fn melody(line: MelodyLine, place: &str) -> Result<Melody, SymbolicError> {
    let malformed = |reason: String| SymbolicError::malformed(JSON_LINES, place, reason);
    for (i, [onset, duration, pitch]) in line.notes.iter().enumerate() {
        if *onset < 0.0 || *duration < 0.0 || !(0.0..=140.0).contains(pitch) {
            return Err(malformed(format!(
                "note {}: [{onset}, {duration}, {pitch}] is not [onset, duration, MIDI pitch]",
                i + 1
            )));
        }
    }
    let notes = to_notes(JSON_LINES, line.timed().collect()).map_err(|e| match e {
        SymbolicError::TooLarge { what, limit } => SymbolicError::TooLarge { what: format!("{place}: {what}"), limit },
        other => malformed(other.to_string()),
    })?;
    Ok(Melody { id: line.name().map(str::to_string), title: line.title, artist: line.artist, part: None, notes })
}
