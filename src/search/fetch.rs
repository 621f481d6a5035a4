//! Fetches what is needed of the candidates, once: the song with its tags, and its contour.

use qbh_index::{Snapshot, Song};
use rayon::prelude::*;

use super::choose::Candidate;

/// A candidate with all that ranking needs of it.
#[derive(Debug, Clone)]
pub struct FetchedSong {
    /// Which it is, and how its votes stand out.
    pub candidate: Candidate,
    /// Its key and tags.
    pub song: Song,
    /// MIDI pitch per 100 ms, 0 = unvoiced.
    pub contour: Vec<f32>,
}

/// The songs of some candidates, in their order.
///
/// # Errors
/// What the index reports.
pub fn fetch(snapshot: &Snapshot, candidates: &[Candidate]) -> Result<Vec<FetchedSong>, qbh_index::Error> {
    let fetched = |&candidate: &Candidate| {
        let (song, contour) = (snapshot.song(candidate.song)?, snapshot.contour(candidate.song)?);
        Ok(FetchedSong { candidate, song, contour })
    };
    candidates.par_iter().map(fetched).collect()
}
