//! Melody JSON lines, plain or gzip, one melody a line: `{"id": ..., "unit": "sec" | "quarter", "notes": [[onset, duration, MIDI pitch], ...]}`.
//!
//! `unit` is `sec` where it is missing. `title`, `artist`, `src` (where the melody is from) and `group` (equal numbers for
//! versions of one tune) are optional; where there is no `id`, `query` or `song` names the melody. Other fields are ignored.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

use super::{NOTATION_QPM, Note, Span};
use crate::ModelError;

/// Longest line.
pub const MAX_LINE_BYTES: u64 = 32 << 20;

/// A line of a melody file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MelodyLine {
    id: Option<String>,
    query: Option<String>,
    song: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Composer or artist.
    pub artist: Option<String>,
    /// Where the melody is from.
    #[serde(default)]
    pub src: String,
    /// What times are given in.
    #[serde(default)]
    pub unit: Unit,
    /// Melodies of equal group are versions of one tune.
    pub group: Option<i64>,
    /// Onset, duration and MIDI pitch of the notes, in whatever order.
    pub notes: Vec<[f64; 3]>,
}

/// What times are given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Seconds.
    #[default]
    Sec,
    /// Quarter notes: the tempo is free.
    Quarter,
}

impl Unit {
    /// Seconds of one unit, at [`NOTATION_QPM`] where it is a quarter note.
    pub fn seconds(self) -> f64 {
        match self {
            Unit::Sec => 1.0,
            Unit::Quarter => 60.0 / NOTATION_QPM,
        }
    }
}

impl MelodyLine {
    /// What the line calls its melody.
    pub fn name(&self) -> Option<&str> {
        self.id.as_deref().or(self.query.as_deref()).or(self.song.as_deref())
    }

    /// The notes in the line's unit.
    pub fn written(&self) -> impl Iterator<Item = Note> + '_ {
        self.notes.iter().map(|&[onset, duration, pitch]| Note {
            onset: onset as f32,
            duration: duration as f32,
            pitch: pitch as f32,
        })
    }

    /// The notes in seconds.
    pub fn timed(&self) -> impl Iterator<Item = Span> + '_ {
        let seconds = self.unit.seconds();
        self.notes.iter().map(move |n| Span { start: n[0] * seconds, end: (n[0] + n[1]) * seconds, pitch: n[2] })
    }
}

/// Why a file of melodies could not be read; lines are counted from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinesError {
    /// The file, or what is packed in it, cannot be read.
    #[error("line {line}: {source}")]
    Io {
        /// Where.
        line: usize,
        /// What the system or the unpacker says.
        source: std::io::Error,
    },
    /// A line is no melody.
    #[error("line {line}: {reason}")]
    Malformed {
        /// Which line.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A line is longer than [`MAX_LINE_BYTES`].
    #[error("line {line} has more than {} MiB", MAX_LINE_BYTES >> 20)]
    TooLong {
        /// Which line.
        line: usize,
    },
    /// All lines are more than was asked for.
    #[error("the unpacked file has more than {} MiB", limit >> 20)]
    TooLarge {
        /// The limit, bytes.
        limit: u64,
    },
}

/// The lines of a file, one after the other, with their numbers (from 1); empty ones are left out. Ends after an error.
pub struct MelodyLines<'a> {
    reader: BufReader<Box<dyn Read + 'a>>,
    line: Vec<u8>,
    number: usize,
    bytes: u64,
    limit: u64,
    failed: bool,
}

impl MelodyLines<'static> {
    /// Opens a file, plain or gzip; its errors name it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(path: &Path) -> Result<impl Iterator<Item = Result<(usize, MelodyLine), ModelError>> + use<>, ModelError> {
        let file = File::open(path).map_err(|source| ModelError::Io { path: path.to_path_buf(), source })?;
        let path = path.to_path_buf();
        let named = move |source: LinesError| ModelError::Melodies { path: path.clone(), source };
        let lines = MelodyLines::new(file).map_err(&named)?;
        Ok(lines.map(move |line| line.map_err(&named)))
    }
}

impl<'a> MelodyLines<'a> {
    /// From a file's bytes, plain or gzip.
    ///
    /// # Errors
    /// The beginning cannot be read.
    pub fn new(bytes: impl Read + 'a) -> Result<Self, LinesError> {
        let mut bytes = BufReader::new(bytes);
        let packed = bytes.fill_buf().map_err(|source| LinesError::Io { line: 1, source })?.starts_with(b"\x1f\x8b");
        let reader: Box<dyn Read + 'a> = if packed { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) };
        Ok(MelodyLines { reader: BufReader::new(reader), line: Vec::new(), number: 0, bytes: 0, limit: u64::MAX, failed: false })
    }

    /// Refuses to unpack more than `limit` bytes.
    pub fn at_most(self, limit: u64) -> Self {
        MelodyLines { limit, ..self }
    }

    /// The next line that is not empty.
    fn read(&mut self) -> Result<Option<MelodyLine>, LinesError> {
        loop {
            self.line.clear();
            self.number += 1;
            let line = self.number;
            let read = self.reader.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut self.line);
            let read = read.map_err(|source| LinesError::Io { line, source })? as u64;
            self.bytes += read;
            if read == 0 {
                return Ok(None);
            }
            if self.bytes > self.limit {
                return Err(LinesError::TooLarge { limit: self.limit });
            }
            if read > MAX_LINE_BYTES {
                return Err(LinesError::TooLong { line });
            }
            if !self.line.trim_ascii().is_empty() {
                let malformed = |error: serde_json::Error| LinesError::Malformed { line, reason: error.to_string() };
                return serde_json::from_slice(&self.line).map(Some).map_err(malformed);
            }
        }
    }
}

impl Iterator for MelodyLines<'_> {
    type Item = Result<(usize, MelodyLine), LinesError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.read();
        self.failed = next.is_err();
        next.transpose().map(|line| line.map(|line| (self.number, line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_are_numbered_and_the_bad_one_ends_the_file() {
        let text = "{\"id\":\"a\",\"unit\":\"quarter\",\"notes\":[[1,2,60]]}\n\n{\"song\":\"b\",\"group\":4,\"notes\":[]}\n{}\n{\"notes\":[]}";
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        let packed = packer.finish().unwrap();
        for bytes in [text.as_bytes(), &packed] {
            let lines: Vec<_> = MelodyLines::new(bytes).unwrap().collect();
            let (number, first) = lines[0].as_ref().unwrap();
            assert_eq!((*number, first.name(), first.unit), (1, Some("a"), Unit::Quarter));
            assert_eq!(first.timed().next(), Some(Span { start: 0.6, end: 3.0 * 0.6, pitch: 60.0 }));
            assert_eq!(first.written().next(), Some(Note { onset: 1.0, duration: 2.0, pitch: 60.0 }));
            let (number, second) = lines[1].as_ref().unwrap();
            assert_eq!((*number, second.name(), second.unit, second.group), (3, Some("b"), Unit::Sec, Some(4)));
            assert!(lines[2].as_ref().unwrap_err().to_string().starts_with("line 4: missing field"));
            assert_eq!(lines.len(), 3);
        }
    }
}
