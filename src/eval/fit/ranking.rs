//! The weights of votes, alignment, moves and log-odds: a choice among candidates.

use qbh_models::reranker::LOG_ODDS_WEIGHT;

use super::trials::{Trial, Trials};
use crate::search::rank::{ALIGNMENT_WEIGHT, Evidence, FEATURES, MOVES_WEIGHT};

/// Typical spreads of the features, so that one step suits all.
const SCALE: [f32; FEATURES] = [0.6, 0.08, 0.04, 2.0];
const STEPS: usize = 1500;
const RATE: f32 = 0.3;
const DECAY: f32 = 2e-3;

/// Share of hums whose right song is first, among the first ten, and the mean reciprocal rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankingScores {
    /// Right song first.
    pub top1: f32,
    /// Among the first ten.
    pub top10: f32,
    /// Mean reciprocal rank.
    pub mrr: f32,
}

/// What rankings make of the hums of one set, each in its whole library.
#[derive(Debug, Clone)]
pub struct SetRanking {
    /// The set.
    pub set: &'static str,
    /// Hums.
    pub hums: usize,
    /// By votes alone.
    pub votes: RankingScores,
    /// As the constants are, without the reranker.
    pub without_reranker: RankingScores,
    /// As the constants are.
    pub as_it_is: RankingScores,
    /// By the weights that suit the other sets; `None` where there is no other.
    pub held_out: Option<RankingScores>,
}

/// The fit of the ranking.
#[derive(Debug, Clone)]
pub struct RankingFit {
    /// Every set, held out in turn.
    pub sets: Vec<SetRanking>,
    /// `ALIGNMENT_WEIGHT` that suits all sets.
    pub alignment_weight: f32,
    /// `MOVES_WEIGHT`.
    pub moves_weight: f32,
    /// `LOG_ODDS_WEIGHT`.
    pub log_odds_weight: f32,
}

/// Fits the weights of the ranking.
pub fn fit_ranking(trials: &Trials) -> RankingFit {
    let sets = trials.sets.len();
    let of_set = |(set, &name): (usize, &&'static str)| {
        let own: Vec<&Trial> = trials.whole.iter().filter(|trial| trial.set == set).collect();
        let others: Vec<&Trial> = trials.whole.iter().filter(|trial| trial.set != set).collect();
        SetRanking {
            set: name,
            hums: own.len(),
            votes: scores(&own, [1.0, 0.0, 0.0, 0.0]),
            without_reranker: scores(&own, [1.0, ALIGNMENT_WEIGHT, MOVES_WEIGHT, 0.0]),
            as_it_is: scores(&own, [1.0, ALIGNMENT_WEIGHT, MOVES_WEIGHT, LOG_ODDS_WEIGHT]),
            held_out: (!others.is_empty()).then(|| scores(&own, fitted(&others, sets))),
        }
    };
    let weights = fitted(&trials.whole.iter().collect::<Vec<_>>(), sets);
    let [_, alignment_weight, moves_weight, log_odds_weight] = weights.map(|weight| weight / weights[0]);
    let sets = trials.sets.iter().enumerate().map(of_set).collect();
    RankingFit { sets, alignment_weight, moves_weight, log_odds_weight }
}

fn scores(trials: &[&Trial], weights: [f32; FEATURES]) -> RankingScores {
    let score = |song: &Evidence| dot(&song.features(), &weights);
    let rank = |trial: &&Trial| {
        let songs = || trial.ranking.iter().zip(&trial.is_right);
        let best = songs().filter(|(_, right)| **right).map(|(song, _)| score(song)).max_by(f32::total_cmp)?;
        Some(1 + songs().filter(|(song, _)| score(song) > best).count())
    };
    let ranks: Vec<Option<usize>> = trials.iter().map(rank).collect();
    let share = |of: fn(usize) -> f32| ranks.iter().flatten().map(|&rank| of(rank)).sum::<f32>() / ranks.len().max(1) as f32;
    RankingScores {
        top1: share(|rank| f32::from(u8::from(rank == 1))),
        top10: share(|rank| f32::from(u8::from(rank <= 10))),
        mrr: share(|rank| 1.0 / rank as f32),
    }
}

/// The weights that suit some of the trials, every set counting the same.
fn fitted(trials: &[&Trial], sets: usize) -> [f32; FEATURES] {
    let of_set = |set: usize| trials.iter().filter(|trial| trial.set == set).count();
    let shares: Vec<f32> = (0..sets).map(|set| 1.0 / of_set(set).max(1) as f32).collect();
    let choice = |trial: &&Trial| Choice {
        share: shares[trial.set],
        features: trial.ranking.iter().map(Evidence::features).collect(),
        is_right: trial.is_right.clone(),
    };
    conditional_logit(&trials.iter().map(choice).collect::<Vec<_>>())
}

