//! Bootstrap confidence intervals that respect what was measured together.

use std::collections::BTreeMap;

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

/// Which values belong together: hums of one song, recordings of one singer. They are not independent of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    /// Positions of the values of each cluster, none of them empty.
    members: Vec<Vec<usize>>,
}

impl Clusters {
    /// Values of equal name belong together; one name for each value.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, name) in names.into_iter().enumerate() {
            members.entry(name).or_default().push(at);
        }
        Clusters { members: members.into_values().collect() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// Mean and 95 % interval of `values`, by the two-stage bootstrap of clustered data (Davison and Hinkley 1997, section 3.8; Field and
/// Welsh, "Bootstrapping clustered data", JRSS B 69, 2007): as many clusters as there are, drawn with replacement, and as many values
/// out of each that is drawn as it has, with replacement too. A hundred hums of six songs are six songs: the interval is about as wide as that
/// of six values. Of a single cluster it tells nothing but how the values in it vary.
///
/// 2000 resamples from a fixed seed: equal values give equal intervals. All zero when empty.
pub fn interval(values: &[f64], clusters: &Clusters) -> Interval {
    if values.is_empty() {
        return Interval { mean: 0.0, low: 0.0, high: 0.0 };
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let mut rng = ChaCha8Rng::seed_from_u64(0x9b4);
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resampled_mean(values, clusters, &mut rng)).collect();
    means.sort_by(f64::total_cmp);
    Interval { mean, low: means[RESAMPLES * 25 / 1000], high: means[RESAMPLES * 975 / 1000] }
}

fn resampled_mean(values: &[f64], clusters: &Clusters, rng: &mut ChaCha8Rng) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for _ in 0..clusters.len() {
        let cluster = &clusters.members[rng.random_range(0..clusters.len())];
        sum += (0..cluster.len()).map(|_| values[cluster[rng.random_range(0..cluster.len())]]).sum::<f64>();
        count += cluster.len();
    }
    sum / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(n: usize) -> Clusters {
        let names: Vec<String> = (0..n).map(|i| i.to_string()).collect();
        Clusters::of(names.iter().map(String::as_str))
    }

    /// Six songs of a hundred hums each, half of the songs always found.
    fn six_songs() -> (Vec<f64>, Vec<String>) {
        (0..600).map(|i| (f64::from(u8::from(i % 6 < 3)), format!("song {}", i % 6))).unzip()
    }

    #[test]
    fn the_interval_of_independent_values_is_that_of_the_normal_approximation() {
        let values: Vec<f64> = (0..400).map(|i| if i % 4 == 0 { 0.0 } else { 1.0 }).collect();
        let Interval { mean, low, high } = interval(&values, &alone(400));
        let half = 1.96 * (0.75f64 * 0.25 / 400.0).sqrt();
        assert!((mean - 0.75).abs() < 1e-12);
        assert!((mean - low - half).abs() < 0.006 && (high - mean - half).abs() < 0.006, "{low} {high} {half}");
    }

    #[test]
    fn six_hundred_hums_of_six_songs_are_six_songs() {
        let (values, songs) = six_songs();
        let by_song = interval(&values, &Clusters::of(songs.iter().map(String::as_str)));
        // The mean of six values of 0 or 1: 1 of 6 to 5 of 6 in 95 % of all draws.
        assert!((by_song.low - 1.0 / 6.0).abs() < 0.03 && (by_song.high - 5.0 / 6.0).abs() < 0.03, "{by_song:?}");
        let bare = interval(&values, &alone(600));
        assert!(by_song.mean == bare.mean && by_song.high - by_song.low > 5.0 * (bare.high - bare.low), "{bare:?}");
    }

    #[test]
    fn hums_vary_within_their_songs_too() {
        // All songs are alike: what varies is which hums were made.
        let values: Vec<f64> = (0..200).map(|i| f64::from(u8::from(i / 4 % 2 == 0))).collect();
        let songs: Vec<String> = (0..200).map(|i| (i % 4).to_string()).collect();
        let Interval { low, high, .. } = interval(&values, &Clusters::of(songs.iter().map(String::as_str)));
        let half = 1.96 * (0.25f64 / 200.0).sqrt();
        assert!((0.5 - low - half).abs() < 0.02 && (high - 0.5 - half).abs() < 0.02, "{low} {high} {half}");
    }

    #[test]
    fn one_value_has_no_width_and_none_no_mean() {
        assert_eq!(interval(&[0.5], &alone(1)), Interval { mean: 0.5, low: 0.5, high: 0.5 });
        assert_eq!(interval(&[], &alone(0)).high, 0.0);
    }
}
