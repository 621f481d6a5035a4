//! A change of the truth as data: the journal writes it down, the store carries it out.

use serde::{Deserialize, Serialize};

use crate::SongId;
use crate::values::SongBytes;

/// What is counted. Every state of the truth has its own [`Counters::generation`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// Raised by every change.
    pub generation: u64,
    /// The generation in which songs last came or went, or their vectors changed: what a graph is made from.
    pub vectors: u64,
    /// The id that the next new song gets.
    pub next_song: u64,
}

/// One change, atomic: either all of it is there or nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// As they are afterwards.
    pub counters: Counters,
    /// Records of files by path; `None` for one that is forgotten.
    pub files: Vec<(String, Option<Vec<u8>>)>,
    /// Songs; `None` for one that is forgotten.
    pub songs: Vec<(SongId, Option<SongBytes>)>,
    /// Files that are gone, with their songs, by path; `None` for one that is forgotten for good.
    pub parked: Vec<(String, Option<Vec<u8>>)>,
}

impl Change {
    /// Bytes that are about to be written.
    pub(crate) fn bytes(&self) -> u64 {
        let song = |song: &SongBytes| song.record.len() + song.contour.len() + song.vectors.len();
        let songs: usize = self.songs.iter().filter_map(|(_, s)| s.as_ref().map(song)).sum();
        let small = |list: &[(String, Option<Vec<u8>>)]| -> usize {
            list.iter().map(|(path, bytes)| path.len() + bytes.as_ref().map_or(0, Vec::len)).sum()
        };
        (songs + small(&self.files) + small(&self.parked)) as u64
    }
}
