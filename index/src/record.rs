//! What is put in and what comes out: files, songs, windows.

use serde::{Deserialize, Serialize};

/// Identifies a song for as long as it is in the index; a file that is indexed again keeps the ids of its songs (by key).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SongId(pub u64);

impl std::fmt::Display for SongId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What tells whether a file has changed since it was indexed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// The path, as text.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Time of modification, nanoseconds since 1970.
    pub modified_ns: u64,
}

/// A hash of what a file sounds like, of its coded sound without tags: equal hashes, equal recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sound(pub u128);

impl std::fmt::Display for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What came of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is in the index.
    Indexed {
        /// The songs it holds, in the order they were given.
        songs: Vec<SongId>,
    },
    /// It is not, and is not tried again until it changes.
    Failed {
        /// What is wrong with it.
        reason: String,
        /// What the user can do.
        remedy: String,
    },
}

/// A file that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// The file as it was then.
    pub identity: FileIdentity,
    /// What came of it.
    pub outcome: Outcome,
    /// What it sounds like, if that is known: by it the file is recognised when it has moved or its tags have changed.
    pub sound: Option<Sound>,
}

/// What a file says about itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tags {
    /// Title.
    pub title: Option<String>,
    /// Artist.
    pub artist: Option<String>,
    /// Album.
    pub album: Option<String>,
    /// Duration, seconds.
    pub duration: Option<f64>,
}

/// A song to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSong {
    /// Name of the song within the library, unique in its file: by it a song that is indexed again keeps its id.
    pub key: String,
    /// Tags.
    pub tags: Tags,
    /// MIDI pitch per 100 ms, 0 = unvoiced, finite, below 256. Stored in steps of 1/256 semitone.
    pub contour: Vec<f32>,
    /// Its windows, one entry per level at most.
    pub levels: Vec<LevelWindows>,
}

/// The windows of one length of one song.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelWindows {
    /// Length of the windows in contour steps: one of the fingerprint's levels.
    pub steps: u16,
    /// Position of each window (hops from the beginning), ascending.
    pub positions: Vec<u16>,
    /// Their vectors one after the other, `positions.len() * dimension` values. Stored as int8 with one scale per vector.
    pub vectors: Vec<f32>,
}

/// A stored song.
#[derive(Debug, Clone, PartialEq)]
pub struct Song {
    /// Its id.
    pub id: SongId,
    /// Its key.
    pub key: String,
    /// Its tags.
    pub tags: Tags,
    /// Path of the file it came from, as text.
    pub file: String,
    /// Length of its contour in steps of 100 ms.
    pub steps: u32,
    /// Number of its windows, one entry per level of the fingerprint.
    pub windows: Vec<u32>,
}
