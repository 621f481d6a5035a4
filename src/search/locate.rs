//! Locates the passages of a song that the votes for it come from: these are worth aligning.
//!
//! A diagonal of a pair of window lengths is a guess: the hum begins at this place of the song and goes on at this tempo. How far
//! its vote stands out from what unrelated songs get is evidence for the place in the song that the middle of the hum would fall on; the middle, because it moves
//! least with the tempo. Evidence of all pairs adds up, and the places with the most of it are looked at. In recordings votes find the place far
//! more often than alignment, which lays a hum on whatever passage of a song has the most notes in common with it.

use std::collections::HashMap;

use qbh_index::{PairScores, Snapshot};
use qbh_models::embedder::windows::WindowVectors;

use super::embed::queries;
use super::standardize::NullDistribution;
use super::vote::{Diagonals, diagonals};

/// Passages of a song that are aligned, beside all of it.
const PASSAGES: usize = 3;
/// Contour steps over which evidence is added up (0.5 s).
const BIN: f32 = 5.0;
/// The middles of two passages are at least this share of the hum apart, and at least so many steps of its length are reckoned with.
const APART: f32 = 0.5;
const SHORTEST: f32 = 50.0;
/// A passage is so much longer than the hum would take at the tempo that the votes tell, and so many steps more at either end.
const LONGER: f32 = 1.25;
const MARGIN: f32 = 20.0;
/// A hum so many times as fast as the song is slowed down: between its own tempo and the slower one.
const FAST: f32 = 1.2;

/// A part of a song: contour steps `start..end`, where the end may lie beyond the song's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// First step.
    pub start: u32,
    /// One past the last step.
    pub end: u32,
    /// Whether the votes tell that the hum is so much faster than the song that it is laid on it slowed down.
    pub slowed: bool,
}

impl Passage {
    /// All of a song.
    pub const WHOLE: Passage = Passage { start: 0, end: u32::MAX, slowed: false };
}

/// How windows of hum and songs are cut.
#[derive(Debug, Clone)]
pub struct Geometry {
    /// Steps of the hum.
    pub hum: usize,
    /// Lengths of hum windows, in steps, as votes are ordered by them.
    pub lengths: Vec<u16>,
    /// Lengths of song windows, in steps, by level.
    pub levels: Vec<u16>,
    /// Windows to a length.
    pub windows_per_length: u16,
}

/// The passages of each of `songs` that its votes point to, the best first; `nulls` are those of the votes.
///
/// # Errors
/// What the index reports.
pub fn locate(
    snapshot: &Snapshot,
    hum: &[WindowVectors],
    nulls: &[Option<NullDistribution>],
    geometry: &Geometry,
    songs: &[u32],
) -> Result<Vec<Vec<Passage>>, qbh_index::Error> {
    let found = snapshot.score(&queries(hum), Some(songs), |_, pairs| passages(pairs, nulls, geometry))?;
    let mut found: HashMap<u32, Vec<Passage>> = found.into_iter().collect();
    Ok(songs.iter().map(|song| found.remove(song).unwrap_or_default()).collect())
}

/// The passages of one song.
fn passages(pairs: &[PairScores], nulls: &[Option<NullDistribution>], geometry: &Geometry) -> Vec<Passage> {
    let (mut evidence, mut buffers) = (Evidence::default(), Diagonals::default());
    for pair in pairs {
        let length = geometry.lengths.iter().position(|&steps| steps == pair.hum_steps);
        let null = length.and_then(|length| nulls.get(length * geometry.levels.len() + pair.level).copied().flatten());
        if let Some(null) = null {
            evidence.add(pair, null, geometry, &mut buffers);
        }
    }
    let hum = geometry.hum as f32;
    let passage = |bin: usize| {
        let tempo = (evidence.tempo[bin] / evidence.sum[bin]).exp();
        let half = tempo * hum / 2.0 * LONGER + MARGIN;
        Passage { start: (middle(bin) - half).max(0.0) as u32, end: (middle(bin) + half) as u32, slowed: tempo >= FAST }
    };
    peaks(&evidence.sum, (APART * hum.max(SHORTEST) / BIN) as usize).into_iter().map(passage).collect()
}

/// Evidence for the place of the middle of the hum, by bins of the song.
#[derive(Debug, Default)]
struct Evidence {
    /// Squares of the deviations above 0.
    sum: Vec<f32>,
    /// The same, times the logarithm of the tempo that the pair stands for.
    tempo: Vec<f32>,
}

