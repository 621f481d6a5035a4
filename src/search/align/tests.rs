//! The alignment against its definition, and what it is for.

use super::recurrence::{SKIP, TAU, difference, shifted};
use super::*;
use crate::search::sequence::PitchSequence;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A melody of random notes, as 5 Hz pitches.
pub(super) fn tune(seed: u64, frames: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pitch = 60.0;
    let mut tune = Vec::new();
    while tune.len() < frames {
        pitch = (pitch + rng.random_range(-4i8..=4) as f32).clamp(50.0, 75.0);
        for _ in 0..rng.random_range(1..5) {
            tune.push(pitch);
        }
    }
    tune.truncate(frames);
    tune
}

pub(super) fn classes(pitch: &[f32]) -> Vec<u16> {
    let contour: Vec<f32> = pitch.iter().flat_map(|&p| [p, p]).collect();
    PitchSequence::new(&contour).class
}

fn align(hum: &[u16], song: &[u16]) -> Alignment {
    Aligner::new(hum).align(song, &mut Buffers::default())
}

/// The definition in floating point, cell by cell.
fn by_definition(hum: &[f32], song: &[f32]) -> f32 {
    let (tau, w, cap) = (1.2, 0.25, 3.0);
    let mut best = 0.0f32;
    for shift in 0..24 {
        let mut h = vec![vec![0.0f32; song.len() + 2]; hum.len() + 2];
        for i in 0..hum.len() {
            for j in 0..song.len() {
                let ring = (hum[i] + shift as f32 / 2.0 - song[j]).rem_euclid(12.0);
                let d = ring.min(12.0 - ring).min(cap);
                let from = h[i + 1][j + 1].max(h[i + 1][j] - w).max(h[i][j + 1] - w + tau - d);
                h[i + 2][j + 2] = (from + tau - d).max(0.0);
                best = best.max(h[i + 2][j + 2]);
            }
        }
    }
    best / (tau * hum.len() as f32)
}

#[test]
fn agrees_with_the_definition() {
    for seed in 0..4 {
        let (hum, song) = (tune(seed, 40), tune(100 + seed, 170));
        let score = align(&classes(&hum), &classes(&song)).score;
        assert!((score - by_definition(&hum, &song)).abs() < 0.03, "{score} against {}", by_definition(&hum, &song));
    }
}

#[test]
fn the_hum_finds_its_place() {
    let song = tune(7, 900);
    let hum = classes(&song[300..360]);
    let song = classes(&song);
    let found = align(&hum, &song);
    assert_eq!((found.score, found.shift), (1.0, 0));
    assert!(found.moves > 0.15, "a move every 2.5 frames: {}", found.moves);
    let path = Aligner::new(&hum).path(&song, 0);
    assert_eq!(path, (0..60).map(|i| (i, 300 + i)).collect::<Vec<_>>());
}

#[test]
fn a_hum_that_begins_before_the_song_scores_by_what_overlaps() {
    let song = tune(8, 400);
    let mut hum = tune(9, 30);
    hum.extend(&song[..60]);
    let hum = classes(&hum);
    let found = align(&hum, &classes(&song));
    assert!(found.score >= 60.0 / 90.0 - 0.01, "{}", found.score);
    let path = Aligner::new(&hum).path(&classes(&song), found.shift);
    assert_eq!(path.last(), Some(&(89, 59)));
    assert!(path.contains(&(30, 0)));
}

#[test]
fn nothing_aligns_with_nothing() {
    assert_eq!(align(&[], &[1, 2, 3]).score, 0.0);
    assert_eq!(align(&[1, 2, 3], &[]).score, 0.0);
    assert!(Aligner::new(&[]).path(&[1], 0).is_empty());
    assert!(Aligner::new(&[1]).path(&[], 0).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_key_does_not_matter(seed in any::<u64>(), half_semitones in -48i32..48) {
        let (song, other) = (tune(seed, 200), tune(seed ^ 1, 50));
        let hum: Vec<f32> = song[70..110].iter().chain(&other).copied().collect();
        let moved: Vec<f32> = hum.iter().map(|p| p + half_semitones as f32 / 2.0).collect();
        let (here, there) = (align(&classes(&hum), &classes(&song)), align(&classes(&moved), &classes(&song)));
        prop_assert!((here.score - there.score).abs() < 0.02, "{} and {}", here.score, there.score);
    }

    #[test]
    fn tempo_costs_little(seed in any::<u64>(), tempo in 0.6f32..1.6) {
        let song = tune(seed, 300);
        let frames = (80.0 / tempo) as usize;
        let hum: Vec<f32> = (0..frames).map(|i| song[100 + ((i as f32 + 0.5) * tempo) as usize]).collect();
        let hum = classes(&hum);
        let found = align(&hum, &classes(&song));
        prop_assert!(found.score > 0.75, "{} at tempo {tempo}", found.score);
        let path = Aligner::new(&hum).path(&classes(&song), found.shift);
        prop_assert!(path.windows(2).all(|p| p[0].0 < p[1].0 && p[0].1 < p[1].1));
    }

    #[test]
    fn the_path_earns_the_score(seed in any::<u64>(), hum in 1usize..60, song in 1usize..200) {
        let (hum, song) = (classes(&tune(seed, hum)), classes(&tune(seed ^ 5, song)));
        let found = align(&hum, &song);
        let mut earned = 0i32;
        let mut before: Option<(usize, usize)> = None;
        for (i, j) in Aligner::new(&hum).path(&song, found.shift) {
            let gain = i32::from(TAU) - i32::from(difference(shifted(hum[i], found.shift), song[j]));
            earned += gain;
            match before {
                Some((a, b)) if i - a == 2 => { prop_assert_eq!(j - b, 1); earned += gain - i32::from(SKIP); }
                Some((_, b)) if j - b == 2 => earned -= i32::from(SKIP),
                // A path may also open with a step over a hum frame that nothing came before.
                _ => {}
            }
            before = Some((i, j));
        }
        let score = earned as f32 / (f32::from(TAU) * hum.len() as f32);
        prop_assert!(found.score - score <= (f32::from(TAU)) / (f32::from(TAU) * hum.len() as f32) + 1e-6);
        prop_assert!(score <= found.score + 1e-6);
    }
}
