//! What stages hand on, made up.

use qbh_index::{Song, SongId, Tags};

use crate::search::align::{Alignment, Place};
use crate::search::choose::Candidate;
use crate::search::fetch::FetchedSong;
use crate::search::locate::Passage;

/// A candidate of some key.
pub fn fetched(key: &str, z: f32) -> FetchedSong {
    let song = Song { id: SongId(0), key: key.into(), tags: Tags::default(), file: key.into(), steps: 0, windows: Vec::new() };
    FetchedSong { candidate: Candidate { song: 0, z }, song, contour: Vec::new() }
}

/// A place where a hum aligns so well.
pub fn place(score: f32, moves: f32) -> Place {
    Place { passage: Passage { start: 0, end: 1, slowed: false }, alignment: Alignment { score, shift: 0, moves } }
}
