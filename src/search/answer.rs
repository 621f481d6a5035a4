//! What comes of a search.

use std::time::Duration;

use qbh_index::{Song, SongId};

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
    /// The song, with its tags.
    pub song: Song,
    /// Songs that are the same recording.
    pub copies: Vec<Song>,
    /// Its contour: MIDI pitch per 100 ms, 0 = unvoiced.
    pub contour: Vec<f32>,
    /// What songs are ranked by: deviation of the votes plus weighted alignment and log-odds of the reranker.
    pub score: f32,
    /// Probability that this is the song that was hummed, 0..=1.
    pub confidence: f32,
    /// Where hum and song belong together.
    pub placement: Placement,
}

/// A hum laid beside a song. Times in seconds from the beginning of hum and song.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
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
