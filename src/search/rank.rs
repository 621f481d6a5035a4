//! Ranking: votes and alignment together, and the best of it anew by a look at hum and song side by side.

use super::align::Alignment;
use super::candidates::Candidate;
use super::passages::Passage;

/// `F = z + 1.5 S^3 + 3 M + 0.2 L`, with `z` the deviation of the votes, `S` the local alignment's score, `M` the moves that hum and song
/// make together, and `L` the log-odds of the reranker. `S` is cubed because an alignment of nearly the whole hum is no chance, while low
/// scores hardly tell songs apart. `fit.rs` fits the weights as a choice among candidates, each of its three sets of hums held out in turn:
/// 2.0, 3.2 and .28 suit all of them together, and rank the first ten no better; without a reranker the alignment counts for more.
pub(super) const ALIGNMENT_WEIGHT: f32 = 1.5;
pub(super) const MOVES_WEIGHT: f32 = 3.0;
pub(super) const LOG_ODDS_WEIGHT: f32 = 0.2;

/// Songs that the reranker looks at.
pub(super) const RERANKED: usize = 60;

/// A passage of a song with its alignment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The passage.
    pub passage: Passage,
    /// How the hum aligns with it.
    pub alignment: Alignment,
}

/// A candidate that has been aligned.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// The song's ordinal in the snapshot.
    pub song: u32,
    /// `F`: what songs are ranked by.
    pub score: f32,
    /// Deviation of its votes.
    pub z: f32,
    /// The best alignment with it.
    pub alignment: Alignment,
    /// Log-odds of the reranker that this is the tune; 0 when none was asked.
    pub log_odds: f32,
    /// Where it was looked at, the likeliest place first; at least one.
    pub places: Vec<Place>,
}

impl Ranked {
    /// The song as its votes chose it.
    pub(super) fn candidate(&self) -> Candidate {
        Candidate { song: self.song, z: self.z }
    }
}

/// What the weights weigh; that of the votes is 1.
pub(super) fn features(z: f32, alignment: &Alignment, log_odds: f32) -> [f32; 4] {
    [z, alignment.score.powi(3), alignment.moves, log_odds]
}

fn score(z: f32, alignment: &Alignment, log_odds: f32) -> f32 {
    let [votes, aligned, moved, log_odds] = features(z, alignment, log_odds);
    votes + ALIGNMENT_WEIGHT * aligned + MOVES_WEIGHT * moved + LOG_ODDS_WEIGHT * log_odds
}

/// Orders aligned candidates, best first; ties go to the lower ordinal. Those without a place are left out.
pub fn rank(aligned: Vec<(Candidate, Vec<Place>)>) -> Vec<Ranked> {
    let worth = |place: &Place| score(0.0, &place.alignment, 0.0);
    let of = |(Candidate { song, z }, mut places): (Candidate, Vec<Place>)| {
        places.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        let alignment = places.first()?.alignment;
        Some(Ranked { song, score: score(z, &alignment, 0.0), z, alignment, log_odds: 0.0, places })
    };
    let mut ranked: Vec<Ranked> = aligned.into_iter().filter_map(of).collect();
    sort(&mut ranked);
    ranked
}

/// Orders a ranking anew by the log-odds of its first songs, one for each of a song's places, where there is one. Odds of a song's places
/// add up; songs without any count as the least likely one.
pub fn rerank(ranked: &mut [Ranked], log_odds: &[Vec<Option<f32>>]) {
    let sums: Vec<Option<f32>> = log_odds.iter().map(|places| sum_of_odds(places.iter().flatten().copied())).collect();
    let Some(least) = sums.iter().flatten().copied().min_by(f32::total_cmp) else { return };
    for (rank, song) in ranked.iter_mut().enumerate() {
        song.log_odds = sums.get(rank).copied().flatten().unwrap_or(least);
        song.score = score(song.z, &song.alignment, song.log_odds);
        let likeliest = log_odds.get(rank).and_then(|places| {
            let known = places.iter().enumerate().filter_map(|(place, odds)| Some((place, (*odds)?)));
            known.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
        });
        if let Some((likeliest, _)) = likeliest {
            song.places[..=likeliest].rotate_right(1);
        }
    }
    sort(ranked);
}

/// The logarithm of the sum of odds, from their logarithms; `None` of none.
fn sum_of_odds(log_odds: impl Iterator<Item = f32> + Clone) -> Option<f32> {
    let most = log_odds.clone().max_by(f32::total_cmp)?;
    Some(most + log_odds.map(|odds| (odds - most).exp()).sum::<f32>().ln())
}

fn sort(ranked: &mut [Ranked]) {
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.song.cmp(&b.song)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(score: f32, moves: f32) -> Place {
        Place { passage: Passage { start: 0, end: 1, slowed: false }, alignment: Alignment { score, shift: 0, moves } }
    }

    #[test]
    fn votes_and_alignment_add_up_and_ties_are_settled() {
        let of = |song, z, score, moves| (Candidate { song, z }, vec![place(0.1, 0.0), place(score, moves)]);
        let mut songs = vec![of(9, 1.0, 0.5, 0.0), of(3, 1.0, 0.0, 0.5), of(1, 1.0, 0.5, 0.5), of(2, 1.0, 0.5, 0.0)];
        songs.push((Candidate { song: 4, z: 9.0 }, Vec::new()));
        let ranked = rank(songs);
        assert_eq!(ranked.iter().map(|r| r.song).collect::<Vec<_>>(), [1, 3, 2, 9]);
        assert_eq!(ranked[0].alignment, place(0.5, 0.5).alignment);
    }

    #[test]
    fn log_odds_move_the_first_songs_and_the_others_stay_behind() {
        let of = |song, z| (Candidate { song, z }, vec![place(0.0, 0.0)]);
        let mut ranked = rank(vec![of(0, 3.0), of(1, 2.9), of(2, 2.8), of(3, 2.5)]);
        rerank(&mut ranked, &[vec![Some(-4.0)], vec![Some(2.0)], vec![None]]);
        assert_eq!(ranked.iter().map(|r| r.song).collect::<Vec<_>>(), [1, 0, 2, 3]);
        assert_eq!(ranked.iter().map(|r| r.log_odds).collect::<Vec<_>>(), [2.0, -4.0, -4.0, -4.0]);
        let before = ranked.clone();
        rerank(&mut ranked, &[vec![None], Vec::new()]);
        assert_eq!(ranked, before);
    }

    #[test]
    fn odds_of_places_add_up_and_the_likeliest_is_shown() {
        let mut ranked = rank(vec![(Candidate { song: 0, z: 1.0 }, vec![place(0.5, 0.0), place(0.4, 0.0), place(0.3, 0.0)])]);
        rerank(&mut ranked, &[vec![Some(-1.0), None, Some(1.0)]]);
        assert!((ranked[0].log_odds - (1f32.exp() + (-1f32).exp()).ln()).abs() < 1e-5);
        assert_eq!(ranked[0].places.iter().map(|p| p.alignment.score).collect::<Vec<_>>(), [0.3, 0.5, 0.4]);
        assert_eq!(ranked[0].alignment.score, 0.5, "what the ranking is made of stays");
    }
}
