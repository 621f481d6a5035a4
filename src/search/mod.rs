//! Search: from the contour of a hum to ranked songs.
//!
//! A hum, freed of the silence around it ([`hum`]), is cut into windows ([`windows`]), these are compared with all windows of the songs (in large libraries the longest ones first, to choose songs for the others), similarities that follow each other
//! in order are added up to votes ([`votes`]), the songs whose votes stand out ([`candidates`]) are aligned with the hum ([`align`])
//! in the passages that their votes come from ([`passages`]), slowed down where it is faster than the song, and ranked by both, the first of them anew by a network that sees hum and
//! passage side by side ([`rank`]); the best are placed in time, key and tempo ([`place`]), and the first is said to be sure or not
//! ([`calibration`]).

pub mod align;
mod calibration;
mod candidates;
mod hum;
pub mod melody;
mod passages;
mod place;
pub mod practice;
mod rank;
mod searcher;
#[cfg(test)]
mod tests;
mod votes;
pub mod windows;

use std::time::Duration;

use qbh_index::SongId;
use qbh_models::ModelError;

pub use calibration::CONFIDENT;
pub use searcher::{Searcher, Voted, embed_song};

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchOptions {
    /// Matches wanted.
    pub limit: usize,
    /// How songs are proposed.
    pub stage: Stage,
    /// Songs that are aligned; up to so many songs, a library is aligned as a whole.
    pub candidates: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions { limit: 10, stage: Stage::Auto, candidates: 300 }
    }
}

impl SearchOptions {
    fn aligned(&self) -> usize {
        self.candidates.max(self.limit)
    }
}

/// How the songs worth scoring are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Exact, or coarse in a library of [`Stage::LARGE`] songs and more.
    #[default]
    Auto,
    /// All songs are scored by all windows of the hum.
    Exact,
    /// All songs are scored by the longest windows of the hum, and those that stand out by all of them.
    Coarse,
    /// Songs near the hum in the HNSW graph are scored.
    Hnsw,
}

impl Stage {
    /// Songs from which on a coarse search is worth it.
    pub const LARGE: usize = 10_000;

    /// What is done in a library of so many songs: the scan needs nothing loaded and, all windows of a hum at once, is faster than the
    /// graph up to millions of vectors.
    fn among(self, songs: usize) -> Stage {
        match self {
            Stage::Auto if songs < Stage::LARGE => Stage::Exact,
            Stage::Auto => Stage::Coarse,
            stage => stage,
        }
    }
}

/// What came of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The songs, best first.
    pub matches: Vec<Match>,
    /// Whether the first match is more likely right than wrong.
    pub confident: bool,
    /// Where the time went.
    pub timings: Timings,
    /// Songs in the index.
    pub songs_searched: usize,
    /// The songs that were aligned, in the order of their votes.
    pub candidates: Vec<SongId>,
    /// The same songs in their final order.
    pub ranking: Vec<SongId>,
}

/// A song that matches, with its alignment. Times in seconds from the beginning of song and hum.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The song.
    pub song: SongId,
    /// What songs are ranked by: deviation of the votes plus weighted alignment and log-odds of the reranker, see [`rank`].
    pub score: f32,
    /// Probability that this is the song that was hummed, 0..=1.
    pub confidence: f32,
    /// Where the matching part of the song begins.
    pub song_start: f32,
    /// Where it ends.
    pub song_end: f32,
    /// Where the matching part of the hum begins.
    pub hum_start: f32,
    /// Where it ends.
    pub hum_end: f32,
    /// Semitones by which the hum is higher than the song, octaves included.
    pub key_shift: f32,
    /// Tempo of the hum relative to the song's: above 1, the hum is faster.
    pub tempo_ratio: f32,
    /// Times that belong together, (hum, song), both ascending.
    pub path: Vec<(f32, f32)>,
}

/// Where the time of a search went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// Cutting and embedding the hum.
    pub embed: Duration,
    /// Comparing windows, votes, candidates.
    pub score: Duration,
    /// Aligning the candidates, placing the matches.
    pub align: Duration,
}

/// Why a search came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The hum has no pitch.
    #[error("no voice was heard in the hum; hum, sing or whistle closer to the microphone")]
    NoVoice,
    /// The hum is too short to tell songs apart.
    #[error("only {heard:.1} s of melody were heard; hum at least {needed:.1} s, better 8 to 12 s")]
    TooShort {
        /// Seconds with a pitch.
        heard: f32,
        /// Seconds needed.
        needed: f32,
    },
    /// There is nothing to search.
    #[error("the index holds no song; run `qbh index` on your music first")]
    EmptyIndex,
    /// The index failed.
    #[error(transparent)]
    Index(#[from] qbh_index::Error),
    /// The embedder failed.
    #[error(transparent)]
    Model(#[from] ModelError),
}
