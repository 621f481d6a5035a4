//! Where the syllables of a recording are: voiced runs, divided where the voice gets quieter, and the consonants around them.

use crate::voice::frame::FRAME;

/// Shortest voiced run, frames (50 ms).
const SHORTEST: usize = 10;
/// Longest consonant, frames (140 ms).
const CONSONANT: usize = 28;
/// How much quieter than both its sides the place between two syllables is (log power: 4 dB).
const DIP: f32 = 0.9;
/// What is so much quieter than a syllable's peak is silence (log power: 33 dB).
const SILENT: f32 = 7.6;
/// Syllables so much quieter than the median are background (log power: 25 dB).
const BACKGROUND: f32 = 5.8;

/// A syllable; times in frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// Length of the unvoiced consonant before it.
    pub before: usize,
    /// Where the voice begins.
    pub start: usize,
    /// Where it is loudest.
    pub peak: usize,
    /// Where it ends.
    pub end: usize,
    /// Length of the unvoiced consonant after it.
    pub after: usize,
    /// Log power at the peak.
    pub level: f32,
}

/// Log power per frame, over 20 ms.
pub fn energy(samples: &[f32], frames: usize) -> Vec<f32> {
    (0..frames)
        .map(|i| {
            let around = &samples[(i * FRAME).saturating_sub(2 * FRAME)..(i * FRAME + 2 * FRAME).min(samples.len())];
            (around.iter().map(|x| x * x).sum::<f32>() / around.len().max(1) as f32 + 1e-10).ln()
        })
        .collect()
}

/// The syllables of a recording, in order; `f0` (0 = unvoiced) and log power per frame.
#[expect(clippy::expect_used, reason = "a run is divided into at least one")]
pub fn syllables(f0: &[f32], energy: &[f32]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut last = 0;
    let mut start = 0;
    while start < f0.len() {
        let end = start + f0[start..].iter().take_while(|f| **f > 0.0).count();
        if end >= start + SHORTEST {
            let from = runs.len();
            divide(energy, start, end, &mut runs);
            let next = f0[end..].iter().position(|f| *f > 0.0).map_or(f0.len(), |n| end + n);
            // All of a short gap is consonant, a stop's silence included; of a long one what is next to the voice.
            let loud = |frame: &usize, level: f32| energy[*frame] > level - SILENT;
            let first = &mut runs[from];
            let earliest = start.saturating_sub(CONSONANT);
            let heard = if last > earliest { Some(last) } else { (earliest..start).find(|n| loud(n, first.level)) };
            first.before = heard.map_or(0, |n| start - n);
            let tail = runs.last_mut().expect("divided into at least one");
            let latest = (end + CONSONANT).min(next);
            tail.after = (end..latest).rev().find(|n| loud(n, tail.level)).map_or(0, |n| n + 1 - end);
            last = end;
        }
        start = end.max(start + 1);
    }
    let mut levels: Vec<f32> = runs.iter().map(|r| r.level).collect();
    levels.sort_unstable_by(f32::total_cmp);
    runs.retain(|r| r.level > levels[levels.len() / 2] - BACKGROUND);
    runs
}

/// Divides a voiced run at its deepest dip, and what is left likewise.
#[expect(clippy::expect_used, reason = "no stretch is empty")]
fn divide(energy: &[f32], start: usize, end: usize, runs: &mut Vec<Run>) {
    let loudest = |from: usize, to: usize| (from..to).max_by(|a, b| energy[*a].total_cmp(&energy[*b])).expect("not empty");
    let depth = |at: usize| energy[loudest(start, at)].min(energy[loudest(at, end)]) - energy[at];
    let dip = (start + SHORTEST..(end + 1).saturating_sub(SHORTEST)).map(|at| (at, depth(at))).max_by(|a, b| a.1.total_cmp(&b.1));
    match dip {
        Some((at, depth)) if depth > DIP => {
            divide(energy, start, at, runs);
            divide(energy, at, end, runs);
        }
        _ => {
            let peak = loudest(start, end);
            runs.push(Run { before: 0, start, peak, end, after: 0, level: energy[peak] });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_divided_and_keep_their_consonants() {
        let mut f0 = vec![0.0; 120];
        let mut energy = vec![-20.0; 120];
        f0[30..80].fill(100.0);
        energy[30..80].fill(-5.0);
        energy[40] = -4.0;
        energy[52..56].fill(-7.0);
        energy[70] = -4.5;
        energy[22..30].fill(-8.0);
        energy[80..85].fill(-9.0);
        f0[100..105].fill(90.0);
        let runs = syllables(&f0, &energy);
        assert_eq!(runs.len(), 2, "{runs:?}");
        assert_eq!((runs[0].before, runs[0].start, runs[0].peak, runs[0].after), (8, 30, 40, 0));
        assert_eq!((runs[1].before, runs[1].peak, runs[1].end, runs[1].after), (0, 70, 80, 5));
        assert!(runs[0].end == runs[1].start && (52..56).contains(&runs[0].end));
        assert!(syllables(&[], &[]).is_empty());
    }
}