impl Evidence {
    fn add(&mut self, pair: &PairScores, null: NullDistribution, geometry: &Geometry, buffers: &mut Diagonals) {
        let (Some(&level), Some(&last)) = (geometry.levels.get(pair.level), pair.hum_positions.last()) else { return };
        let Some(sums) = diagonals(pair, buffers) else { return };
        let windows = pair.hum_positions.len() as f32;
        let hop = f32::from(level) / f32::from(geometry.windows_per_length);
        let ratio = f32::from(level) / f32::from(pair.hum_steps);
        // The middle of the hum on the first diagonal, and on the last one.
        let first = ratio * geometry.hum as f32 / 2.0 - (f32::from(last) + 1.0) * hop;
        let end = first + sums.len().saturating_sub(1) as f32 * hop;
        let bins = (end / BIN).max(0.0) as usize;
        if bins > self.sum.len() {
            self.sum.resize(bins, 0.0);
            self.tempo.resize(bins, 0.0);
        }
        for bin in (0..bins).filter(|&bin| middle(bin) >= first) {
            let at = (middle(bin) - first) / hop;
            let (Some(before), Some(after)) = (sums.get(at as usize), sums.get(at as usize + 1)) else { continue };
            let vote = (before + (after - before) * at.fract()) / windows;
            let weight = null.deviation(vote).max(0.0).powi(2);
            self.sum[bin] += weight;
            self.tempo[bin] += weight * ratio.ln();
        }
    }
}

/// Contour step in the middle of a bin.
fn middle(bin: usize) -> f32 {
    (bin as f32 + 0.5) * BIN
}

/// The bins with the most evidence, more than `apart` from each other, best first; ties go to the earlier one.
fn peaks(evidence: &[f32], apart: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..evidence.len()).filter(|&bin| evidence[bin] > 0.0).collect();
    order.sort_by(|&a, &b| evidence[b].total_cmp(&evidence[a]).then(a.cmp(&b)));
    let mut peaks: Vec<usize> = Vec::new();
    for bin in order {
        if peaks.len() == PASSAGES {
            break;
        }
        if peaks.iter().all(|peak| peak.abs_diff(bin) > apart) {
            peaks.push(bin);
        }
    }
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;

    const NULL: Option<NullDistribution> = Some(NullDistribution { location: 0.4, spread: 0.1 });

    /// Hum windows of 10 s, song windows of 20 s: four hum positions, forty of the song, 5 s apart. `at` is where the hum begins.
    fn found(at: &[(usize, f32)]) -> Vec<Passage> {
        let (hum, song): (Vec<u16>, Vec<u16>) = ((0..4).collect(), (0..40).collect());
        let mut scores = vec![0.3; 4 * 40];
        for &(first, score) in at {
            (0..4).for_each(|i| scores[i * 40 + first + i] = score);
        }
        let pair = PairScores { hum_steps: 100, level: 0, hum_positions: &hum, song_positions: &song, scores: &scores };
        let geometry = Geometry { hum: 175, lengths: vec![100], levels: vec![200], windows_per_length: 4 };
        passages(&[pair], &[NULL], &geometry)
    }

    #[test]
    fn the_passage_is_where_the_windows_agree_at_the_tempo_they_agree_at() {
        let passages = found(&[(10, 0.9)]);
        // From 50 s on, the hum of 17.5 s at half its tempo: the middle at 67.5 s, 35 s long.
        let Passage { start, end, slowed } = passages[0];
        assert!(slowed, "twice as fast as the song");
        assert!((start + end).abs_diff(2 * 675) <= 10, "{passages:?}");
        assert!((end - start).abs_diff((350.0 * LONGER + 2.0 * MARGIN) as u32) <= 2, "{passages:?}");
    }

    #[test]
    fn passages_come_in_the_order_of_their_evidence_and_lie_apart() {
        let passages = found(&[(5, 0.8), (20, 0.9), (30, 0.7)]);
        let middles: Vec<u32> = passages.iter().map(|p| (p.start + p.end) / 2).collect();
        assert_eq!(middles.len(), 3);
        for (middle, expected) in middles.iter().zip([1175u32, 425, 1675]) {
            assert!(middle.abs_diff(expected) <= 50, "{middles:?}");
        }
        assert!(found(&[]).is_empty(), "no more than unrelated songs get is no evidence");
    }
}
