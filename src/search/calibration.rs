//! How sure a match is: the probability that the song ranked there is the one that was hummed.

use super::rank::Ranked;

/// From this confidence on an answer counts as found.
pub const CONFIDENT: f32 = 0.5;

/// A song's score is held against the mean score of this many best others: less brittle than the runner-up alone, which may be
/// another version of the same song.
pub(super) const RIVALS: usize = 10;

/// What the rivals of a hum score in libraries of some hundred songs. A library of fewer than eleven songs is filled up with it.
const USUAL_RIVAL: f32 = 6.5;

/// The logistic model, fitted by `fit.rs` to 492 simulated hums of unseen melodies in libraries of 1 to 1102 songs, one in four
/// without the right song (held-out log loss 0.48, tenths of the confidence are right to within about 0.15). That alignment counts against is no
/// contradiction: the margin contains it with a weight of 8, a little more than it deserves.
const INTERCEPT: f32 = -0.64;
const PER_MARGIN: f32 = 1.15;
const PER_ALIGNMENT: f32 = -1.43;

/// The confidences of the first `count` songs of a ranking, 0..=1.
///
/// A logistic model of two signs: the margin over the rivals and the share of the hum that aligns (the length of the hum says
/// nothing more). As one song was hummed, a song gets no more than the better ones leave.
pub fn confidences(ranking: &[Ranked], count: usize) -> Vec<f32> {
    let mut left = 1.0f32;
    let mut confidences = Vec::new();
    for place in 0..count.min(ranking.len()) {
        let confidence = signs(ranking, place, USUAL_RIVAL).map_or(0.0, |signs| probability(&signs)).min(left);
        left -= confidence;
        confidences.push(confidence);
    }
    confidences
}

fn probability([margin, alignment]: &[f32; 2]) -> f32 {
    let logit = INTERCEPT + PER_MARGIN * margin + PER_ALIGNMENT * alignment;
    1.0 / (1.0 + (-logit).exp())
}

/// What the model looks at: margin of the score, alignment score.
pub(super) fn signs(ranking: &[Ranked], place: usize, usual_rival: f32) -> Option<[f32; 2]> {
    let own = ranking.get(place)?;
    let others = ranking.iter().enumerate().filter(|&(i, _)| i != place).map(|(_, other)| other.score);
    let rivals = others.chain(std::iter::repeat(usual_rival)).take(RIVALS).sum::<f32>() / RIVALS as f32;
    Some([own.score - rivals, own.alignment.score])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::align::Alignment;

    fn ranking(scores: &[(f32, f32)]) -> Vec<Ranked> {
        let of = |(song, &(score, s)): (usize, &(f32, f32))| Ranked {
            song: song as u32,
            score,
            alignment: Alignment { score: s, shift: 0 },
        };
        scores.iter().enumerate().map(of).collect()
    }

    #[test]
    fn a_clear_winner_is_sure_and_its_rivals_are_not() {
        let mut scores = vec![(12.0, 0.85)];
        scores.extend((0..30).map(|i| (5.8 - 0.05 * i as f32, 0.5)));
        let ranking = ranking(&scores);
        let confidences = confidences(&ranking, 5);
        assert_eq!(confidences.len(), 5);
        assert!(confidences[0] > 0.9 && confidences[1] < 0.1 && confidences.iter().sum::<f32>() <= 1.0001, "{confidences:?}");
    }

    #[test]
    fn one_of_many_alike_is_not_sure() {
        let scores: Vec<(f32, f32)> = (0..30).map(|i| (6.0 - 0.05 * i as f32, 0.5)).collect();
        assert!(confidences(&ranking(&scores), 1)[0] < CONFIDENT);
    }

    #[test]
    fn a_library_of_one_song_is_sure_of_a_good_alignment_only() {
        assert!(confidences(&ranking(&[(11.0, 0.9)]), 9)[0] > 0.9);
        assert!(confidences(&ranking(&[(3.5, 0.4)]), 9)[0] < 0.1);
        assert!(confidences(&[], 9).is_empty());
    }
}
