//! Do two runs differ? A paired bootstrap over the queries that both have.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::bootstrap::{Interval, interval};
use super::units::Units;

/// What of a run's report is compared.
#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    /// Every query.
    pub queries: Vec<RankOf>,
}

/// The rank of one query.
#[derive(Debug, Clone, Deserialize)]
pub struct RankOf {
    /// Its name.
    pub query: String,
    /// What is hummed.
    pub song: String,
    /// Who hums it, where the data set tells.
    #[serde(default)]
    pub singer: Option<String>,
    /// 1-based rank of the right song, if found.
    pub rank: Option<usize>,
}

/// What the second run has more than the first, with 95 % intervals of the paired bootstrap over songs or singers, then their
/// queries: the runs differ where an interval does not hold 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Queries that both runs have.
    pub n: usize,
    /// What these are independent samples of.
    #[serde(flatten)]
    pub units: Units,
    /// Of top-1.
    pub top1: Interval,
    /// Of top-10.
    pub top10: Interval,
    /// Of MRR.
    pub mrr: Interval,
    /// Queries whose right song ranks better in the second run.
    pub better: usize,
    /// Queries whose right song ranks worse in the second run.
    pub worse: usize,
}

/// Compares the ranks of the queries of the same names.
pub fn compare(first: &Run, second: &Run) -> Difference {
    let before: HashMap<&str, Option<usize>> = first.queries.iter().map(|q| (q.query.as_str(), q.rank)).collect();
    type Ranks = (Option<usize>, Option<usize>);
    let (pairs, hums): (Vec<Ranks>, Vec<_>) = second
        .queries
        .iter()
        .filter_map(|q| Some(((*before.get(q.query.as_str())?, q.rank), (q.song.as_str(), q.singer.as_deref()))))
        .unzip();
    let units = Units::of_hums(hums);
    let gain = |value: fn(Option<usize>) -> f64| {
        interval(&pairs.iter().map(|&(a, b)| value(b) - value(a)).collect::<Vec<_>>(), &units.clusters)
    };
    let place = |rank: Option<usize>| rank.unwrap_or(usize::MAX);
    Difference {
        n: pairs.len(),
        top1: gain(|rank| f64::from(rank == Some(1))),
        top10: gain(|rank| f64::from(rank.is_some_and(|r| r <= 10))),
        mrr: gain(|rank| rank.map_or(0.0, |r| 1.0 / r as f64)),
        better: pairs.iter().filter(|(a, b)| place(*b) < place(*a)).count(),
        worse: pairs.iter().filter(|(a, b)| place(*b) > place(*a)).count(),
        units,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Query `i` hums song `i / hums`.
    fn run_of(ranks: impl Iterator<Item = Option<usize>>, hums: usize) -> Run {
        let query = |(i, rank): (usize, _)| RankOf { query: i.to_string(), song: (i / hums).to_string(), singer: None, rank };
        Run { queries: ranks.enumerate().map(query).collect() }
    }

    fn run(ranks: impl Iterator<Item = Option<usize>>) -> Run {
        run_of(ranks, 1)
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        let same = run((0..50).map(|i| (i % 3 > 0).then_some(i + 1)));
        let difference = compare(&same, &same);
        assert_eq!((difference.n, difference.better, difference.worse), (50, 0, 0));
        assert_eq!(difference.mrr, Interval { mean: 0.0, low: 0.0, high: 0.0 });
    }

    #[test]
    fn a_steady_gain_is_told_from_none_and_queries_of_one_run_are_left_out() {
        let before = run((0..60).map(|i| Some(if i % 2 == 0 { 2 } else { 1 })));
        let after = run((0..40).map(|i| Some(if i % 8 == 0 { 2 } else { 1 })));
        let Difference { n, top1, top10, better, worse, .. } = compare(&before, &after);
        assert_eq!((n, better, worse), (40, 15, 0));
        assert!((top1.mean - 15.0 / 40.0).abs() < 1e-12 && top1.low > 0.15);
        assert_eq!(top10.mean, 0.0);
    }

    #[test]
    fn a_gain_in_one_song_of_four_may_be_chance_however_often_it_was_hummed() {
        let before = run_of((0..400).map(|_| Some(2)), 100);
        let after = run_of((0..400).map(|i| Some(if i < 100 { 1 } else { 2 })), 100);
        let of_songs = compare(&before, &after);
        assert_eq!((of_songs.units.clusters.len(), of_songs.top1.mean, of_songs.top1.low), (4, 0.25, 0.0));
        let alone =
            |run: &Run| Run { queries: run.queries.iter().map(|q| RankOf { song: q.query.clone(), ..q.clone() }).collect() };
        assert!(compare(&alone(&before), &alone(&after)).top1.low > 0.2);
    }
}
