//! What embedders can learn from beside melodies: real hums with the songs they are of, and the songs of an index.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use qbh_index::Index;
use qbh_models::contour::CONTOUR_STEP;
use qbh_models::extractor::Extractor;
use qbh_training::embedder::{RealHum, Tune};
use serde::Deserialize;

use super::{PassedOver, TrainError};
use crate::library::listen::listen;
use crate::search::align::{Aligner, Buffers};
use crate::search::place::lay;
use crate::search::sequence::PitchSequence;

/// Group of the first song of an index: far from those of melodies and of pairs.
const FIRST_SONG: i64 = -(1 << 40);
/// Folder beside a file of pairs in which songs are looked for too.
const SONGS: &str = "songs";
/// Share of a hum that must align with its song, for its section to be known by that.
const ALIGNED: f32 = 0.5;

/// A hum of a file of pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedHum {
    /// The hum's file, as the table has it.
    pub file: String,
    /// What was heard of it, and of what it is.
    pub hum: RealHum,
}

/// A row of a file of pairs.
#[derive(Debug, Deserialize)]
struct Row {
    #[serde(alias = "query")]
    hum: String,
    song: String,
    start: Option<f32>,
    end: Option<f32>,
}

/// Reads a CSV of hums and what they are of: `hum,song,start,end`, or `query,song` as in manifests of evaluations. Files are
/// relative to the CSV, songs also to a folder `songs` beside it; `start` and `end` are seconds in the song. Where these are
/// missing or empty, the hum is aligned with the song as a search does it, and its tempo in the aligned part is taken for that
/// of all of it; with a `start`, only what follows it is aligned, and the section begins there. Rows whose files cannot be heard
/// are passed over, and so are those whose hum does not align.
///
/// # Errors
/// A file that is no such table, and one of whose rows none can be used.
pub fn pairs(path: &Path, extractor: &dyn Extractor, passed_over: &PassedOver) -> Result<Vec<PairedHum>, TrainError> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|error| TrainError::file(path, error))?;
    let mut ear = Ear { base: path.parent().unwrap_or(Path::new(".")), extractor, passed_over, heard: HashMap::new() };
    let (mut hums, mut groups) = (Vec::new(), HashMap::new());
    for (row, number) in reader.deserialize().zip(2..) {
        let refuse = |reason: String| TrainError::Row { path: path.to_path_buf(), row: number, reason };
        let Row { hum: file, song, start, end } =
            row.map_err(|error| refuse(format!("it is not hum,song,start,end or query,song: {error}")))?;
        let from = start.unwrap_or(0.0);
        if !(from >= 0.0 && from.is_finite() && end.is_none_or(|end| end > from && end.is_finite())) {
            return Err(refuse(format!("{start:?} to {end:?} s is no section of a song")));
        }
        let next = groups.len() as i64;
        // Below zero: the groups of melodies are not.
        let group = -1 - *groups.entry(song.clone()).or_insert(next);
        let (Some(hum), Some(song)) = (ear.hum(&file), ear.song(&song)) else { continue };
        let section = match (start, end) {
            (Some(start), Some(end)) => Some(start..end),
            (None, Some(end)) => Some(0.0..end),
            (start, None) => section(&hum, &song, start),
        };
        match section {
            Some(section) => hums.push(PairedHum { file, hum: RealHum { hum, song, section, group } }),
            None => passed_over(&ear.base.join(&file), &"the hum does not align with its song"),
        }
    }
    if hums.is_empty() { Err(TrainError::nothing(path, "no row with a hum and a song that can be heard")) } else { Ok(hums) }
}

/// Hears each file once.
struct Ear<'a> {
    base: &'a Path,
    extractor: &'a dyn Extractor,
    passed_over: &'a PassedOver<'a>,
    heard: HashMap<PathBuf, Option<Vec<f32>>>,
}

impl Ear<'_> {
    fn hum(&mut self, file: &str) -> Option<Vec<f32>> {
        self.contour(self.base.join(file))
    }

    fn song(&mut self, file: &str) -> Option<Vec<f32>> {
        let (beside, among) = (self.base.join(file), self.base.join(SONGS).join(file));
        self.contour(if !beside.exists() && among.exists() { among } else { beside })
    }

    /// The contour of a file, if it can be heard.
    fn contour(&mut self, file: PathBuf) -> Option<Vec<f32>> {
        let of = |file: &PathBuf| match listen(file, self.extractor) {
            Ok(found) => found.pieces.into_iter().next().map(|piece| piece.contour.pitch),
            Err(error) => {
                (self.passed_over)(file, &error);
                None
            }
        };
        self.heard.entry(file).or_insert_with_key(of).clone()
    }
}

