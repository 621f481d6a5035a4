//! What readers open: a file that shows the index at one moment.
//!
//! ```text
//! header    magic, version, identity, generation, sizes, checksums (64-byte aligned, like every section)
//! tables    song ids u64; ends of records, contours, files, parked files u64; for each level row offsets u32, scales f32, positions u16
//! texts     fingerprint, records of songs, records of files
//! contours  u16 per 100 ms
//! parked    files that are gone, with their songs
//! vectors   for each level: blocks of 16 rows; in a block, for every 4 dimensions, 16 x 4 bytes (int8 + 128)
//! ```
//! A level's rows are its windows sorted by song ordinal, then position. The file is written whole and renamed into place, so
//! readers need no lock and no write access, and go on with the one that they have when another replaces it. Header, tables and
//! texts are read and checked at every opening (they are small), a contour when it is wanted, everything by the writer and by
//! `verify`: until then a wrong byte among the vectors gives a slightly wrong score, never a crash. A file that another program cuts
//! or overwrites in place is an error, never wrong answers or the end of the process.
//!
//! - `layout`: where things are
//! - `source`: reading it
//! - `file`: what can be asked of it
//! - `write`: writing it
//! - `score`: all products of hum windows with song windows

mod file;
mod layout;
mod score;
mod source;
mod write;

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

use crate::derived::Derived;
use crate::{Error, FileRecord, Fingerprint, Result, Song, SongId, folder};

pub(crate) use file::SnapshotFile;
pub(crate) use write::write;

/// A read-only, memory-mapped picture of the index. Songs are ordinals `0..len()` here, in order of id. Cheap to clone; stays
/// as it is when the index changes.
#[derive(Clone)]
pub struct Snapshot {
    file: Arc<SnapshotFile>,
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
    /// Opens the snapshot of the index in `dir`, beside whoever writes it; takes no lock and writes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no index, [`Error::NoSnapshot`] if there is one without a snapshot that can be read:
    /// [`crate::mend`] makes one from the rest.
    pub fn open(dir: &Path) -> Result<Snapshot> {
        match SnapshotFile::open(&folder::snapshot(dir)) {
            Ok(file) => Ok(Snapshot::new(file)),
            Err(Derived::Missing) if !folder::holds_index(dir) => Err(Error::NotFound(dir.to_path_buf())),
            Err(state) => Err(Error::NoSnapshot { dir: dir.to_path_buf(), state: state.to_string() }),
        }
    }

    /// Differs when another state has been published in `dir` than before; `None` while there is none that can be read. Reads a header.
    pub fn stamp(dir: &Path) -> Option<u128> {
        SnapshotFile::stamp(&folder::snapshot(dir))
    }

    pub(crate) fn new(file: SnapshotFile) -> Snapshot {
        Snapshot { file: Arc::new(file) }
    }

    pub(crate) fn opened(&self) -> &SnapshotFile {
        &self.file
    }

    /// The folder of the index.
    pub fn dir(&self) -> &Path {
        self.file.path().parent().unwrap_or(Path::new("."))
    }

    /// What the index was made with.
    pub fn fingerprint(&self) -> &Fingerprint {
        self.file.fingerprint()
    }

    /// Refuses with [`Error::OtherModels`] unless the index was made with exactly these models and windows.
    pub fn check_models(&self, wanted: &Fingerprint) -> Result<()> {
        self.fingerprint().check(wanted, self.dir())
    }

    /// Number of songs.
    pub fn len(&self) -> usize {
        self.file.songs() as usize
    }

    /// Whether there is no song.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of vectors of all levels.
    pub fn vectors(&self) -> usize {
        (0..self.file.levels()).map(|level| self.file.rows(level) as usize).sum()
    }

    /// Window lengths of the levels, in steps, ascending: what [`PairScores::level`] counts.
    pub fn levels(&self) -> Vec<u16> {
        (0..self.file.levels()).map(|level| self.file.steps(level)).collect()
    }

    /// Length of a vector.
    pub fn dimension(&self) -> usize {
        self.file.dimension()
    }

    /// Id of the song at an ordinal.
    pub fn song_id(&self, ordinal: u32) -> Option<SongId> {
        self.file.song_id(ordinal)
    }

    /// The song at an ordinal.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] if there is no such ordinal.
    pub fn song(&self, ordinal: u32) -> Result<Song> {
        let (id, record) = self.file.record(ordinal)?;
        Ok(record.into_song(id))
    }

    /// The keys of all songs, in order of id: cheaper than the songs.
    pub fn keys(&self) -> impl Iterator<Item = Result<&str>> {
        (0..self.len() as u32).map(|ordinal| self.file.key(ordinal))
    }

    /// All songs, in order of id.
    pub fn songs(&self) -> impl Iterator<Item = Result<Song>> + '_ {
        (0..self.len() as u32).map(|ordinal| self.song(ordinal))
    }

    /// The contour of the song at an ordinal: MIDI pitch per 100 ms, 0 = unvoiced.
    ///
    /// # Errors
    /// As [`Snapshot::song`]; [`Error::SnapshotDamaged`] if its checksum is another, [`Error::SnapshotChanged`] if another program has
    /// cut or overwritten the file.
    pub fn contour(&self, ordinal: u32) -> Result<Vec<f32>> {
        self.file.contour(ordinal)
    }

    /// Ordinal of a song; `None` if it is not in this picture.
    pub fn ordinal(&self, id: SongId) -> Option<u32> {
        self.file.ordinal(id)
    }

    /// All files that were looked at, in order of path.
    pub fn files(&self) -> impl Iterator<Item = Result<FileRecord>> + '_ {
        (0..self.file.files()).map(|at| self.file.file(at))
    }

    /// What is known about a file.
    pub fn file(&self, path: &str) -> Result<Option<FileRecord>> {
        let (mut low, mut high) = (0, self.file.files());
        while low < high {
            let middle = low.midpoint(high);
            let record = self.file.file(middle)?;
            match record.identity.path.as_str().cmp(path) {
                Ordering::Equal => return Ok(Some(record)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
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

/// Whether a hum window of `hum` steps is compared with song windows of `song` steps: 0.5 <= song / hum <= 2, the tempo
/// differences that are searched.
pub(crate) fn comparable(hum: u16, song: u16) -> bool {
    let (hum, song) = (u32::from(hum), u32::from(song));
    hum <= 2 * song && song <= 2 * hum
}
