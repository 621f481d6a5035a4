//! What is in an index, in numbers.

use std::path::Path;

use crate::{Fingerprint, Index, Outcome, Result};

/// Numbers of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// Files known, failures included.
    pub files: usize,
    /// Files that could not be indexed.
    pub failures: usize,
    /// Songs.
    pub songs: usize,
    /// Vectors by window length: (steps, number).
    pub vectors: Vec<(u16, u64)>,
    /// Sum of the lengths of all contours, seconds.
    pub seconds: f64,
    /// DiskUse on disk.
    pub bytes: DiskUse,
    /// Number of changes of songs so far.
    pub generation: u64,
    /// What the index was made with.
    pub fingerprint: Fingerprint,
}

/// DiskUse on disk, by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskUse {
    /// The sled database.
    pub store: u64,
    /// The scan file.
    pub scan: u64,
    /// The HNSW graph.
    pub graph: u64,
}

impl Index {
    /// Counts what is in the index; reads the records of all files and songs, but no vectors.
    pub fn stats(&self) -> Result<Stats> {
        let (mut files, mut failures) = (0, 0);
        for file in self.files() {
            files += 1;
            failures += usize::from(matches!(file?.outcome, Outcome::Failed { .. }));
        }
        let mut vectors: Vec<(u16, u64)> = self.fingerprint().levels.iter().map(|l| (l.steps, 0)).collect();
        let (mut songs, mut steps) = (0, 0u64);
        for song in self.songs() {
            let song = song?;
            songs += 1;
            steps += u64::from(song.steps);
            for ((_, count), &windows) in vectors.iter_mut().zip(&song.windows) {
                *count += u64::from(windows);
            }
        }
        let bytes = DiskUse {
            store: folder_bytes(&crate::index::store_path(self.dir())),
            scan: self.scan_path().metadata().map_or(0, |m| m.len()),
            graph: folder_bytes(&self.graph_path()),
        };
        Ok(Stats {
            files,
            failures,
            songs,
            vectors,
            seconds: steps as f64 / 10.0,
            bytes,
            generation: self.stamp()?.generation,
            fingerprint: self.fingerprint().clone(),
        })
    }
}

/// Size of all files in a folder and below; what cannot be read counts nothing.
pub(super) fn folder_bytes(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(m) if m.is_dir() => folder_bytes(&entry.path()),
            Ok(m) => m.len(),
            Err(_) => 0,
        })
        .sum()
}
