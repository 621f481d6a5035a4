//! Melody JSON lines, as [`qbh_models::notes::json_lines`] reads them: within limits, and every note must be one.

use super::{Melody, SymbolicError, check_totals, to_notes};
use qbh_models::notes::json_lines::{LinesError, MAX_LINE_BYTES, MelodyLine, MelodyLines};

const JSON_LINES: &str = "JSON lines";
/// Most bytes a gzip file may unpack to.
const MAX_UNPACKED_BYTES: u64 = 512 << 20;

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Melody>, SymbolicError> {
    let lines = MelodyLines::new(bytes).map_err(refuse)?.at_most(MAX_UNPACKED_BYTES);
    let (mut melodies, mut total_notes) = (Vec::new(), 0);
    for line in lines {
        let (number, line) = line.map_err(refuse)?;
        let melody = melody(line, &format!("line {number}"))?;
        total_notes += melody.notes.len();
        melodies.push(melody);
        check_totals(melodies.len(), total_notes)?;
    }
    if melodies.is_empty() {
        return Err(SymbolicError::no_notes(JSON_LINES, "it has no line"));
    }
    Ok(melodies)
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
    let notes = to_notes(JSON_LINES, line.timed().collect()).map_err(|e| malformed(e.to_string()))?;
    Ok(Melody { id: line.name().map(str::to_string), title: line.title, artist: line.artist, notes })
}
