//! The vocal tract: resonances as a cascade of pole pairs (Fant, "Acoustic Theory of Speech Production", 1960).

use rustfft::num_complex::Complex32;

use crate::SAMPLE_RATE;
use crate::random::Draw;

/// Spacing of the table of resonances that do not move, Hz.
const GRID: f32 = 25.0;

/// Response at `f` Hz of a resonance at `centre` Hz with `width` Hz, 1 at 0 Hz.
pub fn resonance(f: f32, centre: f32, width: f32) -> Complex32 {
    let square = centre * centre;
    Complex32::new(square, 0.0) / Complex32::new(square - f * f, f * width)
}

/// The part of a singer's vocal tract that stays the same while vowels change.
pub struct Tract {
    fixed: Vec<Complex32>,
}

impl Tract {
    /// `scale` is 1 for an average man, larger for shorter tracts; `ring` 0..=1 pulls the third to fifth formant together
    /// (the singer's formant, near 3 kHz).
    pub fn new(scale: f32, ring: f32, draw: &mut Draw) -> Self {
        let mut poles = Vec::new();
        let mut centre = draw.range(3300.0, 3800.0) * scale;
        while centre < 11_000.0 {
            poles.push((centre, (0.035 * centre).max(120.0) * draw.range(0.8, 1.8)));
            centre += draw.range(800.0, 1150.0) * scale;
        }
        if ring > 0.0 {
            poles[0] = (draw.range(2900.0, 3300.0) * scale.min(1.15), poles[0].1 * 0.7);
            poles[1].0 += (draw.range(3300.0, 3700.0) * scale.min(1.15) - poles[1].0) * ring;
        }
        // Side branches (piriform fossae, sinuses) put shallow dips and bumps on every spectrum.
        let branches: Vec<(f32, f32, f32)> = (0..draw.integer(1, 4))
            .map(|_| {
                let centre = draw.log_range(400.0, 6000.0);
                (centre, centre * draw.range(0.97, 1.03) * draw.pick(&[0.92, 1.0, 1.08]), centre * draw.range(0.05, 0.15))
            })
            .collect();
        let fixed = (0..=(SAMPLE_RATE as f32 / 2.0 / GRID) as usize + 1)
            .map(|i| {
                let f = i as f32 * GRID;
                let cascade: Complex32 = poles.iter().map(|&(c, w)| resonance(f, c, w)).product();
                branches.iter().fold(cascade, |h, &(pole, zero, w)| h * resonance(f, pole, w) / resonance(f, zero, w))
            })
            .collect();
        Tract { fixed }
    }

    /// Response of the fixed resonances at `f` Hz.
    pub fn fixed(&self, f: f32) -> Complex32 {
        let place = (f / GRID).min((self.fixed.len() - 2) as f32);
        let i = place as usize;
        self.fixed[i] + (self.fixed[i + 1] - self.fixed[i]) * (place - i as f32)
    }
}

/// The shape of the mouth in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// First three formants, Hz.
    pub formants: [f32; 3],
    /// Their bandwidths, Hz.
    pub widths: [f32; 3],
    /// How much the nose takes part: 0 not at all, 1 the mouth is closed.
    pub nasality: f32,
}

impl Shape {
    /// Response at `f` Hz of mouth and nose.
    pub fn response(&self, f: f32) -> Complex32 {
        let mut h = Complex32::new(1.0, 0.0);
        for (&centre, &width) in self.formants.iter().zip(&self.widths) {
            h *= resonance(f, centre, width);
        }
        if self.nasality > 0.01 {
            // A pole and a zero that cancel when the nose is shut off; a closed mouth also dulls.
            let zero = 270.0 + self.nasality * 480.0;
            h *= resonance(f, 270.0, 90.0) / resonance(f, zero, 120.0);
            h *= resonance(f, 3300.0 / self.nasality, 3800.0 / self.nasality).norm();
        }
        h
    }
}
