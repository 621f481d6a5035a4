//! What `qbh train embedder` can learn from beside melodies: pairs of hums and songs, and the songs of an index.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use qbh::library::listen::listen;
use qbh_index::Index;
use qbh_models::extractor::Extractor;
use qbh_training::embedder::{Hummed, Melody};
use serde::Deserialize;

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
/// Rows whose files cannot be heard are left out and named.
pub fn pairs(path: &Path, extractor: &dyn Extractor) -> Result<Vec<Hummed>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path)?;
    let base = path.parent().unwrap_or(Path::new("."));
    let mut heard: HashMap<PathBuf, Option<Vec<f32>>> = HashMap::new();
    let mut contour = |file: &str| {
        let file = base.join(file);
        let of = |file: &Path| match listen(file, extractor) {
            Ok(found) => found.pieces.into_iter().next().map(|piece| piece.contour.pitch),
            Err(error) => {
                eprintln!("{}: left out: {error}", file.display());
                None
            }
        };
        heard.entry(file.clone()).or_insert_with(|| of(&file)).clone()
    };
    let (mut hummed, mut groups) = (Vec::new(), HashMap::new());
    for (i, row) in reader.deserialize().enumerate() {
        let Row { hum, song, start, end } = row.with_context(|| format!("row {} is not hum,song,start,end", i + 2))?;
        if !(start >= 0.0 && end > start && end.is_finite()) {
            bail!("row {}: {start} to {end} s is no section of a song", i + 2);
        }
        let next = groups.len() as i64;
        // Below zero: the groups of melodies are not.
        let group = -1 - *groups.entry(song.clone()).or_insert(next);
        if let (Some(hum), Some(song)) = (contour(&hum), contour(&song)) {
            hummed.push(Hummed { hum, song, section: start..end, group });
        }
    }
    ensure!(!hummed.is_empty(), "no row with a hum and a song that can be heard");
    Ok(hummed)
}

/// The songs of an index, each a tune of its own.
pub fn from_index(dir: &Path) -> Result<Vec<Melody>> {
    let index = Index::open_existing(dir)?;
    let mut melodies = Vec::new();
    for song in index.songs() {
        let song = song?;
        if let Some(contour) = index.contour(song.id)? {
            melodies.push(Melody::of_contour(contour, FIRST_SONG - melodies.len() as i64));
        }
    }
    ensure!(!melodies.is_empty(), "it holds no song");
    Ok(melodies)
}
