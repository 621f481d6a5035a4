//! Proposes the songs that are worth scoring by all windows of the hum.

use std::hash::{DefaultHasher, Hash, Hasher};

use qbh_index::{FirstStage, Hnsw, Snapshot};
use qbh_models::embedder::windows::WindowVectors;

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

/// The songs that may be right when `wanted` are to be aligned, by their ordinals; `None` for all.
///
/// # Errors
/// What the index reports; [`SearchError::NoGraph`].
pub fn propose(
    method: SearchMethod,
    snapshot: &Snapshot,
    graph: Option<&Hnsw>,
    hum: &[WindowVectors],
    wanted: usize,
) -> Result<Option<Vec<u32>>, SearchError> {
    match method.among(snapshot.len()) {
        SearchMethod::Auto | SearchMethod::Exact => Ok(None),
        SearchMethod::Coarse => Ok(Some(coarse(snapshot, hum, wanted)?)),
        SearchMethod::Hnsw => {
            let graph = graph.ok_or(SearchError::NoGraph)?;
            Ok(Some(graph.candidates(&queries(hum), wanted.saturating_mul(PROPOSED_PER_CANDIDATE))?))
        }
    }
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

/// Random songs, the same for every hum and in whatever order the library was indexed, ascending: their keys decide.
///
/// # Errors
/// What the index reports.
pub fn sample(snapshot: &Snapshot) -> Result<Vec<u32>, qbh_index::Error> {
    let hash = |(key, ordinal): (Result<&str, qbh_index::Error>, u32)| {
        let mut hasher = DefaultHasher::new();
        key?.hash(&mut hasher);
        Ok((hasher.finish(), ordinal))
    };
    let mut hashes = snapshot.keys().zip(0..).map(hash).collect::<Result<Vec<(u64, u32)>, qbh_index::Error>>()?;
    if hashes.len() > SAMPLE {
        hashes.select_nth_unstable(SAMPLE);
        hashes.truncate(SAMPLE);
    }
    let mut sample: Vec<u32> = hashes.into_iter().map(|(_, ordinal)| ordinal).collect();
    sample.sort_unstable();
    Ok(sample)
}
