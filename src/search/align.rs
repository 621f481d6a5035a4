//! Local alignment of melodies: key-free, tempo-flexible, and free to leave out the ends of the hum.
//!
//! After Smith and Waterman ("Identification of common molecular subsequences", 1981), on pitch classes at 5 Hz, with the steps
//! (1,1), (1,2), (2,1) of slope-constrained dynamic time warping (Sakoe and Chiba, 1978). With `d` the pitch-class difference
//! of hum frame `i` and song frame `j`, capped at 3 semitones:
//!
//! `H[i,j] = max(0, max(H[i-1,j-1], H[i-1,j-2] - w, H[i-2,j-1] - w + tau - d) + tau - d)`
//!
//! Frames closer than `tau` to each other earn, others cost. All keys are tried in steps of half a semitone, and the best one is
//! refined to an eighth: a quarter of a semitone off key would cost a fifth of the score. The hum needs to match only where it earns, so that it may begin before, end after or wander away from what the song's contour holds.
//!
//! `H` depends on the two rows above only: every row is one loop without dependencies, in 16-bit integers, that the compiler
//! turns into SIMD instructions.

/// Keys around the octave: a shift counts eighths of a semitone.
const SHIFTS: u16 = 96;
/// All keys in steps of half a semitone are tried, and then the neighbours of the best one, in these steps.
const COARSE: u16 = 4;
const FINER: [u16; 2] = [2, 1];

/// Pitch-class differences are counted in units of 12 / 512 semitones (2.3 cents).
const UNIT_SHIFT: u32 = 16 - 9;
const UNITS_PER_SEMITONE: f32 = 512.0 / 12.0;

/// What a perfect frame earns, and the difference at which a frame neither earns nor costs: 1.2 semitones.
const TAU: u16 = (1.2 * UNITS_PER_SEMITONE) as u16;
/// What a step of slope 1/2 or 2 costs: 0.25 semitones.
const SKIP: u16 = (0.25 * UNITS_PER_SEMITONE + 0.5) as u16;
/// Differences are capped at 3 semitones.
const CAP: u16 = (3.0 * UNITS_PER_SEMITONE) as u16;

/// Rows hold two cells before the first song frame, for steps that reach beyond it.
const MARGIN: usize = 2;

/// A class of the hum moved up by `shift`, on the ring of [`crate::search::melody::Melody::class`].
fn shifted(class: u16, shift: u16) -> u16 {
    class.wrapping_add((u32::from(shift) * 65536 / u32::from(SHIFTS)) as u16)
}

/// The pitch-class difference of two frames in units, capped.
#[inline(always)]
fn difference(hum: u16, song: u16) -> u16 {
    let ring = (hum.wrapping_sub(song) as i16).unsigned_abs();
    (ring >> UNIT_SHIFT).min(CAP)
}

/// One row of `H`: hum frame `hum` against all of `song`. `above` and `above2` are the rows of the two hum frames before, with
/// [`MARGIN`] cells in front. Returns the highest cell.
#[inline(always)]
fn row(hum: u16, song: &[u16], above: &[u16], above2: &[u16], out: &mut [u16]) -> u16 {
    let n = song.len();
    let (skip_song, straight, skip_hum) = (&above[..n], &above[1..=n], &above2[1..=n]);
    let out = &mut out[MARGIN..MARGIN + n];
    let mut highest = 0;
    for j in 0..n {
        let d = difference(hum, song[j]);
        let mut from = straight[j];
        from = from.max(skip_song[j].saturating_sub(SKIP));
        from = from.max(skip_hum[j].saturating_add(TAU).saturating_sub(SKIP + d));
        out[j] = from.saturating_add(TAU).saturating_sub(d);
        highest = highest.max(out[j]);
    }
    highest
}

/// Three rows of `H`, to be used again from song to song.
#[derive(Debug, Default)]
pub struct Scratch {
    rows: [Vec<u16>; 3],
}

