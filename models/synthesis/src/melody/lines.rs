//! Melody files: JSON lines, plain or gzip, one melody a line:
//! `{"src": ..., "unit": "sec" | "quarter", "group": ..., "notes": [[onset, duration, MIDI pitch], ...]}`; `src` and `group` are optional.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use qbh_models::{ModelError, Note};

/// A line of a melody file.
#[derive(Debug, Deserialize)]
pub struct Line {
    /// Where the melody is from.
    #[serde(default)]
    pub src: String,
    /// What times are given in.
    pub unit: Unit,
    /// Melodies of equal group are versions of one tune.
    pub group: Option<i64>,
    notes: Vec<(f32, f32, f32)>,
}

/// What times are given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Seconds.
    Sec,
    /// Quarter notes: the tempo is free.
    Quarter,
}

impl Line {
    /// The notes as they are written, in the line's unit.
    pub fn notes(&self) -> impl Iterator<Item = Note> + '_ {
        self.notes.iter().map(|&(onset, duration, pitch)| Note { onset, duration, pitch })
    }
}

/// Hands every line to `take`, which may refuse it.
///
/// # Errors
/// The file cannot be read, or a line is no melody or is refused: which one, and why.
pub fn read(path: &Path, mut take: impl FnMut(Line) -> Result<(), String>) -> Result<(), ModelError> {
    let io = |source| ModelError::Io { path: path.to_path_buf(), source };
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let packed = file.fill_buf().map_err(io)?.starts_with(&[0x1f, 0x8b]);
    let reader: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    for (number, line) in BufReader::new(reader).lines().enumerate() {
        let line = line.map_err(io)?;
        if line.trim().is_empty() {
            continue;
        }
        let taken = serde_json::from_str(&line).map_err(|e| e.to_string()).and_then(&mut take);
        taken.map_err(|reason| ModelError::Training(format!("{}:{}: {reason}", path.display(), number + 1)))?;
    }
    Ok(())
}
