//! The recurrence of the alignment, over all keys.
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

use multiversion::multiversion;

/// A shift counts eighths of a semitone.
pub const EIGHTHS: f32 = 8.0;
/// Keys around the octave.
const SHIFTS: u16 = 96;
/// All keys in steps of half a semitone are tried, and then the neighbours of the best one, in these steps.
const COARSE: u16 = 4;
const FINER: [u16; 2] = [2, 1];

/// Pitch-class differences are counted in units of 12 / 512 semitones (2.3 cents).
const UNIT_SHIFT: u32 = 16 - 9;
const UNITS_PER_SEMITONE: f32 = 512.0 / 12.0;

/// What a perfect frame earns, and the difference at which a frame neither earns nor costs: 1.2 semitones.
pub(super) const TAU: u16 = (1.2 * UNITS_PER_SEMITONE) as u16;
/// What a step of slope 1/2 or 2 costs: 0.25 semitones.
pub(super) const SKIP: u16 = (0.25 * UNITS_PER_SEMITONE + 0.5) as u16;
/// Differences are capped at 3 semitones.
const CAP: u16 = (3.0 * UNITS_PER_SEMITONE) as u16;

/// Rows hold two cells before the first song frame, for steps that reach beyond it.
pub(super) const MARGIN: usize = 2;

/// A class of the hum moved up by `shift`, on the ring of [`crate::search::sequence::PitchSequence::class`].
pub(super) fn shifted(class: u16, shift: u16) -> u16 {
    class.wrapping_add((u32::from(shift) * 65536 / u32::from(SHIFTS)) as u16)
}

/// The pitch-class difference of two frames in units, capped.
#[inline(always)]
pub(super) fn difference(hum: u16, song: u16) -> u16 {
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

/// Rows of `H`, and all of it, to be used again from song to song.
#[derive(Debug, Default)]
pub struct Buffers {
    rows: [Vec<u16>; 3],
    pub(super) whole: Vec<u16>,
}

/// The highest cell of `H` at one key.
#[inline(always)]
fn highest_cell(hum: &[u16], song: &[u16], shift: u16, buffers: &mut Buffers) -> u16 {
    let [a, b, c] = &mut buffers.rows;
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
#[multiversion(targets("x86_64+avx512bw+avx512vl", "x86_64+avx2"))]
pub(super) fn best_key(hum: &[u16], song: &[u16], buffers: &mut Buffers) -> (u16, u16) {
    best_key_inlined(hum, song, buffers)
}

#[inline(always)]
fn best_key_inlined(hum: &[u16], song: &[u16], buffers: &mut Buffers) -> (u16, u16) {
    let mut best = (0, 0);
    for step in [COARSE, FINER[0], FINER[1]] {
        let (first, stride, count) =
            if step == COARSE { (0, COARSE, SHIFTS / COARSE) } else { (best.1 + SHIFTS - step, 2 * step, 2) };
        for attempt in 0..count {
            let shift = (first + attempt * stride) % SHIFTS;
            let highest = highest_cell(hum, song, shift, buffers);
            if highest > best.0 {
                best = (highest, shift);
            }
        }
    }
    best
}

/// All of `H` at one key, row after row behind [`MARGIN`] rows of zeros, and the hum frame of its highest cell with that cell.
#[multiversion(targets("x86_64+avx512bw+avx512vl", "x86_64+avx2"))]
pub(super) fn fill(hum: &[u16], song: &[u16], shift: u16, h: &mut Vec<u16>) -> (usize, u16) {
    let width = song.len() + MARGIN;
    h.clear();
    h.resize((hum.len() + MARGIN) * width, 0);
    let mut best = (0, 0);
    for (i, &class) in hum.iter().enumerate() {
        let (before, rest) = h.split_at_mut((i + MARGIN) * width);
        let (above2, above) = before[i * width..].split_at(width);
        let highest = row(shifted(class, shift), song, above, above2, &mut rest[..width]);
        if highest > best.1 {
            best = (i, highest);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::align::tests::{classes, tune};

    #[test]
    fn the_processors_own_instructions_give_what_plain_ones_give() {
        for (seed, frames) in [(1, 1), (2, 2), (3, 31), (4, 64), (5, 257), (6, 1203)] {
            let (hum, song) = (classes(&tune(seed, 60)), classes(&tune(seed + 50, frames)));
            let expected = best_key_inlined(&hum, &song, &mut Buffers::default());
            assert_eq!(best_key(&hum, &song, &mut Buffers::default()), expected, "at {frames} frames");
        }
    }
}