/// The highest cell of `H` at one key.
#[inline(always)]
fn highest_cell(hum: &[u16], song: &[u16], shift: u16, scratch: &mut Scratch) -> u16 {
    let [a, b, c] = &mut scratch.rows;
    let (mut above, mut above2, mut out) = (a, b, c);
    for row in [&mut *above, &mut *above2, &mut *out] {
        row.clear();
        row.resize(song.len() + MARGIN, 0);
    }
    let mut highest = 0;
    for &class in hum {
        highest = highest.max(row(shifted(class, shift), song, above, above2, out));
        (above, above2, out) = (out, above, above2);
    }
    highest
}

/// The highest cell of `H` over all keys, and the shift at which it is; the first one tried among equals.
#[inline(always)]
fn best_key_inlined(hum: &[u16], song: &[u16], scratch: &mut Scratch) -> (u16, u16) {
    let mut best = (0, 0);
    for step in [COARSE, FINER[0], FINER[1]] {
        let (first, stride, count) =
            if step == COARSE { (0, COARSE, SHIFTS / COARSE) } else { (best.1 + SHIFTS - step, 2 * step, 2) };
        for attempt in 0..count {
            let shift = (first + attempt * stride) % SHIFTS;
            let highest = highest_cell(hum, song, shift, scratch);
            if highest > best.0 {
                best = (highest, shift);
            }
        }
    }
    best
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn best_key_avx2(hum: &[u16], song: &[u16], scratch: &mut Scratch) -> (u16, u16) {
    best_key_inlined(hum, song, scratch)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bw,avx512vl")]
fn best_key_avx512(hum: &[u16], song: &[u16], scratch: &mut Scratch) -> (u16, u16) {
    best_key_inlined(hum, song, scratch)
}

/// The same code compiled for what the processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kernel {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// The kernels that this processor can run, slowest first.
    fn available() -> Vec<Kernel> {
        let mut kernels = vec![Kernel::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                kernels.push(Kernel::Avx2);
            }
            if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl") {
                kernels.push(Kernel::Avx512);
            }
        }
        kernels
    }

    fn best_key(self, hum: &[u16], song: &[u16], scratch: &mut Scratch) -> (u16, u16) {
        match self {
            Kernel::Plain => best_key_inlined(hum, song, scratch),
            // SAFETY: `available` lists these kernels only where the processor has the instructions.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { best_key_avx2(hum, song, scratch) },
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => unsafe { best_key_avx512(hum, song, scratch) },
        }
    }
}

/// Scores one hum against many songs.
#[derive(Debug, Clone)]
pub struct Aligner<'a> {
    hum: &'a [u16],
    kernel: Kernel,
}

/// How well a hum aligns with a song.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// Share of what a perfect hum would earn, 0..=1.
    pub score: f32,
    /// Eighths of a semitone by which the hum had to be moved up (modulo the octave).
    pub shift: u16,
}

impl<'a> Aligner<'a> {
    /// An aligner for a hum's pitch classes (see [`crate::search::melody::Melody::class`]).
    pub fn new(hum: &'a [u16]) -> Self {
        let kernel = Kernel::available().last().copied().unwrap_or(Kernel::Plain);
        Aligner { hum, kernel }
    }

    /// The best local alignment with a song's pitch classes, over all keys.
    pub fn align(&self, song: &[u16], scratch: &mut Scratch) -> Alignment {
        let (highest, shift) = self.kernel.best_key(self.hum, song, scratch);
        let perfect = f32::from(TAU) * self.hum.len().max(1) as f32;
        Alignment { score: (f32::from(highest) / perfect).min(1.0), shift }
    }

