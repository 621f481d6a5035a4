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

/// Three rows of `H` and all of it, to be used again from song to song.
#[derive(Debug, Default)]
pub struct Scratch {
    rows: [Vec<u16>; 3],
    whole: Vec<u16>,
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

/// All of `H` at one key, row after row behind [`MARGIN`] rows of zeros, and the hum frame of its highest cell with that cell.
#[inline(always)]
fn fill_inlined(hum: &[u16], song: &[u16], shift: u16, h: &mut Vec<u16>) -> (usize, u16) {
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

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_avx2(hum: &[u16], song: &[u16], shift: u16, h: &mut Vec<u16>) -> (usize, u16) {
    fill_inlined(hum, song, shift, h)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bw,avx512vl")]
fn fill_avx512(hum: &[u16], song: &[u16], shift: u16, h: &mut Vec<u16>) -> (usize, u16) {
    fill_inlined(hum, song, shift, h)
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

    fn fill(self, hum: &[u16], song: &[u16], shift: u16, h: &mut Vec<u16>) -> (usize, u16) {
        match self {
            Kernel::Plain => fill_inlined(hum, song, shift, h),
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { fill_avx2(hum, song, shift, h) },
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => unsafe { fill_avx512(hum, song, shift, h) },
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
    /// Changes of pitch that hum and song make together along the path, per frame of the hum: see [`moves`].
    pub moves: f32,
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
        let frames = self.hum.len().max(1) as f32;
        let path = self.path_with(song, shift, &mut scratch.whole);
        let moves = moves(self.hum, song, &path) as f32 / frames;
        Alignment { score: (f32::from(highest) / (f32::from(TAU) * frames)).min(1.0), shift, moves }
    }

    /// The path of the best local alignment at `shift`: (hum frame, song frame) of every step, both ascending; empty when nothing
    /// matches.
    pub fn path(&self, song: &[u16], shift: u16) -> Vec<(usize, usize)> {
        self.path_with(song, shift, &mut Vec::new())
    }

    fn path_with(&self, song: &[u16], shift: u16, h: &mut Vec<u16>) -> Vec<(usize, usize)> {
        let width = song.len() + MARGIN;
        let (last, highest) = self.kernel.fill(self.hum, song, shift, h);
        if highest == 0 {
            return Vec::new();
        }
        // From here on i and j count the margin: cell (i, j) belongs to hum frame i - MARGIN and song frame j - MARGIN.
        let at = |i: usize, j: usize| h[i * width + j];
        let mut i = last + MARGIN;
        let last_row = &h[i * width..(i + 1) * width];
        let Some(mut j) = last_row.iter().position(|&cell| cell == highest) else { return Vec::new() };
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

/// How far a pitch must move to count, semitones.
const MOVE: f32 = 0.6;

/// The changes of pitch that hum and song make together: in the same direction, not more than a step of the path apart.
///
/// Held notes earn an alignment score without telling much: many a song holds that pitch class somewhere. Moves made together are
/// the melody.
fn moves(hum: &[u16], song: &[u16], path: &[(usize, usize)]) -> usize {
    const THRESHOLD: i16 = (MOVE * 65536.0 / 12.0) as i16;
    let direction = |from: u16, to: u16| {
        let interval = to.wrapping_sub(from) as i16;
        if interval.unsigned_abs() > THRESHOLD.unsigned_abs() { interval.signum() } else { 0 }
    };
    let hummed: Vec<i16> = path.windows(2).map(|step| direction(hum[step[0].0], hum[step[1].0])).collect();
    let sung: Vec<i16> = path.windows(2).map(|step| direction(song[step[0].1], song[step[1].1])).collect();
    let together = |&i: &usize| hummed[i] != 0 && sung[i.saturating_sub(1)..(i + 2).min(sung.len())].contains(&hummed[i]);
    (0..hummed.len()).filter(together).count()
}

#[cfg(test)]
mod tests;
