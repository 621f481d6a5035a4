//! The logistic model of the confidence, and the usual votes and rivals that it leans on in small libraries.

use std::ops::Range;

use super::searched::{SearchedHum, SearchedHums, mean};
use crate::eval::confidence::{self, Reliability};
use crate::search::CONFIDENT;
use crate::search::calibrate::{FEATURES, RIVALS, features};

/// Whether more of each feature can only speak for a match (1) or against it (-1).
const FAVOURS: [f32; FEATURES] = [1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0];
const STEPS: usize = 3000;
const RATE: f32 = 0.5;
const DECAY: f32 = 2e-3;

/// Libraries of so many songs and more tell what votes and rivals are usual.
const LARGE: usize = 300;
/// One hum in so many is held out at a time.
const FOLDS: usize = 5;
/// Sizes of libraries and lengths of hums (voiced seconds) that are looked at apart.
const SIZES: [Range<usize>; 3] = [1..20, 20..700, 700..usize::MAX];
const LENGTHS: [Range<f32>; 3] = [0.0..5.0, 5.0..8.0, 8.0..f32::MAX];

/// How far the confidence can be trusted on hums that it was not fitted to.
#[derive(Debug, Clone)]
pub struct HeldOut {
    /// Which hums or libraries.
    pub name: String,
    /// Answers.
    pub answers: usize,
    /// Area under the ROC curve: right answers against wrong ones.
    pub auroc: f64,
    /// Expected calibration error.
    pub ece: f64,
    /// Share of the answers that were confident and wrong.
    pub confident_and_wrong: f64,
}

/// The fit of the confidence.
#[derive(Debug, Clone)]
pub struct ConfidenceFit {
    /// `PRIOR_LOCATION`: mean of the votes that unrelated full songs get.
    pub prior_location: f32,
    /// `PRIOR_SPREAD`: their standard deviation.
    pub prior_spread: f32,
    /// `USUAL_RIVAL`: score of the first wrong songs.
    pub usual_rival: f32,
    /// `INTERCEPT`.
    pub intercept: f32,
    /// `WEIGHTS`.
    pub weights: [f32; FEATURES],
    /// By size of the library, by length of the hum (one hum in five held out in turn), and by set (the set held out).
    pub held_out: Vec<HeldOut>,
}

/// An answer: what its confidence is made of, and whether it is right.
#[derive(Debug, Clone, Copy)]
struct Sample<'t> {
    hum: &'t SearchedHum,
    features: [f32; FEATURES],
    right: bool,
}

/// Fits the confidence.
pub fn fit_confidence(hums: &SearchedHums) -> ConfidenceFit {
    let large = || hums.whole.iter().filter(|hum| hum.songs >= LARGE);
    let usual_rival = mean(large().flat_map(|hum| hum.ranking.iter().skip(1).take(RIVALS)).map(|song| song.score()));
    let sample = |hum| sample(hum, usual_rival);
    let samples: Vec<Sample> = hums.random.iter().filter_map(sample).collect();

    let by_hum = told(&samples, FOLDS, |sample| sample.hum.number % FOLDS);
    let mut held_out = Vec::new();
    for size in SIZES {
        let inside = by_hum.iter().filter(|(_, sample)| size.contains(&sample.hum.songs));
        held_out.push(report(format!("libraries of {} songs and more", size.start), &inside.copied().collect::<Vec<_>>()));
    }
    for length in LENGTHS {
        let inside = by_hum.iter().filter(|(_, sample)| length.contains(&sample.hum.seconds));
        held_out.push(report(format!("hums of {} s and more", length.start), &inside.copied().collect::<Vec<_>>()));
    }
    if hums.sets.len() > 1 {
        let by_set = told(&samples, hums.sets.len(), |sample| sample.hum.set);
        for (set, name) in hums.sets.iter().enumerate() {
            let inside = by_set.iter().filter(|(_, sample)| sample.hum.set == set);
            held_out.push(report(format!("{name}, fitted without them"), &inside.copied().collect::<Vec<_>>()));
        }
    }
    let (intercept, weights) = logistic(&pairs(&samples));
    ConfidenceFit {
        prior_location: mean(large().flat_map(|hum| &hum.nulls).map(|null| null.0)),
        prior_spread: mean(large().flat_map(|hum| &hum.nulls).map(|null| null.1)),
        usual_rival,
        intercept,
        weights,
        held_out,
    }
}

fn sample(hum: &SearchedHum, usual_rival: f32) -> Option<Sample<'_>> {
    let features = features(&hum.ranking, 0, hum.songs, usual_rival)?;
    Some(Sample { hum, features, right: hum.is_right.first().copied().unwrap_or(false) })
}

/// Features, and whether the answer is right.
fn pairs(samples: &[Sample]) -> Vec<([f32; FEATURES], bool)> {
    samples.iter().map(|sample| (sample.features, sample.right)).collect()
}

/// Every answer with the confidence that a model of the other groups has in it.
fn told<'t>(samples: &[Sample<'t>], groups: usize, group: impl Fn(&Sample) -> usize) -> Vec<(f32, Sample<'t>)> {
    let mut told = Vec::with_capacity(samples.len());
    for held_out in 0..groups {
        let (own, others): (Vec<Sample<'t>>, Vec<Sample<'t>>) = samples.iter().partition(|sample| group(sample) == held_out);
        let model = logistic(&pairs(&others));
        told.extend(own.into_iter().map(|sample| (probability(&model, &sample.features), sample)));
    }
    told
}