/// The section of the song that all of the hum is of, by alignment; from `start` on, where that is known.
fn section(hum: &[f32], song: &[f32], start: Option<f32>) -> Option<Range<f32>> {
    let seconds = hum.len() as f32 * CONTOUR_STEP as f32;
    let first = (start.unwrap_or(0.0) / CONTOUR_STEP as f32) as usize;
    let (hummed, song) = (PitchSequence::new(hum), PitchSequence::of_part(song, first..usize::MAX));
    let found = Aligner::new(&hummed.class).align(&song.class, &mut Buffers::default());
    let placed = lay(&hummed, &song, &found)?;
    let voiced = hummed.end(hummed.frames() - 1) - hummed.start(0);
    if placed.hum_end - placed.hum_start < ALIGNED * voiced {
        return None;
    }
    let begin = start.unwrap_or((placed.song_start - placed.hum_start * placed.tempo_ratio).max(0.0));
    let end = placed.song_end + (seconds - placed.hum_end) * placed.tempo_ratio;
    Some(begin..end)
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

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::Device;
    use qbh_models::extractor::{DEFAULT_EXTRACTOR, open};
    use std::fmt::Write;
    use std::sync::Mutex;

    /// Twenty notes of half a second.
    const TUNE: [f32; 20] =
        [60.0, 64.0, 62.0, 67.0, 65.0, 69.0, 60.0, 59.0, 62.0, 71.0, 72.0, 65.0, 60.0, 67.0, 64.0, 62.0, 66.0, 61.0, 58.0, 70.0];

    /// A folder with a song, and a hum of its notes 6 to 15, a fourth lower and a fifth faster.
    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(SONGS)).unwrap();
        let notes: Vec<String> = TUNE.iter().enumerate().map(|(i, p)| format!("[{},0.5,{p}]", i as f32 * 0.5)).collect();
        let line = format!("{{\"id\":\"a\",\"notes\":[{}]}}", notes.join(","));
        std::fs::write(dir.path().join(SONGS).join("tune.jsonl"), line).unwrap();
        let mut rows = String::new();
        for frame in 0..400 {
            let pitch = TUNE[6 + frame / 40] - 5.0;
            writeln!(rows, "{:.2} {:.3}", frame as f32 * 0.01, qbh_models::pitch::midi_to_hz(pitch)).unwrap();
        }
        std::fs::write(dir.path().join("hum.txt"), rows).unwrap();
        dir
    }

    fn read(dir: &Path, table: &str) -> Result<Vec<RealHum>, TrainError> {
        let path = dir.join("pairs.csv");
        std::fs::write(&path, table).unwrap();
        let hums = pairs(&path, &*open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap(), &|_, _| ())?;
        Ok(hums.into_iter().map(|paired| paired.hum).collect())
    }

    #[test]
    fn sections_are_read_or_found_by_alignment() {
        let dir = folder();
        let given = read(dir.path(), "hum,song,start,end\nhum.txt,tune.jsonl,3.0,8.0\n").unwrap();
        assert_eq!((given[0].section.clone(), given[0].group, given[0].hum.len()), (3.0..8.0, -1, 40));
        for table in ["query,song\nhum.txt,tune.jsonl\n", "hum,song,start,end\nhum.txt, tune.jsonl, 2.9,\n"] {
            let found = read(dir.path(), table).unwrap()[0].section.clone();
            assert!((found.start - 3.0).abs() < 0.3 && (found.end - 8.0).abs() < 0.5, "{table}: {found:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let dir = folder();
        let refusal = |table: &str| read(dir.path(), table).unwrap_err().to_string();
        assert!(refusal("hum,song,start,end\nhum.txt,tune.jsonl,3,2\n").contains("row 2"));
        assert!(refusal("hum,tune\nhum.txt,tune.jsonl\n").contains("row 2: it is not hum,song"));
        let told = Mutex::new(Vec::new());
        let path = dir.path().join("pairs.csv");
        std::fs::write(&path, "query,song\nabsent.wav,tune.jsonl\n").unwrap();
        let keep = |path: &Path, _: &dyn std::fmt::Display| told.lock().unwrap().push(path.to_path_buf());
        assert!(pairs(&path, &*open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap(), &keep).is_err());
        assert_eq!(*told.lock().unwrap(), [dir.path().join("absent.wav")]);
    }

    /// Real hums that are sung from the beginning of their tunes.
    #[test]
    fn hums_from_the_beginning_are_found_there() {
        let Some(table) = crate::skipped::shared_data("hums/mir_qbsh/train.csv") else { return };
        let lost = Mutex::new(0);
        let hums = pairs(&table, &*open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap(), &|_, _| *lost.lock().unwrap() += 1).unwrap();
        let first = |song: &[f32]| song.iter().position(|p| *p > 0.0).unwrap_or(0) as f32 * CONTOUR_STEP as f32;
        let early = hums.iter().filter(|p| (p.hum.section.start - first(&p.hum.song)).abs() < 2.0).count();
        let lost = lost.into_inner().unwrap();
        println!("{} hums align, {lost} do not; {early} within 2 s of the beginning", hums.len());
        assert!(hums.len() > 900 && early * 2 > hums.len(), "{} {early}", hums.len());
    }
}
