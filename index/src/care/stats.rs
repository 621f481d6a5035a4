//! What is in an index, in numbers.

use crate::{Fingerprint, Outcome, Result, Snapshot, folder};

/// Numbers of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// Files known, failures included.
    pub files: usize,
    /// Files that could not be indexed.
    pub failures: usize,
    /// Files that are gone and kept aside in case they come back.
    pub parked: usize,
    /// Songs.
    pub songs: usize,
    /// Vectors by window length: (steps, number).
    pub vectors: Vec<(u16, u64)>,
    /// Sum of the lengths of all contours, seconds.
    pub seconds: f64,
    /// Bytes on disk.
    pub bytes: DiskUse,
    /// Number of changes so far.
    pub generation: u64,
    /// What the index was made with.
    pub fingerprint: Fingerprint,
}

/// Bytes on disk, by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskUse {
    /// The sled database.
    pub store: u64,
    /// The snapshot.
    pub snapshot: u64,
    /// The journal.
    pub journal: u64,
    /// The HNSW graph.
    pub graph: u64,
}

impl Snapshot {
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
        let dir = self.dir();
        let bytes = DiskUse {
            store: folder::bytes(&folder::store(dir)),
            snapshot: self.opened().len(),
            journal: folder::journal(dir).metadata().map_or(0, |m| m.len()),
            graph: folder::bytes(&folder::graph(dir)),
        };
        Ok(Stats {
            files,
            failures,
            parked: self.opened().parked(),
            songs,
            vectors,
            seconds: steps as f64 / 10.0,
            bytes,
            generation: self.opened().counters().generation,
            fingerprint: self.fingerprint().clone(),
        })
    }
}
