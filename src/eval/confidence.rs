//! How far a confidence can be trusted: does it tell right from wrong, and is it as often right as it says?

use serde::Serialize;

/// Bins of the reliability plot: tenths of the confidence.
const BINS: usize = 10;

/// Share of hums without their song among all hums, as [`Reliability::of`] weighs them: one in four.
const ABSENT: f64 = 0.25;

/// Answers to one set of hums, once with their songs in the library and once without.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trial {
    /// Confidence in the first match, and whether it is right; the songs are in the library.
    pub present: Vec<(f64, bool)>,
    /// Confidence in the first match when the right songs are left out: all are wrong.
    pub absent: Vec<f64>,
}

/// One bin of the confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Share of all answers in the bin.
    pub share: f64,
    /// Mean confidence.
    pub confidence: f64,
    /// Share of right answers.
    pub right: f64,
}

/// How far a confidence can be trusted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// Area under the receiver operating characteristic of the confidence: hums whose song is in the library against the same
    /// hums when it is left out. 0.5 is chance, 1 perfect.
    pub auroc: f64,
    /// Expected calibration error: mean distance of confidence and share of right answers over the bins.
    pub ece: f64,
    /// Share of the answers to hums without their song that were confident.
    pub false_alarms: f64,
    /// The bins that hold an answer, ascending.
    pub bins: Vec<Bin>,
}

impl Reliability {
    /// Scores a trial; answers count as confident from `threshold` on. Of all hums one in four is taken to be without its song.
    pub fn of(trial: &Trial, threshold: f64) -> Self {
        let weight = |share: f64, n: usize| if n == 0 { 0.0 } else { share / n as f64 };
        let (present, absent) = (weight(1.0 - ABSENT, trial.present.len()), weight(ABSENT, trial.absent.len()));
        let answers = trial.present.iter().map(|&(confidence, right)| (confidence, right, present));
        let answers: Vec<(f64, bool, f64)> = answers.chain(trial.absent.iter().map(|&c| (c, false, absent))).collect();
        let all: f64 = answers.iter().map(|a| a.2).sum();
        let mut bins = Vec::new();
        for bin in 0..BINS {
            let inside = || answers.iter().filter(|a| ((a.0 * BINS as f64) as usize).min(BINS - 1) == bin);
            let share: f64 = inside().map(|a| a.2).sum();
            if share > 0.0 {
                let mean = |of: &dyn Fn(&(f64, bool, f64)) -> f64| inside().map(|a| a.2 * of(a)).sum::<f64>() / share;
                bins.push(Bin { share: share / all, confidence: mean(&|a| a.0), right: mean(&|a| f64::from(a.1)) });
            }
        }
        let alarms = trial.absent.iter().filter(|&&c| c >= threshold).count();
        Reliability {
            auroc: auroc(&trial.present.iter().map(|p| p.0).collect::<Vec<_>>(), &trial.absent),
            ece: bins.iter().map(|b| b.share * (b.confidence - b.right).abs()).sum(),
            false_alarms: alarms as f64 / trial.absent.len().max(1) as f64,
            bins,
        }
    }
}

/// Probability that a random one of `high` exceeds a random one of `low`; ties count half. 0.5 when either is empty.
fn auroc(high: &[f64], low: &[f64]) -> f64 {
    if high.is_empty() || low.is_empty() {
        return 0.5;
    }
    let wins: f64 = high
        .iter()
        .map(|h| {
            low.iter()
                .map(|l| {
                    if h > l {
                        1.0
                    } else if h == l {
                        0.5
                    } else {
                        0.0
                    }
                })
                .sum::<f64>()
        })
        .sum();
    wins / (high.len() * low.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auroc_counts_pairs() {
        assert_eq!(auroc(&[0.9, 0.4], &[0.1, 0.4, 0.5]), (3.0 + 1.5) / 6.0);
        assert_eq!(auroc(&[], &[0.5]), 0.5);
    }

    #[test]
    fn a_confidence_that_is_as_often_right_as_it_says_has_no_error() {
        // Four answers in five of those at .8 are right, none of those at 0; the hums without a song are all at 0.
        let mut present: Vec<(f64, bool)> = (0..100).map(|i| (0.8, i % 5 > 0)).collect();
        present.extend([(0.0, false); 20]);
        let trial = Trial { present, absent: vec![0.0; 50] };
        let scores = Reliability::of(&trial, 0.5);
        assert!(scores.ece < 1e-9 && scores.false_alarms == 0.0, "{scores:?}");
        assert_eq!(scores.bins.len(), 2);
        assert!((scores.bins[1].share - 0.75 * 100.0 / 120.0).abs() < 1e-9);

        let over = Trial { present: trial.present.clone(), absent: vec![0.8; 50] };
        let over = Reliability::of(&over, 0.5);
        assert!((over.ece - 0.25 * 0.8).abs() < 1e-9 && over.false_alarms == 1.0, "{over:?}");
    }

    #[test]
    fn nothing_is_told_of_nothing() {
        let scores = Reliability::of(&Trial::default(), 0.5);
        assert_eq!((scores.auroc, scores.ece, scores.bins.len()), (0.5, 0.0, 0));
    }
}
