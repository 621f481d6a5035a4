//! f0 of speech: normalised cross-correlation, and the cheapest path through its peaks (after Talkin, "A robust algorithm
//! for pitch tracking", 1995).

use crate::SAMPLE_RATE;

/// Range of f0, Hz.
pub const RANGE: (f32, f32) = (60.0, 500.0);

/// Rate at which the correlation is computed, Hz.
const RATE: usize = SAMPLE_RATE / 2;
/// Samples between frames (5 ms).
const HOP: usize = RATE / 200;
/// Samples that are correlated (30 ms).
const WINDOW: usize = RATE * 30 / 1000;
/// Lags searched, and one more on either side.
const LAGS: std::ops::Range<usize> = RATE / RANGE.1 as usize - 1..RATE / RANGE.0 as usize + 2;
/// Candidates kept per frame.
const CANDIDATES: usize = 4;
/// A correlation below this is none of a voice.
const VOICED: f32 = 0.6;
/// Cost of an octave's jump between frames.
const JUMP: f32 = 2.0;
/// Cost of beginning or ending a voiced stretch.
const SWITCH: f32 = 0.2;
/// What twice the lag must be better by, so that it is preferred.
const OCTAVE: f32 = 0.06;
/// Blocks quieter than this hold no voice (the recording's active level is 0.1).
const QUIET: f32 = 0.003;

/// f0 in Hz per 5 ms, 0 = unvoiced, of a recording (16 kHz, active level 0.1). The first frame is centred on sample 0.
pub fn track(samples: &[f32]) -> Vec<f32> {
    let signal = halve(samples);
    let frames: Vec<Vec<(f32, f32)>> = (0..samples.len() / (2 * HOP)).map(|i| candidates(&signal, i * HOP)).collect();
    cheapest_path(&frames)
}

/// Every second sample of the low-passed signal, with room for windows that reach beyond its ends.
fn halve(samples: &[f32]) -> Vec<f32> {
    const PAD: usize = WINDOW / 2 + LAGS.end;
    // The lowest harmonics tell the pitch: triangular, -3 dB near 1.3 kHz.
    const TAPS: [f32; 7] = [0.0625, 0.125, 0.1875, 0.25, 0.1875, 0.125, 0.0625];
    let mut out = vec![0.0; PAD];
    out.extend((0..samples.len() / 2).map(|i| {
        let at = |k: usize| (2 * i + k).checked_sub(3).and_then(|n| samples.get(n)).copied().unwrap_or(0.0);
        TAPS.iter().enumerate().map(|(k, tap)| tap * at(k)).sum::<f32>()
    }));
    out.extend(std::iter::repeat_n(0.0, PAD + HOP));
    out
}

/// (f0, cost) of what the frame centred on `centre` may be; unvoiced (0) comes first.
fn candidates(signal: &[f32], centre: usize) -> Vec<(f32, f32)> {
    // In `signal` the recording begins half a window and the longest lag late.
    let origin = centre + LAGS.end;
    let power = |from: usize| dot(&signal[from..from + WINDOW], &signal[from..from + WINDOW]);
    let mut found = vec![(0.0, 1.0 - VOICED)];
    if power(origin) < WINDOW as f32 * QUIET * QUIET {
        return found;
    }
    let mut correlation = [0.0f32; LAGS.end];
    for lag in LAGS {
        let a = origin - lag / 2;
        let product = dot(&signal[a..a + WINDOW], &signal[a + lag..a + lag + WINDOW]);
        correlation[lag] = product / (power(a) * power(a + lag)).sqrt().max(1e-6);
    }
    for lag in LAGS.start + 1..LAGS.end - 1 {
        let [a, b, c] = [correlation[lag - 1], correlation[lag], correlation[lag + 1]];
        if b > 0.4 && b > a && b >= c {
            let bend = a - 2.0 * b + c;
            let place = lag as f32 + 0.5 * (a - c) / bend.min(-1e-6);
            let peak = b - 0.125 * (a - c).powi(2) / bend.min(-1e-6);
            found.push((RATE as f32 / place, 1.0 - peak.min(1.0) + OCTAVE * (lag as f32 / LAGS.start as f32).log2()));
        }
    }
    found[1..].sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
    found.truncate(1 + CANDIDATES);
    found
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum()
}

fn cheapest_path(frames: &[Vec<(f32, f32)>]) -> Vec<f32> {
    let step = |from: f32, to: f32| match (from > 0.0, to > 0.0) {
        (false, false) => 0.0,
        (true, true) => JUMP * (to / from).log2().abs(),
        _ => SWITCH,
    };
    let mut total: Vec<f32> = Vec::new();
    let mut back: Vec<Vec<usize>> = Vec::with_capacity(frames.len());
    for (i, frame) in frames.iter().enumerate() {
        let (costs, origins) = frame
            .iter()
            .map(|&(f0, cost)| {
                let best = (0..total.len())
                    .map(|k| (k, total[k] + step(frames[i - 1][k].0, f0)))
                    .min_by(|a, b| a.1.total_cmp(&b.1))
                    .unwrap_or((0, 0.0));
                (best.1 + cost, best.0)
            })
            .unzip();
        total = costs;
        back.push(origins);
    }
    let mut state = (0..total.len()).min_by(|a, b| total[*a].total_cmp(&total[*b])).unwrap_or(0);
    let mut path = vec![0.0; frames.len()];
    for i in (0..frames.len()).rev() {
        path[i] = frames[i][state].0;
        state = back[i][state];
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_have_their_pitch_and_noise_has_none() {
        for f0 in [75.0f32, 130.0, 240.0, 430.0] {
            let tone: Vec<f32> = (0..SAMPLE_RATE / 2)
                .map(|n| {
                    (1..8).map(|k| (n as f32 * f0 * k as f32 * std::f32::consts::TAU / SAMPLE_RATE as f32).cos()).sum::<f32>()
                        * 0.05
                })
                .collect();
            let track = track(&tone);
            assert_eq!(track.len(), 100);
            assert!(track[10..90].iter().all(|f| (f / f0 - 1.0).abs() < 0.01), "{f0}: {:?}", &track[40..50]);
        }
        let mut draw = crate::random::Draw::new(1);
        let noise: Vec<f32> = (0..SAMPLE_RATE).map(|_| 0.1 * draw.white()).collect();
        assert!(track(&noise).iter().filter(|f| **f > 0.0).count() < 4);
        assert!(track(&[]).is_empty());
    }
}
