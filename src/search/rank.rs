//! Ranking: votes and alignment together.

use super::align::Alignment;
use super::candidates::Candidate;

/// `F = z + 3 S^3 + 5 M`, with `z` the deviation of the votes, `S` the local alignment's score and `M` the moves that hum and song make
/// together. `S` is cubed because an alignment of nearly the whole hum is no chance, while low scores hardly tell songs apart.
/// `fit.rs` fits the weights as a choice among candidates, each of its three sets of hums held out in turn; from 1.3 to 3 and from 4 to 5
/// they rank alike, and the heavier ones suit clean contours.
pub(super) const ALIGNMENT_WEIGHT: f32 = 3.0;
pub(super) const MOVES_WEIGHT: f32 = 5.0;

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
}

/// What the weights weigh; that of the votes is 1.
pub(super) fn features(z: f32, alignment: &Alignment) -> [f32; 3] {
    [z, alignment.score.powi(3), alignment.moves]
}

/// Orders aligned candidates, best first; ties go to the lower ordinal.
pub fn rank(aligned: Vec<(Candidate, Alignment)>) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = aligned
        .into_iter()
        .map(|(Candidate { song, z }, alignment)| {
            let [votes, aligned, moved] = features(z, &alignment);
            Ranked { song, score: votes + ALIGNMENT_WEIGHT * aligned + MOVES_WEIGHT * moved, z, alignment }
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
        let of = |song, z, score, moves| (Candidate { song, z }, Alignment { score, shift: 0, moves });
        let ranked = rank(vec![of(9, 1.0, 0.5, 0.0), of(3, 1.0, 0.0, 0.5), of(1, 1.0, 0.5, 0.5), of(2, 1.0, 0.5, 0.0)]);
        assert_eq!(ranked.iter().map(|r| r.song).collect::<Vec<_>>(), [1, 3, 2, 9]);
    }
}
