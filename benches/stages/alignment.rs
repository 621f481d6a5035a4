//! A hum laid along songs, in all keys.

use std::hint::black_box;

use qbh::search::align::{Aligner, Buffers};
use qbh::search::sequence::PitchSequence;

use crate::material::Material;
use crate::measure::{median, row, section};

/// Keys tried first; ours then refines the best one.
const KEYS: usize = 24;

/// Costs and gains as [`qbh::search::align`] has them, an octave of pitch classes being 512.
const UNIT_SHIFT: u32 = 7;
const CAP: u16 = 128;
const TAU: u16 = 51;
const SKIP: u16 = 11;

/// All songs with one hum.
pub fn compare(material: &Material) {
    let hum = PitchSequence::new(&material.hums[0].pitch);
    let songs: Vec<PitchSequence> = material.songs.iter().map(|song| PitchSequence::new(song)).collect();
    let title = format!("Alignment: a hum of {} frames against {} songs, {KEYS} keys", hum.class.len(), songs.len());
    section(&title, "the same recurrence in 16-bit integers, all keys of a cell side by side in the lanes of a vector");
    let lanes = median(|| songs.iter().for_each(|song| _ = black_box(keys_in_lanes(&hum.class, &song.class))));
    row("keys in lanes", 1e3 * lanes, "ms", 1.0);
    const FEW: usize = 8;
    let few = median(|| songs[..FEW].iter().for_each(|song| _ = black_box(cell_by_cell(&hum.class, &song.class))));
    let share = songs[..FEW].iter().map(|song| song.class.len()).sum::<usize>() as f64
        / songs.iter().map(|song| song.class.len()).sum::<usize>() as f64;
    row("f32, cell after cell", 1e3 * few / share, "ms", lanes / (few / share));
    let aligner = Aligner::new(&hum.class);
    let mut buffers = Buffers::default();
    let own = median(|| {
        for song in &songs {
            black_box(aligner.align(&song.class, &mut buffers));
        }
    });
    row("qbh, with the key refined and the path", 1e3 * own, "ms", lanes / own);
    let (a, b) = (keys_in_lanes(&hum.class, &songs[0].class), cell_by_cell(&hum.class, &songs[0].class));
    let ours = aligner.align(&songs[0].class, &mut buffers).score;
    println!("  the same scores of the first song: {a:.3}, {b:.3}, {ours:.3}");
}

/// The best local alignment as a share of a perfect one; with AVX2 where there is any, as ours has.
fn keys_in_lanes(hum: &[u16], song: &[u16]) -> f32 {
    #[multiversion::multiversion(targets("x86_64+avx512bw+avx512vl", "x86_64+avx2"))]
    fn highest(hum: &[u16], song: &[u16]) -> u16 {
        let mut rows = [vec![[0u16; KEYS]; song.len() + 2], vec![[0; KEYS]; song.len() + 2], vec![[0; KEYS]; song.len() + 2]];
        let mut best = [0u16; KEYS];
        for &h in hum {
            let hs: [u16; KEYS] = std::array::from_fn(|key| h.wrapping_add((key * 65536 / KEYS) as u16));
            let [old, previous, out] = &mut rows;
            for (j, &s) in song.iter().enumerate() {
                let (straight, skip_song, skip_hum) = (&previous[j + 1], &previous[j], &old[j + 1]);
                let cell = &mut out[j + 2];
                for key in 0..KEYS {
                    let d = ((hs[key].wrapping_sub(s) as i16).unsigned_abs() >> UNIT_SHIFT).min(CAP);
                    let from = straight[key].max(skip_song[key].saturating_sub(SKIP));
                    let from = from.max(skip_hum[key].saturating_add(TAU).saturating_sub(SKIP + d));
                    cell[key] = from.saturating_add(TAU).saturating_sub(d);
                    best[key] = best[key].max(cell[key]);
                }
            }
            rows.rotate_left(1);
        }
        best.into_iter().max().unwrap_or(0)
    }
    f32::from(highest(hum, song)) / (f32::from(TAU) * hum.len() as f32)
}

/// The same in f32, without any care for speed.
fn cell_by_cell(hum: &[u16], song: &[u16]) -> f32 {
    const OCTAVE: f32 = 65536.0;
    const SEMITONE: f32 = OCTAVE / 12.0;
    let (cap, tau, skip) = (3.0 * SEMITONE, 1.2 * SEMITONE, 0.25 * SEMITONE);
    let mut best = 0.0f32;
    for key in 0..KEYS {
        let mut rows = [vec![0.0f32; song.len() + 2], vec![0.0f32; song.len() + 2], vec![0.0f32; song.len() + 2]];
        for &h in hum {
            let h = f32::from(h) + key as f32 * OCTAVE / KEYS as f32;
            for (j, &s) in song.iter().enumerate() {
                let d = (h - f32::from(s)).rem_euclid(OCTAVE);
                let gain = tau - d.min(OCTAVE - d).min(cap);
                let [old, previous, _] = &rows;
                let step = previous[j + 1].max(previous[j] - skip).max(old[j + 1] - skip + gain);
                rows[2][j + 2] = (step + gain).max(0.0);
                best = best.max(rows[2][j + 2]);
            }
            rows.rotate_left(1);
        }
    }
    best / (tau * hum.len() as f32)
}
