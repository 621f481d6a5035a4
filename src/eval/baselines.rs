//! What can be done without learning: every song is compared with the hum in full. To hold the search against.

use std::time::Instant;

use qbh_index::{Index, SongId};
use qbh_models::Contour;
use rayon::prelude::*;

use crate::search::sequence::PitchSequence;

/// Keys tried within the octave, half a semitone apart.
const KEYS: usize = 24;
/// Differences of pitch are capped here, semitones.
const CAP: f32 = 3.0;
/// What a step of slope 1/2 or 2 costs.
const SLOPE: f32 = 0.25;
/// Tempo ratios that linear scaling tries.
const SCALES: [f32; 11] = [0.5, 0.574, 0.66, 0.758, 0.871, 1.0, 1.149, 1.32, 1.516, 1.741, 2.0];

/// A way to compare without learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Subsequence dynamic time warping of the whole hum (Sakoe and Chiba 1978) on pitch classes, in 24 keys, steps (1,1), (1,2), (2,1).
    Warping,
    /// Linear scaling (Jang and Lee 2001): the hum at eleven tempos, slid over the song frame by frame; the mean pitches made equal.
    Scaling,
}

impl Baseline {
    /// All of them, with names for reports.
    pub const ALL: [(&'static str, Baseline); 2] = [("dtw", Baseline::Warping), ("linear_scaling", Baseline::Scaling)];
}

/// The melodies of a library, at 5 Hz, in the order of their keys.
pub struct Exhaustive {
    songs: Vec<(SongId, Vec<f32>)>,
}

impl Exhaustive {
    /// Reads all songs of an index.
    ///
    /// # Errors
    /// What the index reports.
    pub fn new(index: &Index) -> Result<Self, qbh_index::Error> {
        let mut known = index.songs().map(|song| song.map(|song| (song.key, song.id))).collect::<Result<Vec<_>, _>>()?;
        known.sort();
        let mut songs = Vec::new();
        for (_, id) in known {
            songs.extend(index.contour(id)?.map(|contour| (id, PitchSequence::new(&contour).pitch)));
        }
        Ok(Exhaustive { songs })
    }

    /// All songs, the most like the hum first, of those alike the one whose key comes first; and the seconds it took on all cores.
    pub fn rank(&self, hum: &Contour, baseline: Baseline) -> (Vec<SongId>, f64) {
        let begin = Instant::now();
        let hum = PitchSequence::new(&hum.pitch).pitch;
        let cost = |song: &[f32]| match baseline {
            Baseline::Warping => warping(&hum, song),
            Baseline::Scaling => scaling(&hum, song),
        };
        let mut costs: Vec<(f32, SongId)> = self.songs.par_iter().map(|(id, song)| (cost(song), *id)).collect();
        // Stable: the songs are in the order of their keys.
        costs.sort_by(|a, b| a.0.total_cmp(&b.0));
        (costs.into_iter().map(|(_, id)| id).collect(), begin.elapsed().as_secs_f64())
    }
}

/// Mean capped difference per hum frame along the best path in the best key.
fn warping(hum: &[f32], song: &[f32]) -> f32 {
    if hum.is_empty() || song.is_empty() {
        return f32::INFINITY;
    }
    let song: Vec<f32> = song.iter().map(|p| p.rem_euclid(12.0)).collect();
    let costs = (0..KEYS).map(|key| {
        let shift = 12.0 * key as f32 / KEYS as f32;
        // Two cells that cannot be entered stand before the song; any frame of it may be the first.
        let row = vec![f32::INFINITY; song.len() + 2];
        let (mut above, mut above2, mut here) = (row.clone(), row.clone(), row);
        for (i, pitch) in hum.iter().enumerate() {
            let class = (pitch + shift).rem_euclid(12.0);
            let (straight, skip_song, skip_hum) = (&above[1..], &above[..], &above2[1..]);
            for (j, out) in here[2..].iter_mut().enumerate() {
                let ring = (class - song[j]).abs();
                let d = ring.min(12.0 - ring).min(CAP);
                let from = straight[j].min(skip_song[j] + SLOPE).min(skip_hum[j] + SLOPE + d);
                *out = if i == 0 { d } else { from + d };
            }
            std::mem::swap(&mut above, &mut above2);
            std::mem::swap(&mut above, &mut here);
        }
        above.iter().copied().fold(f32::INFINITY, f32::min)
    });
    costs.fold(f32::INFINITY, f32::min) / hum.len() as f32
}

/// Mean capped difference per frame at the best tempo and place.
fn scaling(hum: &[f32], song: &[f32]) -> f32 {
    // Sums of the first 0, 1, 2 .. frames: the mean of any place is one subtraction.
    let mut sums = vec![0.0f64];
    sums.extend(song.iter().scan(0.0, |sum, p| {
        *sum += f64::from(*p);
        Some(*sum)
    }));
    let mut best = f32::INFINITY;
    for scale in SCALES {
        let length = (hum.len() as f32 * scale) as usize;
        if length == 0 || length > song.len() {
            continue;
        }
        let mut scaled: Vec<f32> = (0..length).map(|i| hum[((i as f32 + 0.5) / scale) as usize % hum.len()]).collect();
        let mean = scaled.iter().sum::<f32>() / length as f32;
        scaled.iter_mut().for_each(|p| *p -= mean);
        for (place, (before, until)) in song.windows(length).zip(sums.iter().zip(&sums[length..])) {
            let mean = ((until - before) / length as f64) as f32;
            best = best.min(difference(place, &scaled, mean) / length as f32);
        }
    }
    best
}

/// Sum of the capped differences of `song - mean` and `hum`; in lanes, which compilers turn into vectors.
fn difference(song: &[f32], hum: &[f32], mean: f32) -> f32 {
    const LANES: usize = 16;
    let capped = |s: f32, h: f32| {
        let d = (s - mean - h).abs();
        if d < CAP { d } else { CAP }
    };
    let mut lanes = [0.0f32; LANES];
    let (songs, hums) = (song.chunks_exact(LANES), hum.chunks_exact(LANES));
    let rest: f32 = songs.remainder().iter().zip(hums.remainder()).map(|(&s, &h)| capped(s, h)).sum();
    for (s, h) in songs.zip(hums) {
        for (lane, (&s, &h)) in lanes.iter_mut().zip(s.iter().zip(h)) {
            *lane += capped(s, h);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tune(seed: u32, frames: usize) -> Vec<f32> {
        let mut state = seed;
        let mut pitch = 60.0;
        (0..frames)
            .map(|i| {
                if i % 3 == 0 {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    pitch = 55.0 + (state >> 16) as f32 % 17.0;
                }
                pitch
            })
            .collect()
    }

    #[test]
    fn the_own_song_costs_least_in_another_key_and_tempo() {
        let songs: Vec<Vec<f32>> = (0..12).map(|seed| tune(seed, 300)).collect();
        let hum: Vec<f32> = (0..50).map(|i| songs[4][100 + (i as f32 * 1.32) as usize] + 3.5).collect();
        for (name, cost) in [("warping", warping as fn(&[f32], &[f32]) -> f32), ("scaling", scaling)] {
            let costs: Vec<f32> = songs.iter().map(|song| cost(&hum, song)).collect();
            let best = (0..12).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap();
            assert!(best == 4 && costs[4] < 0.5, "{name}: {costs:?}");
        }
        assert!(warping(&songs[4][100..150], &songs[4]) < 1e-6 && scaling(&songs[4][100..150], &songs[4]) < 1e-4);
    }

    #[test]
    fn what_is_too_short_is_no_match() {
        assert_eq!(scaling(&tune(1, 50), &tune(1, 20)), f32::INFINITY);
        assert_eq!(warping(&[], &[60.0]), f32::INFINITY);
        assert_eq!(warping(&[60.0], &[]), f32::INFINITY);
    }
}