/// A choice among songs.
struct Choice {
    /// What it counts.
    share: f32,
    /// Of every song.
    features: Vec<[f32; FEATURES]>,
    /// Whether the song is right.
    is_right: Vec<bool>,
}

/// Weights that make the right songs most likely (McFadden, "Conditional logit analysis of qualitative choice behavior", 1974), by gradient ascent,
/// lightly regularised. Choices without a right song tell nothing.
fn conditional_logit(choices: &[Choice]) -> [f32; FEATURES] {
    let scaled = |x: &[f32; FEATURES]| -> [f32; FEATURES] { std::array::from_fn(|i| x[i] / SCALE[i]) };
    let mut weights = [0.0f32; FEATURES];
    for _ in 0..STEPS {
        let mut gradient = weights.map(|w| -DECAY * w);
        for Choice { share, features, is_right } in choices.iter().filter(|choice| choice.is_right.contains(&true)) {
            let x: Vec<[f32; FEATURES]> = features.iter().map(scaled).collect();
            let logits: Vec<f32> = x.iter().map(|x| dot(x, &weights)).collect();
            let top = logits.iter().copied().fold(f32::MIN, f32::max);
            let mass: Vec<f32> = logits.iter().map(|logit| (logit - top).exp()).collect();
            let total: f32 = mass.iter().sum();
            let right: f32 = mass.iter().zip(is_right).filter(|(_, right)| **right).map(|(mass, _)| mass).sum();
            for ((mass, is_right), x) in mass.iter().zip(is_right).zip(&x) {
                let pull = if *is_right { mass / right.max(1e-20) } else { 0.0 } - mass / total;
                gradient.iter_mut().zip(x).for_each(|(g, x)| *g += share * pull * x);
            }
        }
        weights.iter_mut().zip(gradient).for_each(|(w, g)| *w += RATE * g);
    }
    std::array::from_fn(|i| weights[i] / SCALE[i])
}

fn dot(x: &[f32; FEATURES], weights: &[f32; FEATURES]) -> f32 {
    x.iter().zip(weights).map(|(x, w)| x * w).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Choices of songs with random features, made by these weights and the noise that the model supposes (Gumbel's).
    fn choices(weights: [f32; FEATURES], count: usize) -> Vec<Choice> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut choice = |_| {
            let features: Vec<[f32; FEATURES]> =
                (0..8).map(|_| std::array::from_fn(|i| SCALE[i] * rng.random_range(-2.0f32..2.0))).collect();
            let mut noisy = |x: &[f32; FEATURES]| dot(x, &weights) - (-rng.random_range(1e-6f32..1.0).ln()).ln();
            let scores: Vec<f32> = features.iter().map(&mut noisy).collect();
            let best = scores.iter().copied().fold(f32::MIN, f32::max);
            Choice { share: 1.0 / count as f32, is_right: scores.iter().map(|score| *score == best).collect(), features }
        };
        (0..count).map(&mut choice).collect()
    }

    #[test]
    fn the_weights_that_choices_were_made_by_are_found() {
        let weights = [1.5, 8.0, 0.0, -0.4];
        let found = conditional_logit(&choices(weights, 600));
        for i in 0..FEATURES {
            assert!((found[i] - weights[i]).abs() * SCALE[i] < 0.25, "{found:?} for {weights:?}");
        }
    }

    #[test]
    fn choices_without_a_right_song_tell_nothing() {
        let choice = Choice { share: 1.0, features: vec![[1.0; FEATURES], [0.0; FEATURES]], is_right: vec![false; 2] };
        assert_eq!(conditional_logit(&[choice]), [0.0; FEATURES]);
    }

    #[test]
    fn ranks_are_counted_over_all_right_songs() {
        let song = |z| Evidence { z, alignment: 0.0, moves: 0.0, log_odds: 0.0 };
        let trial = |is_right: [bool; 3]| Trial {
            set: 0,
            hum: 0,
            ranking: [3.0, 2.0, 1.0].map(song).to_vec(),
            is_right: is_right.to_vec(),
            songs: 3,
            seconds: 8.0,
            nulls: Vec::new(),
        };
        let trials = [trial([true, false, true]), trial([false, true, true]), trial([false; 3])];
        let scores = scores(&trials.iter().collect::<Vec<_>>(), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(scores, RankingScores { top1: 1.0 / 3.0, top10: 2.0 / 3.0, mrr: 0.5 });
    }
}
