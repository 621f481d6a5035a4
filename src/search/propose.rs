//! Proposes the songs that are worth scoring by all windows of the hum.

use qbh_index::{FirstStage, Hnsw, Snapshot};
use qbh_models::embedder::windows::WindowVectors;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::choose::choose;
use super::embed::queries;
use super::error::SearchError;
use super::options::SearchMethod;
use super::standardize::standardize;
use super::vote::{SongVotes, vote};

/// Songs that the graph proposes for each one that is aligned.
const PROPOSED_PER_CANDIDATE: usize = 3;

/// A coarse search proposes one song in so many, but not fewer than these, or than are wanted.
const COARSE: (usize, usize) = (20, 1000);

/// Songs drawn at random that are scored beside those that were proposed: a null distribution needs unrelated ones.
const SAMPLE: usize = 256;

/// Some of the songs, by their ordinals.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// Songs that may be right.
    pub songs: Vec<u32>,
    /// Songs that tell what unrelated ones get, ascending.
    pub sample: Vec<u32>,
}

impl Proposed {
    /// All of them; some twice.
    pub fn all(&self) -> Vec<u32> {
        [&self.songs[..], &self.sample].concat()
    }
}

/// The songs worth scoring when `wanted` are to be aligned; `None` for all.
///
/// # Errors
/// What the index reports; [`SearchError::NoGraph`].
pub fn propose(
    method: SearchMethod,
    snapshot: &Snapshot,
    graph: Option<&Hnsw>,
    hum: &[WindowVectors],
    wanted: usize,
) -> Result<Option<Proposed>, SearchError> {
    let songs = match method.among(snapshot.len()) {
        SearchMethod::Auto | SearchMethod::Exact => return Ok(None),
        SearchMethod::Coarse => coarse(snapshot, hum, wanted)?,
        SearchMethod::Hnsw => {
            let graph = graph.ok_or(SearchError::NoGraph)?;
            graph.candidates(&queries(hum), wanted.saturating_mul(PROPOSED_PER_CANDIDATE))?
        }
    };
    Ok(Some(Proposed { songs, sample: sample(snapshot.len()) }))
}

/// The songs that stand out by the longest windows of the hum alone: these are few, and songs that they put far behind are put far behind
/// by shorter ones too.
fn coarse(snapshot: &Snapshot, hum: &[WindowVectors], wanted: usize) -> Result<Vec<u32>, qbh_index::Error> {
    let votes = vote(snapshot, &hum[..hum.len().min(1)], None)?;
    let votes: Vec<&SongVotes> = votes.iter().collect();
    let (one_in, least) = COARSE;
    let count = (snapshot.len() / one_in).max(least).max(wanted);
    let key = |song| snapshot.song(song).map(|song| song.key);
    let candidates = choose(&votes, &standardize(&votes, |_| true), count, key)?;
    Ok(candidates.into_iter().map(|candidate| candidate.song).collect())
}

/// The same random songs for every hum, ascending.
fn sample(songs: usize) -> Vec<u32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let drawn = rand::seq::index::sample(&mut rng, songs, SAMPLE.min(songs));
    let mut sample: Vec<u32> = drawn.into_iter().map(|song| song as u32).collect();
    sample.sort_unstable();
    sample
}
