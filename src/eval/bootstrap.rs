//! Bootstrap confidence intervals.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// A mean with its 95 % percentile-bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Mean of the values.
    pub mean: f64,
    /// 2.5 % quantile of the resampled means.
    pub low: f64,
    /// 97.5 % quantile of the resampled means.
    pub high: f64,
}

const RESAMPLES: usize = 2000;

/// Mean and 95 % interval of `values` (2000 resamples, fixed seed, so that equal values give equal intervals). All zero when empty.
pub fn interval(values: &[f64]) -> Interval {
    if values.is_empty() {
        return Interval { mean: 0.0, low: 0.0, high: 0.0 };
    }
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    let mut rng = ChaCha8Rng::seed_from_u64(0x9b4);
    let mut means: Vec<f64> =
        (0..RESAMPLES).map(|_| (0..n).map(|_| values[rng.random_range(0..n)]).sum::<f64>() / n as f64).collect();
    means.sort_by(f64::total_cmp);
    Interval { mean, low: means[RESAMPLES * 25 / 1000], high: means[RESAMPLES * 975 / 1000] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_proportion_is_that_of_the_normal_approximation() {
        let values: Vec<f64> = (0..400).map(|i| if i % 4 == 0 { 0.0 } else { 1.0 }).collect();
        let Interval { mean, low, high } = interval(&values);
        let half = 1.96 * (0.75f64 * 0.25 / 400.0).sqrt();
        assert!((mean - 0.75).abs() < 1e-12);
        assert!((mean - low - half).abs() < 0.006 && (high - mean - half).abs() < 0.006, "{low} {high} {half}");
    }

    #[test]
    fn one_value_has_no_width() {
        assert_eq!(interval(&[0.5]), Interval { mean: 0.5, low: 0.5, high: 0.5 });
    }
}
