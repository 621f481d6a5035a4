//! Puts votes on one scale: by how many standard deviations they exceed what songs get that have nothing to do with the hum.

use qbh_models::median;

use super::vote::SongVotes;

/// The votes that unrelated full songs get, to lean on where a library is too small to tell: their location and spread (cosine
/// similarity, fitted by `qbh eval fit`), worth [`PRIOR_SONGS`] songs. Beside thousands of songs they have no weight.
const PRIOR_LOCATION: f32 = 0.257;
const PRIOR_SPREAD: f32 = 0.073;
const PRIOR_SONGS: f32 = 30.0;

/// What votes look like over songs that do not hold the hum: median and standard deviation, drawn towards the prior. One for each pair of hum length
/// and song level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NullDistribution {
    /// Median of the votes.
    pub location: f32,
    /// Their standard deviation.
    pub spread: f32,
}

/// The null distribution of every pair, over the `reference` songs: all of them when all were scored, else a random sample, because candidates of
/// an approximate search do not tell what unrelated songs get. `None` for pairs that no song has.
pub fn standardize(votes: &[&SongVotes], reference: impl Fn(u32) -> bool) -> Vec<Option<NullDistribution>> {
    let pairs = votes.iter().map(|song| song.votes.len()).max().unwrap_or(0);
    let of_pair = |pair: usize| {
        let votes = votes.iter().filter(|song| reference(song.song)).filter_map(|song| song.votes.get(pair).copied().flatten());
        NullDistribution::of(votes.collect())
    };
    (0..pairs).map(of_pair).collect()
}

impl NullDistribution {
    /// `None` without votes.
    fn of(mut votes: Vec<f32>) -> Option<NullDistribution> {
        let n = votes.len() as f32;
        let mean = mean(votes.iter().map(|&vote| f64::from(vote)))?;
        let variance = self::mean(votes.iter().map(|&vote| (f64::from(vote) - mean).powi(2)))?;
        let median = median(&mut votes, f32::total_cmp)?;
        let pool = |own: f32, prior: f32| (n * own + PRIOR_SONGS * prior) / (n + PRIOR_SONGS);
        Some(NullDistribution {
            location: pool(median, PRIOR_LOCATION),
            spread: pool(variance as f32, PRIOR_SPREAD * PRIOR_SPREAD).sqrt(),
        })
    }

    /// Standard deviations by which a vote exceeds what unrelated songs get.
    pub fn deviation(&self, vote: f32) -> f32 {
        (vote - self.location) / self.spread
    }
}

/// The mean, in whatever order the values come: the order of the songs depends on which of them was indexed first. `None` of nothing.
fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    /// Fixed point: sums of integers do not depend on their order.
    const UNIT: f64 = (1u64 << 40) as f64;
    let n = values.len();
    let sum: i128 = values.map(|value| (value * UNIT) as i128).sum();
    (n > 0).then(|| sum as f64 / UNIT / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_order_of_the_songs_does_not_matter(votes in prop::collection::vec(-1.0f32..1.0, 1..300)) {
            let mut sorted = votes.clone();
            sorted.sort_by(f32::total_cmp);
            prop_assert_eq!(NullDistribution::of(votes), NullDistribution::of(sorted));
        }
    }

    #[test]
    fn many_votes_outweigh_the_prior_and_few_lean_on_it() {
        let few = NullDistribution::of(vec![0.2]).unwrap();
        assert!((few.location - PRIOR_LOCATION).abs() < 0.01 && few.spread < PRIOR_SPREAD, "{few:?}");
        let many = NullDistribution::of((0..20_001).map(|i| 0.3 + 0.1 * (i as f32 / 20_000.0)).collect()).unwrap();
        assert!((many.location - 0.35).abs() < 1e-3 && (many.spread - 0.1 / 12f32.sqrt()).abs() < 1e-3, "{many:?}");
        assert_eq!(NullDistribution::of(vec![]), None);
    }
}
