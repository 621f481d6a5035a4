//! Votes: how well the windows of a hum, in their order, fit windows of a song that follow each other at the same pace.

use qbh_index::{PairScores, Snapshot};
use qbh_models::embedder::windows::WindowVectors;

use super::embed::queries;

/// What a step off the diagonal costs, in cosine similarity.
const OFF_DIAGONAL: f32 = 0.03;

/// Marks window positions that a song does not hold; less than any cosine similarity less [`OFF_DIAGONAL`].
const ABSENT: f32 = -4.0;

/// What a song got.
#[derive(Debug, Clone, PartialEq)]
pub struct SongVotes {
    /// The song's ordinal in the snapshot.
    pub song: u32,
    /// Its path vote for each pair of hum length and song level, all levels of the first length first; `None` where it has no windows.
    pub votes: Vec<Option<f32>>,
}

/// The votes of all songs, or of those listed, by ascending ordinal.
///
/// # Errors
/// What the index reports.
pub fn vote(snapshot: &Snapshot, hum: &[WindowVectors], songs: Option<&[u32]>) -> Result<Vec<SongVotes>, qbh_index::Error> {
    let levels = snapshot.levels().len();
    let votes = snapshot.score(&queries(hum), songs, |song, pairs| of_song(song, pairs, hum, levels))?;
    Ok(votes.into_iter().map(|(_, votes)| votes).collect())
}

fn of_song(song: u32, pairs: &[PairScores], hum: &[WindowVectors], levels: usize) -> SongVotes {
    let mut buffers = Diagonals::default();
    let mut votes = vec![None; hum.len() * levels];
    for pair in pairs {
        if let Some(length) = hum.iter().position(|windows| windows.steps == pair.hum_steps) {
            votes[length * levels + pair.level] = path_vote(pair, &mut buffers);
        }
    }
    SongVotes { song, votes }
}

/// Buffers of [`diagonals`], to be used again from pair to pair.
#[derive(Debug, Default)]
pub struct Diagonals {
    row: Vec<f32>,
    sums: Vec<f32>,
}

/// `max over d of mean over i of max(S[i, i + d], S[i, i + d +- 1] - 0.03)`, where `S` are cosine similarities, `i` positions of
/// hum windows and `i + d` positions of song windows. Positions advance together because windows hop by the same share of their
/// length: a diagonal of slope 1 is one tempo ratio held from end to end. A hum window with no song window beside it counts 0.
///
/// -1..=1; `None` when either side has no window.
fn path_vote(pair: &PairScores, buffers: &mut Diagonals) -> Option<f32> {
    let best = diagonals(pair, buffers)?.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    Some(best / pair.hum_positions.len() as f32)
}

/// The sums over `i` of what a path vote is the mean of, for every `d` from one before the last hum window on: value `k` belongs to
/// `d = k - 1 - last hum position`.
pub fn diagonals<'b>(pair: &PairScores, buffers: &'b mut Diagonals) -> Option<&'b [f32]> {
    let (&last_hum, &last_song) = (pair.hum_positions.last()?, pair.song_positions.last()?);
    let (last_hum, last_song) = (usize::from(last_hum), usize::from(last_song));
    let Diagonals { row, sums } = buffers;
    // sums[last_hum + d]; one more diagonal at either end, where a step off the diagonal reaches the outermost windows.
    sums.clear();
    sums.resize(last_hum + last_song + 3, 0.0);
    // row[2 + p] is the similarity at song position p, with two absent positions at either end.
    row.clear();
    row.resize(last_song + 5, ABSENT);

    let song_windows = pair.song_positions.len();
    for (&hum_position, scores) in pair.hum_positions.iter().zip(pair.scores.chunks_exact(song_windows)) {
        for (&position, &score) in pair.song_positions.iter().zip(scores) {
            row[2 + usize::from(position)] = score;
        }
        let first = last_hum - usize::from(hum_position);
        let votes = row.iter().zip(&row[1..]).zip(&row[2..]);
        for (sum, ((&before, &here), &after)) in sums[first..].iter_mut().zip(votes) {
            let beside = if before > after { before } else { after } - OFF_DIAGONAL;
            let vote = if here > beside { here } else { beside };
            *sum += if vote > ABSENT / 2.0 { vote } else { 0.0 };
        }
    }
    Some(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(pair: &PairScores) -> f32 {
        let at = |row: usize, position: i32| {
            let column = pair.song_positions.iter().position(|&p| i32::from(p) == position)?;
            Some(pair.scores[row * pair.song_positions.len() + column])
        };
        let (last_hum, last_song) = (*pair.hum_positions.last().unwrap(), *pair.song_positions.last().unwrap());
        let mut best = f32::NEG_INFINITY;
        for d in -i32::from(last_hum) - 1..=i32::from(last_song) + 1 {
            let mut sum = 0.0;
            for (row, &hum) in pair.hum_positions.iter().enumerate() {
                let p = i32::from(hum) + d;
                let votes = [at(row, p), at(row, p - 1).map(|s| s - 0.03), at(row, p + 1).map(|s| s - 0.03)];
                sum += votes.into_iter().flatten().reduce(f32::max).unwrap_or(0.0);
            }
            best = best.max(sum / pair.hum_positions.len() as f32);
        }
        best
    }

    fn positions() -> impl Strategy<Value = Vec<u16>> {
        prop::collection::btree_set(0u16..40, 1..20).prop_map(|set| set.into_iter().collect())
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(hum in positions(), song in positions(), seed in any::<u64>()) {
            let mut state = seed;
            let scores: Vec<f32> = (0..hum.len() * song.len())
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
                })
                .collect();
            let pair = PairScores { hum_steps: 100, level: 0, hum_positions: &hum, song_positions: &song, scores: &scores };
            let vote = path_vote(&pair, &mut Diagonals::default()).unwrap();
            prop_assert!((vote - naive(&pair)).abs() < 1e-5);
        }
    }

    #[test]
    fn windows_in_order_vote_as_one() {
        let hum: Vec<u16> = (0..4).collect();
        let song: Vec<u16> = (0..20).collect();
        let mut scores = vec![0.1; 80];
        for i in 0..4 {
            scores[i * 20 + i + 7] = 0.9;
        }
        let pair = PairScores { hum_steps: 100, level: 1, hum_positions: &hum, song_positions: &song, scores: &scores };
        let vote = path_vote(&pair, &mut Diagonals::default()).unwrap();
        assert!((vote - 0.9).abs() < 1e-6);
    }
}
