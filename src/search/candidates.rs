//! From path votes to candidate songs: how far a song's votes stand out from what songs get by chance.

/// The votes that unrelated full songs get, to lean on where a library is too small to tell: their location and spread (cosine
/// similarity, measured by `fit.rs`), worth [`PRIOR_SONGS`] songs. Beside thousands of songs they have no weight.
const PRIOR_LOCATION: f32 = 0.402;
const PRIOR_SPREAD: f32 = 0.072;
const PRIOR_SONGS: f32 = 30.0;

/// What a song got.
#[derive(Debug, Clone, PartialEq)]
pub struct Ballot {
    /// The song's ordinal in the snapshot.
    pub song: u32,
    /// Its path vote for each pair of (hum length, song level); `None` where it has no windows.
    pub votes: Vec<Option<f32>>,
}

/// A song worth aligning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The song's ordinal in the snapshot.
    pub song: u32,
    /// Standard deviations by which its votes exceed those of other songs.
    pub z: f32,
}

/// The `count` songs whose votes stand out most, best first; ties go to the lower ordinal.
///
/// Every pair's votes are put on one scale, the [`Chance`] of that pair. A song's `z` is the quadratic mean over the pairs of the deviations
/// above 0: pairs that agree count for more than one that stands out, and the tempo ratios that do not fit take little away. A pair that it lacks counts as an average vote.
pub fn choose(ballots: &[&Ballot], chances: &[Option<Chance>], count: usize) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> =
        ballots.iter().map(|ballot| Candidate { song: ballot.song, z: deviation(&ballot.votes, chances) }).collect();
    candidates.sort_by(|a, b| b.z.total_cmp(&a.z).then(a.song.cmp(&b.song)));
    candidates.truncate(count);
    candidates
}

/// The quadratic mean of the deviations above 0. Pairs that no song has are left out of the count.
fn deviation(votes: &[Option<f32>], chances: &[Option<Chance>]) -> f32 {
    let (mut sum, mut pairs) = (0.0, 0);
    for (vote, chance) in votes.iter().zip(chances) {
        if let Some(chance) = chance {
            sum += vote.map_or(0.0, |vote| chance.deviation(vote)).max(0.0).powi(2);
            pairs += 1;
        }
    }
    (sum / pairs.max(1) as f32).sqrt()
}

/// What votes of one pair look like over songs: median and standard deviation, drawn towards the prior.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// Median of the votes.
    pub location: f32,
    /// Their standard deviation.
    pub spread: f32,
}

/// The chance of every pair, over the `reference` songs: all of them when all were scored, else a random sample, because candidates of
/// an approximate search are no measure of chance. `None` for pairs that no song has.
pub fn chances(ballots: &[&Ballot], reference: impl Fn(u32) -> bool) -> Vec<Option<Chance>> {
    let pairs = ballots.iter().map(|b| b.votes.len()).max().unwrap_or(0);
    let mut chances = Vec::with_capacity(pairs);
    for pair in 0..pairs {
        let votes = ballots.iter().filter(|b| reference(b.song)).filter_map(|b| b.votes.get(pair).copied().flatten());
        chances.push(Chance::of(votes.collect()));
    }
    chances
}

impl Chance {
    /// `None` without votes.
    fn of(mut votes: Vec<f32>) -> Option<Chance> {
        if votes.is_empty() {
            return None;
        }
        let n = votes.len() as f32;
        let mean = votes.iter().sum::<f32>() / n;
        let variance = votes.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
        let middle = votes.len() / 2;
        let median = *votes.select_nth_unstable_by(middle, f32::total_cmp).1;
        let pool = |own: f32, prior: f32| (n * own + PRIOR_SONGS * prior) / (n + PRIOR_SONGS);
        Some(Chance { location: pool(median, PRIOR_LOCATION), spread: pool(variance, PRIOR_SPREAD * PRIOR_SPREAD).sqrt() })
    }

