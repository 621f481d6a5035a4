//! Melody JSON lines: `{"id", "unit", "notes": [[onset, duration, midi], ...]}`, one melody per line, plain or gzip.
//!
//! `unit` is `sec` (the default) or `quarter`, which is played at [`NOTATION_QPM`](super::NOTATION_QPM). `title` and
//! `artist` are optional; where there is no `id`, `query` or `song` names the melody. Other fields are ignored.

use super::{Melody, NOTATION_QPM, Span, SymbolicError, check_totals, to_notes};
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read};

const JSON_LINES: &str = "JSON lines";
/// Longest line, and most bytes a gzip file may unpack to.
const MAX_LINE_BYTES: u64 = 32 << 20;
const MAX_UNPACKED_BYTES: u64 = 512 << 20;

#[derive(Deserialize)]
struct Line {
    id: Option<String>,
    query: Option<String>,
    song: Option<String>,
    title: Option<String>,
    artist: Option<String>,
    unit: Option<String>,
    notes: Vec<[f64; 3]>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Melody>, SymbolicError> {
    let packed = bytes.starts_with(b"\x1f\x8b");
    let reader: Box<dyn Read> = if packed { Box::new(flate2::read::MultiGzDecoder::new(bytes)) } else { Box::new(bytes) };
    let mut reader = BufReader::new(reader.take(MAX_UNPACKED_BYTES + 1));
    let (mut melodies, mut total_bytes, mut total_notes) = (Vec::new(), 0, 0);
    let mut line = Vec::new();
    for number in 1.. {
        let place = format!("line {number}");
        line.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line);
        let read = read.map_err(|e| SymbolicError::malformed(JSON_LINES, &place, e.to_string()))? as u64;
        if read == 0 {
            break;
        }
        total_bytes += read;
        for (bytes, limit, what) in [(read, MAX_LINE_BYTES, &*place), (total_bytes, MAX_UNPACKED_BYTES, "the unpacked file")] {
            if bytes > limit {
                return Err(SymbolicError::TooLarge { what: what.to_string(), limit: format!("{} MiB", limit >> 20) });
            }
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let melody = parse_line(&line, &place)?;
        total_notes += melody.notes.len();
        melodies.push(melody);
        check_totals(melodies.len(), total_notes)?;
    }
    if melodies.is_empty() {
        return Err(SymbolicError::no_notes(JSON_LINES, "it has no line"));
    }
    Ok(melodies)
}

fn parse_line(line: &[u8], place: &str) -> Result<Melody, SymbolicError> {
    let malformed = |reason: String| SymbolicError::malformed(JSON_LINES, place, reason);
    let line: Line = serde_json::from_slice(line).map_err(|e| malformed(e.to_string()))?;
    let seconds = match line.unit.as_deref() {
        None | Some("sec") => 1.0,
        Some("quarter") => 60.0 / NOTATION_QPM,
        Some(other) => return Err(malformed(format!("the unit is {other:?}, not \"sec\" or \"quarter\""))),
    };
    for (i, [onset, duration, pitch]) in line.notes.iter().enumerate() {
        if *onset < 0.0 || *duration < 0.0 || !(0.0..=140.0).contains(pitch) {
            return Err(malformed(format!(
                "note {}: [{onset}, {duration}, {pitch}] is not [onset, duration, MIDI pitch]",
                i + 1
            )));
        }
    }
    let span = |n: &[f64; 3]| Span { start: n[0] * seconds, end: (n[0] + n[1]) * seconds, pitch: n[2] };
    let notes = to_notes(JSON_LINES, line.notes.iter().map(span).collect());
    let notes = notes.map_err(|e| malformed(e.to_string()))?;
    Ok(Melody { id: line.id.or(line.query).or(line.song), title: line.title, artist: line.artist, notes })
}
