//! Ranks: votes and alignment, and the log-odds of the reranker where there are any, in one score.

use qbh_models::reranker::LOG_ODDS_WEIGHT;

use super::align::Place;
use super::fetch::FetchedSong;

/// `F = z + 1.5 S^3 + 3 M + 0.2 L`, with `z` the deviation of the votes, `S` the local alignment's score, `M` the moves that hum and song
/// make together, and `L` the log-odds of the reranker. `S` is cubed because an alignment of nearly the whole hum is no chance, while low
/// scores hardly tell songs apart. `qbh eval fit` fits the weights as a choice among candidates, each of its sets of hums held out in turn:
/// 2.0, 3.2 and .28 suit three of them together, and rank the first ten no better; without a reranker the alignment counts for more.
pub const ALIGNMENT_WEIGHT: f32 = 1.5;
/// See [`ALIGNMENT_WEIGHT`].
pub const MOVES_WEIGHT: f32 = 3.0;

/// Features that a score is made of.
pub const FEATURES: usize = 4;

/// What speaks for a song.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Deviation of its votes.
    pub z: f32,
    /// Score of the best alignment with it.
    pub alignment: f32,
    /// Moves of this alignment.
    pub moves: f32,
    /// Log-odds of the reranker that this is the tune; 0 when none was asked.
    pub log_odds: f32,
}

impl Evidence {
    /// What the weights weigh: votes, whose weight is 1, alignment, moves, log-odds.
    pub fn features(&self) -> [f32; FEATURES] {
        [self.z, self.alignment.powi(3), self.moves, self.log_odds]
    }

    /// `F`: what songs are ranked by.
    pub fn score(&self) -> f32 {
        let [votes, aligned, moved, log_odds] = self.features();
        votes + ALIGNMENT_WEIGHT * aligned + MOVES_WEIGHT * moved + LOG_ODDS_WEIGHT * log_odds
    }
}

/// A candidate that has been aligned.
#[derive(Debug, Clone)]
pub struct RankedSong {
    /// The song.
    pub song: FetchedSong,
    /// What speaks for it.
    pub evidence: Evidence,
    /// Where it was looked at, the likeliest place first; at least one.
    pub places: Vec<Place>,
}

/// Orders songs with the places where the hum was aligned with them, best first. Those without a place are left out.
pub fn rank(aligned: impl IntoIterator<Item = (FetchedSong, Vec<Place>)>) -> Vec<RankedSong> {
    let of = |(song, mut places): (FetchedSong, Vec<Place>)| {
        let evidence = |place: &Place, z| {
            let alignment = place.alignment;
            Evidence { z, alignment: alignment.score, moves: alignment.moves, log_odds: 0.0 }
        };
        let worth = |place: &Place| evidence(place, 0.0).score();
        places.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        let evidence = evidence(places.first()?, song.candidate.z);
        Some(RankedSong { song, evidence, places })
    };
    let mut ranked: Vec<RankedSong> = aligned.into_iter().filter_map(of).collect();
    sort(&mut ranked);
    ranked
}

/// Best first; of songs alike, the one whose key comes first.
pub fn sort(ranked: &mut [RankedSong]) {
    let score = |ranked: &RankedSong| ranked.evidence.score();
    ranked.sort_by(|a, b| score(b).total_cmp(&score(a)).then_with(|| a.song.song.key.cmp(&b.song.song.key)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::tests::stages::{fetched, place};

    #[test]
    fn votes_and_alignment_add_up_and_ties_are_settled_by_key() {
        let of = |key, z, score, moves| (fetched(key, z), vec![place(0.1, 0.0), place(score, moves)]);
        let mut songs = vec![of("9", 1.0, 0.5, 0.0), of("3", 1.0, 0.0, 0.5), of("1", 1.0, 0.5, 0.5), of("2", 1.0, 0.5, 0.0)];
        songs.push((fetched("4", 9.0), Vec::new()));
        let ranked = rank(songs);
        assert_eq!(ranked.iter().map(|r| r.song.song.key.as_str()).collect::<Vec<_>>(), ["1", "3", "2", "9"]);
        assert_eq!((ranked[0].evidence.alignment, ranked[0].evidence.moves), (0.5, 0.5));
    }
}
