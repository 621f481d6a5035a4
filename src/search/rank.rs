//! Ranking: votes and alignment together.

use super::align::Alignment;
use super::candidates::Candidate;

/// `F = z + 8 S`, with `z` the deviation of the votes and `S` the local alignment's score. On sets of real hums and sung queries
/// the ranks change little for weights from 4 to 16.
const ALIGNMENT_WEIGHT: f32 = 8.0;

/// A candidate that has been aligned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// The song's ordinal in the view.
    pub song: u32,
    /// `F`: what songs are ranked by.
    pub score: f32,
    /// Its alignment.
    pub alignment: Alignment,
}

/// Orders aligned candidates, best first; ties go to the lower ordinal.
pub fn rank(aligned: Vec<(Candidate, Alignment)>) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = aligned
        .into_iter()
        .map(|(candidate, alignment)| Ranked {
            song: candidate.song,
            score: candidate.z + ALIGNMENT_WEIGHT * alignment.score,
            alignment,
        })
        .collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.song.cmp(&b.song)));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_and_alignment_add_up_and_ties_are_settled() {
        let of = |song, z, score| (Candidate { song, z }, Alignment { score, shift: 0 });
        let ranked = rank(vec![of(9, 1.0, 0.5), of(3, 5.0, 0.0), of(1, 3.0, 0.5), of(2, 1.0, 0.5)]);
        assert_eq!(ranked.iter().map(|r| r.song).collect::<Vec<_>>(), [1, 2, 3, 9]);
    }
}