/// How well confidences told right answers from wrong ones.
fn report(name: String, told: &[(f32, Sample)]) -> HeldOut {
    let of = |right: bool| told.iter().filter(move |(_, sample)| sample.right == right).map(|(p, _)| f64::from(*p));
    let apart = confidence::Trial { present: of(true).map(|p| (p, true)).collect(), absent: of(false).collect() };
    let all = told.iter().map(|(p, sample)| (f64::from(*p), sample.right)).collect();
    let all = confidence::Trial { present: all, absent: Vec::new() };
    let wrong = told.iter().filter(|(p, sample)| *p >= CONFIDENT && !sample.right).count();
    HeldOut {
        name,
        answers: told.len(),
        auroc: Reliability::of(&apart, f64::from(CONFIDENT)).auroc,
        ece: Reliability::of(&all, f64::from(CONFIDENT)).ece,
        confident_and_wrong: wrong as f64 / told.len().max(1) as f64,
    }
}

/// Intercept and weights.
type Model = (f32, [f32; FEATURES]);

fn probability((intercept, weights): &Model, x: &[f32; FEATURES]) -> f32 {
    let logit = intercept + weights.iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
    1.0 / (1.0 + (-logit).exp())
}

/// Logistic regression by gradient descent on standardised features, lightly regularised; no weight against what its feature favours.
fn logistic(samples: &[([f32; FEATURES], bool)]) -> Model {
    let n = samples.len().max(1) as f32;
    let centre: [f32; FEATURES] = std::array::from_fn(|i| mean(samples.iter().map(|(x, _)| x[i])));
    let variance = |i: usize| mean(samples.iter().map(|(x, _)| (x[i] - centre[i]).powi(2)));
    let spread: [f32; FEATURES] = std::array::from_fn(|i| variance(i).sqrt().max(1e-6));
    let standard: Vec<([f32; FEATURES], f32)> = samples
        .iter()
        .map(|(x, right)| (std::array::from_fn(|i| (x[i] - centre[i]) / spread[i]), f32::from(u8::from(*right))))
        .collect();
    let mut model: Model = (0.0, [0.0; FEATURES]);
    for _ in 0..STEPS {
        let (mut level, mut gradient) = (0.0, model.1.map(|w| DECAY * w));
        for (x, right) in &standard {
            let error = (probability(&model, x) - right) / n;
            level += error;
            gradient.iter_mut().zip(x).for_each(|(g, x)| *g += error * x);
        }
        model.0 -= RATE * level;
        model.1.iter_mut().zip(gradient).for_each(|(w, g)| *w -= RATE * g);
        // What speaks for a match is not to speak against it where features go together.
        for (weight, favours) in model.1.iter_mut().zip(FAVOURS) {
            *weight = (*weight * favours).max(0.0) * favours;
        }
    }
    for i in 0..FEATURES {
        model.1[i] /= spread[i];
        model.0 -= model.1[i] * centre[i];
    }
    model
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Answers that are right as often as this model says.
    fn samples(model: &Model, count: usize) -> Vec<([f32; FEATURES], bool)> {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut sample = |_| {
            let x: [f32; FEATURES] = std::array::from_fn(|i| (1 + i) as f32 * rng.random_range(-1.5f32..1.5));
            (x, rng.random_bool(f64::from(probability(model, &x))))
        };
        (0..count).map(&mut sample).collect()
    }

    #[test]
    fn the_model_that_answers_follow_is_found() {
        let model = (-0.5, [1.0, 0.4, 0.3, -0.2, -0.15, 0.0, 0.1, 0.05]);
        let found = logistic(&samples(&model, 3000));
        assert!((found.0 - model.0).abs() < 0.2, "{found:?}");
        for i in 0..FEATURES {
            assert!((found.1[i] - model.1[i]).abs() * (1 + i) as f32 <= 0.2, "{found:?} for {model:?}");
        }
    }

    #[test]
    fn no_weight_is_against_what_its_feature_favours() {
        let against = (0.0, FAVOURS.map(|favours| -0.5 * favours));
        assert_eq!(logistic(&samples(&against, 500)).1.map(f32::abs), [0.0; FEATURES]);
    }

    #[test]
    fn answers_are_told_by_a_model_that_has_not_seen_them() {
        let hum = |number: usize| SearchedHum {
            set: 0,
            number,
            ranking: Vec::new(),
            is_right: Vec::new(),
            songs: 1,
            seconds: 1.0,
            nulls: Vec::new(),
        };
        let hums: Vec<SearchedHum> = (0..40).map(hum).collect();
        // The first half is right where the second is wrong.
        fn sample(hum: &SearchedHum) -> Sample<'_> {
            let high = hum.number.is_multiple_of(2);
            Sample { hum, features: [f32::from(u8::from(high)), 0., 0., 0., 0., 0., 0., 0.], right: high == (hum.number < 20) }
        }
        let samples: Vec<Sample> = hums.iter().map(sample).collect();
        let told = told(&samples, 2, |sample| usize::from(sample.hum.number < 20));
        assert_eq!(told.len(), 40);
        assert!(told.iter().filter(|(_, sample)| sample.hum.number < 20).all(|(p, _)| (p - 0.5).abs() < 0.01), "{told:?}");
    }
}