    /// Standard deviations by which a vote exceeds chance.
    pub fn deviation(&self, vote: f32) -> f32 {
        (vote - self.location) / self.spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(ballots: &[Ballot], reference: impl Fn(u32) -> bool, count: usize) -> Vec<Candidate> {
        let ballots: Vec<&Ballot> = ballots.iter().collect();
        choose(&ballots, &chances(&ballots, reference), count)
    }

    fn ballot(song: u32, votes: &[f32]) -> Ballot {
        Ballot { song, votes: votes.iter().map(|&v| v.is_finite().then_some(v)).collect() }
    }

    #[test]
    fn in_a_large_library_z_is_the_quadratic_mean_of_the_deviations() {
        // Votes of 999 songs at evenly spaced quantiles; the deviation of pair k is scaled by k + 1 and undone by z.
        let chance = |i: u32| (i as f32 - 499.0) / 1000.0;
        let mut ballots: Vec<Ballot> =
            (0..999).map(|i| ballot(i, &[0.3 + 0.1 * chance(i), 0.4 + 0.2 * chance(i), 0.4, 0.3 + 0.1 * chance(i)])).collect();
        ballots.push(ballot(999, &[0.3 + 0.3, 0.4 + 0.2, f32::NAN, 0.3 + 0.1]));
        let best = chosen(&ballots, |_| true, 2);
        assert_eq!(best[0].song, 999);
        let sd = 0.1 / 12f32.sqrt();
        let squares = [0.3 / sd, 0.2 / (2.0 * sd), 0.0, 0.1 / sd].map(|deviation: f32| deviation * deviation);
        let expected = (squares.iter().sum::<f32>() / 4.0).sqrt();
        assert!((best[0].z / expected - 1.0).abs() < 0.2, "{} against {expected}", best[0].z);
        assert_eq!(best[1].song, 998);
    }

    #[test]
    fn tiny_libraries_have_sane_deviations() {
        let good = chosen(&[ballot(0, &[0.9, 0.85])], |_| true, 10)[0].z;
        let bad = chosen(&[ballot(0, &[0.44, 0.46])], |_| true, 10)[0].z;
        assert!(good > 2.0 && good < 8.0 && bad.abs() < 1.0, "alone: {good} and {bad}");
        for songs in 2..20 {
            let mut ballots: Vec<Ballot> = (0..songs).map(|i| ballot(i, &[0.35 + 0.001 * i as f32])).collect();
            let none = chosen(&ballots, |_| true, 10)[0].z;
            ballots[0].votes = vec![Some(0.9)];
            let one = chosen(&ballots, |_| true, 10);
            assert!(none < 1.0, "{songs} songs like each other: {none}");
            assert!(one[0].song == 0 && one[0].z > 1.5 && one[0].z < 10.0, "{songs} songs, one right: {}", one[0].z);
        }
    }

    #[test]
    fn chance_is_measured_on_the_reference_only() {
        let mut ballots: Vec<Ballot> = (0..100).map(|i| ballot(i, &[0.2 + 0.001 * i as f32])).collect();
        let before = chosen(&ballots, |_| true, 1)[0].z;
        ballots.extend((100..150).map(|i| ballot(i, &[0.8])));
        let after = chosen(&ballots, |song| song < 100, 51);
        assert_eq!(after[50], Candidate { song: 99, z: before });
    }

    #[test]
    fn ties_go_to_the_lower_ordinal_and_nothing_comes_of_nothing() {
        let ballots = [ballot(4, &[0.5]), ballot(2, &[0.5]), ballot(3, &[0.5])];
        assert_eq!(chosen(&ballots, |_| true, 2).iter().map(|c| c.song).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(chosen(&[], |_| true, 5), []);
        assert_eq!(chosen(&[ballot(0, &[f32::NAN])], |_| true, 5), [Candidate { song: 0, z: 0.0 }]);
    }
}
