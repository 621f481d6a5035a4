//! What a search reads: a picture of the index at one moment.
//!
//! - `score`: all products of hum windows with song windows

mod score;

use std::sync::Arc;

use crate::scan::ScanFile;
use crate::store::Store;
use crate::{Error, Result, Song, SongId};

/// A read-only, memory-mapped picture of the index. Songs are ordinals `0..len()` here, in order of id. Cheap to clone; stays
/// as it is when the index changes.
#[derive(Clone)]
pub struct Snapshot {
    scan: Arc<ScanFile>,
    store: Arc<Store>,
}

/// A window of a hum.
#[derive(Debug, Clone, Copy)]
pub struct QueryWindow<'a> {
    /// Length in contour steps.
    pub steps: u16,
    /// Hops from the beginning of the hum.
    pub position: u16,
    /// Its embedding, as long as the index's dimension.
    pub vector: &'a [f32],
}

/// Scores of one song: every hum window of one length against every song window of one length.
#[derive(Debug, Clone, Copy)]
pub struct PairScores<'a> {
    /// Length of the hum windows in steps.
    pub hum_steps: u16,
    /// Which of the index's levels the song windows are.
    pub level: usize,
    /// Positions of the hum windows, in the order they were given.
    pub hum_positions: &'a [u16],
    /// Positions of the song windows, ascending.
    pub song_positions: &'a [u16],
    /// Dot products, row-major: one row per hum window, one column per song window.
    pub scores: &'a [f32],
}

impl Snapshot {
    pub(crate) fn new(scan: ScanFile, store: Arc<Store>) -> Snapshot {
        Snapshot { scan: Arc::new(scan), store }
    }

    pub(crate) fn scan(&self) -> &ScanFile {
        &self.scan
    }

    /// Number of songs.
    pub fn len(&self) -> usize {
        self.scan.songs() as usize
    }

    /// Whether there is no song.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of vectors of all levels.
    pub fn vectors(&self) -> usize {
        (0..self.scan.levels()).map(|level| self.scan.rows(level) as usize).sum()
    }

    /// Window lengths of the levels, in steps, ascending: what [`PairScores::level`] counts.
    pub fn levels(&self) -> Vec<u16> {
        (0..self.scan.levels()).map(|level| self.scan.steps(level)).collect()
    }

    /// Length of a vector.
    pub fn dimension(&self) -> usize {
        self.scan.dimension()
    }

    /// Id of the song at an ordinal.
    pub fn song_id(&self, ordinal: u32) -> Option<SongId> {
        self.scan.song_id(ordinal)
    }

    /// The song at an ordinal.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not there any more.
    pub fn song(&self, ordinal: u32) -> Result<Song> {
        let song = self.song_id(ordinal).map(|id| self.store.song(id)).transpose()?.flatten();
        song.ok_or_else(|| gone(ordinal))
    }

    /// The contour of the song at an ordinal: MIDI pitch per 100 ms, 0 = unvoiced.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not there any more.
    pub fn contour(&self, ordinal: u32) -> Result<Vec<f32>> {
        let contour = self.song_id(ordinal).map(|id| self.store.contour(id)).transpose()?.flatten();
        contour.ok_or_else(|| gone(ordinal))
    }

    /// Ordinal of a song; `None` if it is not in this picture.
    pub fn ordinal(&self, id: SongId) -> Option<u32> {
        self.scan.ordinal(id)
    }

    /// Refuses windows that would be answered with nonsense.
    pub(crate) fn validate(&self, queries: &[QueryWindow<'_>]) -> Result<()> {
        for query in queries {
            if query.vector.len() != self.dimension() {
                return Err(Error::InvalidQuery(format!("a vector has {} values, not {}", query.vector.len(), self.dimension())));
            }
            if !query.vector.iter().all(|x| x.is_finite()) {
                return Err(Error::InvalidQuery("a vector holds a value that is not finite".to_string()));
            }
        }
        Ok(())
    }
}

fn gone(ordinal: u32) -> Error {
    Error::Damaged(format!("song {ordinal} of the snapshot is gone from the store"))
}

/// Whether a hum window of `hum` steps is compared with song windows of `song` steps: 0.5 <= song / hum <= 2, the tempo
/// differences that are searched.
pub(crate) fn comparable(hum: u16, song: u16) -> bool {
    let (hum, song) = (u32::from(hum), u32::from(song));
    hum <= 2 * song && song <= 2 * hum
}
