//! Retrieval metrics: from the rank of the right song to top-1, top-10 and MRR.

use serde::Serialize;

use super::bootstrap::{Clusters, Interval, interval};

/// Scores over a set of queries.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RetrievalScores {
    /// Number of queries.
    pub n: usize,
    /// Share of queries whose right song is first.
    pub top1: Interval,
    /// Share of queries whose right song is among the first ten.
    pub top10: Interval,
    /// Mean reciprocal rank; a song that is not found counts 0.
    pub mrr: Interval,
}

/// Scores from the 1-based rank of the best-placed right song of every query, `None` where it was not found; `clusters` tells which
/// queries belong together.
pub fn score(ranks: &[Option<usize>], clusters: &Clusters) -> RetrievalScores {
    let within = |k: usize| -> Vec<f64> { ranks.iter().map(|r| f64::from(r.is_some_and(|r| r <= k))).collect() };
    let reciprocal: Vec<f64> = ranks.iter().map(|r| r.map_or(0.0, |r| 1.0 / r as f64)).collect();
    let interval = |values: Vec<f64>| interval(&values, clusters);
    RetrievalScores { n: ranks.len(), top1: interval(within(1)), top10: interval(within(10)), mrr: interval(reciprocal) }
}

/// The `q`-quantile (0..=1, nearest rank) of `values`; 0 when empty.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n => sorted[((q * n as f64).ceil() as usize).clamp(1, n) - 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_become_scores() {
        let songs = Clusters::of(["a", "b", "c", "d", "e"]);
        let scores = score(&[Some(1), Some(2), Some(10), Some(11), None], &songs);
        assert_eq!(scores.n, 5);
        assert!((scores.top1.mean - 0.2).abs() < 1e-12);
        assert!((scores.top10.mean - 0.6).abs() < 1e-12);
        assert!((scores.mrr.mean - (1.0 + 0.5 + 0.1 + 1.0 / 11.0) / 5.0).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!([quantile(&values, 0.5), quantile(&values, 0.99), quantile(&values, 0.0)], [2.0, 4.0, 1.0]);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
