//! Chooses candidates: the songs whose votes stand out from what unrelated songs get.

use super::standardize::NullDistribution;
use super::vote::SongVotes;

/// A song worth aligning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The song's ordinal in the snapshot.
    pub song: u32,
    /// Standard deviations by which its votes exceed those of other songs.
    pub z: f32,
}

/// The `count` songs whose votes stand out most, best first; of songs alike, those whose `key` comes first.
///
/// Every pair's votes are put on one scale, the null distribution of that pair. A song's `z` is the quadratic mean over the pairs of the deviations
/// above 0: pairs that agree count for more than one that stands out, and the tempo ratios that do not fit take little away. A pair that it lacks counts as an average vote.
///
/// # Errors
/// What `key` reports.
pub fn choose<E>(
    votes: &[&SongVotes],
    nulls: &[Option<NullDistribution>],
    count: usize,
    key: impl Fn(u32) -> Result<String, E>,
) -> Result<Vec<Candidate>, E> {
    let candidate = |song: &&SongVotes| Candidate { song: song.song, z: deviation(&song.votes, nulls) };
    let mut candidates: Vec<Candidate> = votes.iter().map(candidate).collect();
    candidates.sort_by(|a, b| b.z.total_cmp(&a.z));
    settle_ties(&mut candidates, count, key)?;
    candidates.truncate(count);
    Ok(candidates)
}

/// Orders songs alike by their keys, as far as one of them is among the first `count`; most songs have no equal, and their keys are not asked for.
fn settle_ties<E>(candidates: &mut [Candidate], count: usize, key: impl Fn(u32) -> Result<String, E>) -> Result<(), E> {
    let mut start = 0;
    for alike in candidates.chunk_by_mut(|a, b| a.z == b.z) {
        if start >= count {
            break;
        }
        start += alike.len();
        if alike.len() > 1 {
            let keyed: Result<Vec<(String, Candidate)>, E> = alike.iter().map(|&c| Ok((key(c.song)?, c))).collect();
            let mut keyed = keyed?;
            keyed.sort_by(|a, b| a.0.cmp(&b.0));
            alike.iter_mut().zip(keyed).for_each(|(place, (_, candidate))| *place = candidate);
        }
    }
    Ok(())
}

/// The quadratic mean of the deviations above 0. Pairs that no song has are left out of the count.
fn deviation(votes: &[Option<f32>], nulls: &[Option<NullDistribution>]) -> f32 {
    let (mut sum, mut pairs) = (0.0, 0);
    for (vote, null) in votes.iter().zip(nulls) {
        if let Some(null) = null {
            sum += vote.map_or(0.0, |vote| null.deviation(vote)).max(0.0).powi(2);
            pairs += 1;
        }
    }
    (sum / pairs.max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::standardize::standardize;
    use super::*;

    /// Keys are in the opposite order of the ordinals.
    fn chosen(votes: &[SongVotes], reference: impl Fn(u32) -> bool, count: usize) -> Vec<Candidate> {
        let votes: Vec<&SongVotes> = votes.iter().collect();
        choose(&votes, &standardize(&votes, reference), count, |song| Ok::<_, ()>((9999 - song).to_string())).unwrap()
    }

    fn votes(song: u32, votes: &[f32]) -> SongVotes {
        SongVotes { song, votes: votes.iter().map(|&v| v.is_finite().then_some(v)).collect() }
    }

    #[test]
    fn in_a_large_library_z_is_the_quadratic_mean_of_the_deviations() {
        // Votes of 999 songs at evenly spaced quantiles; the deviation of pair k is scaled by k + 1 and undone by z.
        let quantile = |i: u32| (i as f32 - 499.0) / 1000.0;
        let mut songs: Vec<SongVotes> = (0..999)
            .map(|i| votes(i, &[0.3 + 0.1 * quantile(i), 0.4 + 0.2 * quantile(i), 0.4, 0.3 + 0.1 * quantile(i)]))
            .collect();
        songs.push(votes(999, &[0.3 + 0.3, 0.4 + 0.2, f32::NAN, 0.3 + 0.1]));
        let best = chosen(&songs, |_| true, 2);
        assert_eq!(best[0].song, 999);
        let sd = 0.1 / 12f32.sqrt();
        let squares = [0.3 / sd, 0.2 / (2.0 * sd), 0.0, 0.1 / sd].map(|deviation: f32| deviation * deviation);
        let expected = (squares.iter().sum::<f32>() / 4.0).sqrt();
        assert!((best[0].z / expected - 1.0).abs() < 0.2, "{} against {expected}", best[0].z);
        assert_eq!(best[1].song, 998);
    }

    #[test]
    fn tiny_libraries_have_sane_deviations() {
        // Unrelated songs get votes of about .26, by the prior.
        let good = chosen(&[votes(0, &[0.75, 0.7])], |_| true, 10)[0].z;
        let bad = chosen(&[votes(0, &[0.29, 0.31])], |_| true, 10)[0].z;
        assert!(good > 2.0 && good < 8.0 && bad.abs() < 1.0, "alone: {good} and {bad}");
        for count in 2..20 {
            let mut songs: Vec<SongVotes> = (0..count).map(|i| votes(i, &[0.21 + 0.001 * i as f32])).collect();
            let none = chosen(&songs, |_| true, 10)[0].z;
            songs[0].votes = vec![Some(0.75)];
            let one = chosen(&songs, |_| true, 10);
            assert!(none < 1.0, "{count} songs like each other: {none}");
            assert!(one[0].song == 0 && one[0].z > 1.5 && one[0].z < 10.0, "{count} songs, one right: {}", one[0].z);
        }
    }

    #[test]
    fn the_null_distribution_is_that_of_the_reference_only() {
        let mut songs: Vec<SongVotes> = (0..100).map(|i| votes(i, &[0.2 + 0.001 * i as f32])).collect();
        let before = chosen(&songs, |_| true, 1)[0].z;
        songs.extend((100..150).map(|i| votes(i, &[0.8])));
        let after = chosen(&songs, |song| song < 100, 51);
        assert_eq!(after[50], Candidate { song: 99, z: before });
    }

    #[test]
    fn ties_are_settled_by_key_and_nothing_comes_of_nothing() {
        let songs = [votes(4, &[0.5]), votes(2, &[0.5]), votes(3, &[0.5])];
        assert_eq!(chosen(&songs, |_| true, 2).iter().map(|c| c.song).collect::<Vec<_>>(), [4, 3], "the first keys");
        assert_eq!(chosen(&[], |_| true, 5), []);
        assert_eq!(chosen(&[votes(0, &[f32::NAN])], |_| true, 5), [Candidate { song: 0, z: 0.0 }]);
    }
}
