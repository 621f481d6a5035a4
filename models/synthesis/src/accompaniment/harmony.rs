//! What a melody implies: its beat, its key, and chords to go with it.

use std::f32::consts::TAU;

use crate::random::Draw;
use qbh_models::Note;

/// Where the beats are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Seconds per beat.
    pub beat: f32,
    /// Time of the first bar line at or before 0.
    pub start: f32,
    /// Beats per bar.
    pub bar: usize,
}

impl Grid {
    /// Time of beat `i`.
    pub fn time(&self, i: usize) -> f32 {
        self.start + i as f32 * self.beat
    }

    /// Beats before `seconds`.
    pub fn beats(&self, seconds: f32) -> usize {
        ((seconds - self.start) / self.beat).max(0.0).ceil() as usize
    }
}

/// Finds the beat under the notes' onsets: the period, of those people tap to, with the strongest resonance of the onsets
/// (weighted by duration), and its phase. `known` seconds per beat are kept.
pub fn grid(notes: &[Note], known: Option<f32>, draw: &mut Draw) -> Grid {
    let resonance = |period: f32| {
        notes.iter().fold((0.0f32, 0.0f32), |sum, n| {
            let (sin, cos) = (TAU * n.onset / period).sin_cos();
            let weight = n.duration.clamp(0.1, 1.0);
            (sum.0 + weight * cos, sum.1 + weight * sin)
        })
    };
    let beat = known.unwrap_or_else(|| {
        let periods = (0..160).map(|i| 0.38 * (0.8f32 / 0.38).powf(i as f32 / 159.0));
        periods.max_by(|a, b| strength(resonance(*a)).total_cmp(&strength(resonance(*b)))).unwrap_or(0.5)
    });
    let (cos, sin) = resonance(beat);
    let bar = if draw.chance(0.85) { 4 } else { 3 };
    let phase = sin.atan2(cos) / TAU * beat;
    let start = (phase + beat * draw.index(bar) as f32).rem_euclid(beat * bar as f32) - beat * bar as f32;
    Grid { beat, start, bar }
}

fn strength(z: (f32, f32)) -> f32 {
    z.0 * z.0 + z.1 * z.1
}

/// A key: pitch class of the tonic, and mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// 0 = C.
    pub tonic: i32,
    /// Minor rather than major.
    pub minor: bool,
}

impl Key {
    /// The key whose profile (Krumhansl and Kessler, 1982) the notes' pitch classes match best.
    pub fn of(notes: &[Note]) -> Key {
        const MAJOR: [f32; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
        const MINOR: [f32; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];
        let weights = pitch_classes(notes, 0.0, f32::INFINITY);
        let fit = |key: &Key| -> f32 {
            let profile = if key.minor { &MINOR } else { &MAJOR };
            let mean = profile.iter().sum::<f32>() / 12.0;
            (0..12).map(|i| weights[(i + key.tonic as usize) % 12] * (profile[i] - mean)).sum()
        };
        (0..24)
            .map(|i| Key { tonic: i % 12, minor: i >= 12 })
            .max_by(|a, b| fit(a).total_cmp(&fit(b)))
            .unwrap_or(Key { tonic: 0, minor: false })
    }

    /// Pitch classes of the scale, from the tonic.
    pub fn scale(&self) -> [i32; 7] {
        let steps = if self.minor { [0, 2, 3, 5, 7, 8, 10] } else { [0, 2, 4, 5, 7, 9, 11] };
        steps.map(|s| (self.tonic + s).rem_euclid(12))
    }
}

/// Seconds per pitch class sounding in `from..to`.
fn pitch_classes(notes: &[Note], from: f32, to: f32) -> [f32; 12] {
    let mut weights = [0.0; 12];
    for note in notes {
        let sounding = note.offset().min(to) - note.onset.max(from);
        if sounding > 0.0 {
            weights[(note.pitch.round() as i32).rem_euclid(12) as usize] += sounding;
        }
    }
    weights
}

/// A chord and when it sounds, in beats of the grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Chord {
    /// First beat.
    pub from: usize,
    /// Beat after the last.
    pub to: usize,
    /// Pitch classes, root first.
    pub tones: Vec<i32>,
}

/// One chord per bar or half bar up to `seconds`: triads (sometimes sevenths) of the key that hold the melody's notes,
/// with a taste for the common ones and for change.
pub fn chords(notes: &[Note], key: Key, grid: &Grid, seconds: f32, draw: &mut Draw) -> Vec<Chord> {
    const TASTE: [f32; 7] = [1.0, 0.35, 0.15, 0.8, 0.85, 0.7, -0.8];
    let step = if grid.bar == 4 && draw.chance(0.4) { 2 } else { grid.bar };
    let sevenths = draw.range(-0.3, 0.6).max(0.0);
    let temper = draw.range(0.1, 0.5);
    let scale = key.scale();
    let mut chords = Vec::new();
    let mut last = 7;
    for from in (0..grid.beats(seconds)).step_by(step) {
        let heard = pitch_classes(notes, grid.time(from), grid.time(from + step));
        let total: f32 = heard.iter().sum::<f32>() + 1e-3;
        let score = |degree: usize, noise: f32| {
            let held: f32 = [0, 2, 4].iter().map(|t| heard[scale[(degree + t) % 7] as usize]).sum();
            2.5 * held / total + TASTE[degree] * 0.6 + noise - if degree == last { 0.4 } else { 0.0 }
        };
        let scores: [f32; 7] = std::array::from_fn(|degree| score(degree, temper * draw.normal()));
        let degree = (0..7).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0);
        let count = if draw.chance(sevenths) { 4 } else { 3 };
        let mut tones: Vec<i32> = (0..count).map(|t| scale[(degree + 2 * t) % 7]).collect();
        if key.minor && degree == 4 && draw.chance(0.6) {
            // The dominant of a minor key usually has the leading note.
            tones[1] = (key.tonic + 11) % 12;
        }
        chords.push(Chord { from, to: from + step, tones });
        last = degree;
    }
    chords
}

#[cfg(test)]
mod tests {
    use super::*;

    fn melody() -> Vec<Note> {
        // Ode to Joy, in D.
        let degrees = [66, 66, 67, 69, 69, 67, 66, 64, 62, 62, 64, 66, 66, 64, 64];
        degrees.iter().enumerate().map(|(i, &p)| Note { onset: 0.2 + 0.5 * i as f32, duration: 0.45, pitch: p as f32 }).collect()
    }

    #[test]
    fn finds_key_beat_and_fitting_chords() {
        let (notes, mut draw) = (melody(), Draw::new(1));
        let key = Key::of(&notes);
        assert_eq!(key, Key { tonic: 2, minor: false });
        let grid = grid(&notes, None, &mut draw);
        assert!((grid.beat - 0.5).abs() < 0.01, "{grid:?}");
        let off = ((0.2 - grid.start) / grid.beat).rem_euclid(1.0);
        assert!(!(0.1..=0.9).contains(&off), "{grid:?}");
        let chords = chords(&notes, key, &grid, 8.0, &mut draw);
        assert!(chords.windows(2).all(|w| w[0].to == w[1].from) && chords[0].from == 0);
        assert!(chords.iter().all(|c| c.tones.iter().all(|t| key.scale().contains(t))));
    }
}
