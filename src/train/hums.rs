//! What embedders can learn from beside melodies: real hums with the songs they are of, and the songs of an index.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use qbh_index::Index;
use qbh_models::extractor::Extractor;
use qbh_training::embedder::{RealHum, Tune};
use serde::Deserialize;

use super::{PassedOver, TrainError};
use crate::library::listen::listen;

/// Group of the first song of an index: far from those of melodies and of pairs.
const FIRST_SONG: i64 = -(1 << 40);

/// A row of a file of pairs.
#[derive(Debug, Deserialize)]
struct Row {
    hum: String,
    song: String,
    start: f32,
    end: f32,
}

/// Reads a CSV with the header `hum,song,start,end` (files relative to it, seconds in the song) and listens to the files.
/// Rows whose files cannot be heard are passed over.
///
/// # Errors
/// A file that is no such table, and one of whose rows none can be heard.
pub fn pairs(path: &Path, extractor: &dyn Extractor, passed_over: &PassedOver) -> Result<Vec<RealHum>, TrainError> {
    let failed = |error: csv::Error| TrainError::file(path, error);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(failed)?;
    let base = path.parent().unwrap_or(Path::new("."));
    let mut heard: HashMap<PathBuf, Option<Vec<f32>>> = HashMap::new();
    let mut contour = |file: &str| {
        let file = base.join(file);
        let of = |file: &Path| match listen(file, extractor) {
            Ok(found) => found.pieces.into_iter().next().map(|piece| piece.contour.pitch),
            Err(error) => {
                passed_over(file, &error);
                None
            }
        };
        heard.entry(file.clone()).or_insert_with(|| of(&file)).clone()
    };
    let (mut hums, mut groups) = (Vec::new(), HashMap::new());
    for (row, number) in reader.deserialize().zip(2..) {
        let refuse = |reason: String| TrainError::Row { path: path.to_path_buf(), row: number, reason };
        let Row { hum, song, start, end } = row.map_err(|error| refuse(format!("it is not hum,song,start,end: {error}")))?;
        if !(start >= 0.0 && end > start && end.is_finite()) {
            return Err(refuse(format!("{start} to {end} s is no section of a song")));
        }
        let next = groups.len() as i64;
        // Below zero: the groups of melodies are not.
        let group = -1 - *groups.entry(song.clone()).or_insert(next);
        if let (Some(hum), Some(song)) = (contour(&hum), contour(&song)) {
            hums.push(RealHum { hum, song, section: start..end, group });
        }
    }
    if hums.is_empty() { Err(TrainError::nothing(path, "no row with a hum and a song that can be heard")) } else { Ok(hums) }
}

/// The songs of an index, each a tune of its own.
///
/// # Errors
/// An index that cannot be read, or is empty.
pub fn from_index(dir: &Path) -> Result<Vec<Tune>, TrainError> {
    let index = Index::open_existing(dir)?;
    let mut melodies = Vec::new();
    for song in index.songs() {
        let song = song?;
        if let Some(contour) = index.contour(song.id)? {
            melodies.push(Tune::of_contour(contour, FIRST_SONG - melodies.len() as i64));
        }
    }
    if melodies.is_empty() { Err(TrainError::nothing(dir, "no song")) } else { Ok(melodies) }
}
