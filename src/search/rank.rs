//! Ranking: votes and alignment together, and the best of it anew by a look at hum and song side by side.

use super::align::Alignment;
use super::candidates::Candidate;

/// `F = z + 1.5 S^3 + 3 M + 0.2 L`, with `z` the deviation of the votes, `S` the local alignment's score, `M` the moves that hum and song
/// make together, and `L` the log-odds of the reranker. `S` is cubed because an alignment of nearly the whole hum is no chance, while low
/// scores hardly tell songs apart. `fit.rs` fits the weights as a choice among candidates, each of its three sets of hums held out in turn:
/// .8, 1.8 and .17 suit hums of recordings, 3, 5 and .2 clean contours, by one hum in a hundred.
pub(super) const ALIGNMENT_WEIGHT: f32 = 1.5;
pub(super) const MOVES_WEIGHT: f32 = 3.0;
pub(super) const LOG_ODDS_WEIGHT: f32 = 0.2;

/// Songs that the reranker looks at.
pub(super) const RERANKED: usize = 60;

/// A candidate that has been aligned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// The song's ordinal in the view.
    pub song: u32,
    /// `F`: what songs are ranked by.
    pub score: f32,
    /// Deviation of its votes.
    pub z: f32,
    /// Its alignment.
    pub alignment: Alignment,
    /// Log-odds of the reranker that this is the tune; 0 when none was asked.
    pub log_odds: f32,
}

/// What the weights weigh; that of the votes is 1.
pub(super) fn features(ranked: &Ranked) -> [f32; 4] {
    [ranked.z, ranked.alignment.score.powi(3), ranked.alignment.moves, ranked.log_odds]
}

/// Orders aligned candidates, best first; ties go to the lower ordinal.
pub fn rank(aligned: Vec<(Candidate, Alignment)>) -> Vec<Ranked> {
    let of = |(Candidate { song, z }, alignment)| scored(Ranked { song, score: 0.0, z, alignment, log_odds: 0.0 });
    let mut ranked: Vec<Ranked> = aligned.into_iter().map(of).collect();
    sort(&mut ranked);
    ranked
}

fn scored(ranked: Ranked) -> Ranked {
    let [votes, aligned, moved, log_odds] = features(&ranked);
    let score = votes + ALIGNMENT_WEIGHT * aligned + MOVES_WEIGHT * moved + LOG_ODDS_WEIGHT * log_odds;
    Ranked { score, ..ranked }
}

/// Orders a ranking anew by the log-odds of its first songs. Those without count as the least likely one.
pub fn rerank(ranked: &mut [Ranked], log_odds: &[Option<f32>]) {
    let Some(least) = log_odds.iter().flatten().copied().min_by(f32::total_cmp) else { return };
    for (place, song) in ranked.iter_mut().enumerate() {
        let log_odds = log_odds.get(place).copied().flatten().unwrap_or(least);
        *song = scored(Ranked { log_odds, ..*song });
    }
    sort(ranked);
}

fn sort(ranked: &mut [Ranked]) {
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.song.cmp(&b.song)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_and_alignment_add_up_and_ties_are_settled() {
        let of = |song, z, score, moves| (Candidate { song, z }, Alignment { score, shift: 0, moves });
        let ranked = rank(vec![of(9, 1.0, 0.5, 0.0), of(3, 1.0, 0.0, 0.5), of(1, 1.0, 0.5, 0.5), of(2, 1.0, 0.5, 0.0)]);
        assert_eq!(ranked.iter().map(|r| r.song).collect::<Vec<_>>(), [1, 3, 2, 9]);
    }

    #[test]
    fn log_odds_move_the_first_songs_and_the_others_stay_behind() {
        let of = |song, z| (Candidate { song, z }, Alignment { score: 0.0, shift: 0, moves: 0.0 });
        let mut ranked = rank(vec![of(0, 3.0), of(1, 2.9), of(2, 2.8), of(3, 2.5)]);
        rerank(&mut ranked, &[Some(-4.0), Some(2.0), None]);
        assert_eq!(ranked.iter().map(|r| r.song).collect::<Vec<_>>(), [1, 0, 2, 3]);
        assert_eq!(ranked.iter().map(|r| r.log_odds).collect::<Vec<_>>(), [2.0, -4.0, -4.0, -4.0]);
        let before = ranked.clone();
        rerank(&mut ranked, &[None, None]);
        assert_eq!(ranked, before);
    }
}