    /// The path of the best local alignment at `shift`: (hum frame, song frame) of every step, both ascending; empty when nothing
    /// matches. Keeps the whole of `H`, so it is for the few songs that are shown.
    pub fn path(&self, song: &[u16], shift: u16) -> Vec<(usize, usize)> {
        let width = song.len() + MARGIN;
        let height = self.hum.len();
        // As in the rows, MARGIN rows of zeros stand in front: row i of H is h[(i + MARGIN) * width..].
        let mut h = vec![0u16; (height + MARGIN) * width];
        let mut best = (0, 0);
        for (i, &class) in self.hum.iter().enumerate() {
            let (before, rest) = h.split_at_mut((i + MARGIN) * width);
            let (above2, above) = before[i * width..].split_at(width);
            let highest = row(shifted(class, shift), song, above, above2, &mut rest[..width]);
            if highest > best.0 {
                best = (highest, i);
            }
        }
        if best.0 == 0 {
            return Vec::new();
        }
        // From here on i and j count the margin: cell (i, j) belongs to hum frame i - MARGIN and song frame j - MARGIN.
        let at = |i: usize, j: usize| h[i * width + j];
        let mut i = best.1 + MARGIN;
        let last_row = &h[i * width..(i + 1) * width];
        let Some(mut j) = last_row.iter().position(|&cell| cell == best.0) else { return Vec::new() };
        let mut path = Vec::new();
        while at(i, j) > 0 {
            path.push((i - MARGIN, j - MARGIN));
            let d = difference(shifted(self.hum[i - MARGIN], shift), song[j - MARGIN]);
            // What the step before was worth; no step before when it is nothing.
            let from = (at(i, j) + d).saturating_sub(TAU);
            if from == 0 {
                break;
            }
            if at(i - 1, j - 1) == from {
                (i, j) = (i - 1, j - 1);
            } else if at(i - 1, j - 2).saturating_sub(SKIP) == from {
                (i, j) = (i - 1, j - 2);
            } else {
                (i, j) = (i - 2, j - 1);
            }
        }
        path.reverse();
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::melody::Melody;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// A melody of random notes, as 5 Hz pitches.
    fn tune(seed: u64, frames: usize) -> Vec<f32> {
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

    fn classes(pitch: &[f32]) -> Vec<u16> {
        let contour: Vec<f32> = pitch.iter().flat_map(|&p| [p, p]).collect();
        Melody::new(&contour).class
    }

    fn align(hum: &[u16], song: &[u16]) -> Alignment {
        Aligner::new(hum).align(song, &mut Scratch::default())
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
    fn all_kernels_agree() {
        for (seed, frames) in [(1, 1), (2, 2), (3, 31), (4, 64), (5, 257), (6, 1203)] {
            let (hum, song) = (classes(&tune(seed, 60)), classes(&tune(seed + 50, frames)));
            let expected = Kernel::Plain.best_key(&hum, &song, &mut Scratch::default());
            for kernel in Kernel::available() {
                assert_eq!(kernel.best_key(&hum, &song, &mut Scratch::default()), expected, "{kernel:?} at {frames} frames");
            }
        }
    }

    #[test]
    #[ignore = "a measurement: cargo test --release -- --ignored --nocapture seconds_per"]
    fn seconds_per_200_candidates_of_4_minutes() {
        let hum = classes(&tune(1, 60));
        let songs: Vec<Vec<u16>> = (0..200).map(|seed| classes(&tune(seed, 1200))).collect();
        for kernel in Kernel::available() {
            let begin = std::time::Instant::now();
            let mut scratch = Scratch::default();
            let best = songs.iter().map(|song| kernel.best_key(&hum, song, &mut scratch)).max();
            println!("{kernel:?}: {:?} on one core for a hum of 12 s ({best:?})", begin.elapsed());
        }
    }

    #[test]
    fn the_hum_finds_its_place() {
        let song = tune(7, 900);
        let hum = classes(&song[300..360]);
        let song = classes(&song);
        let found = align(&hum, &song);
        assert_eq!(found, Alignment { score: 1.0, shift: 0 });
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
}
