//! Second-order filters (R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients").

use std::f32::consts::TAU;

use crate::SAMPLE_RATE;
use crate::level::from_db;

/// A filter and its state. Frequencies in Hz (kept below 7.6 kHz), gains in dB.
#[derive(Debug, Clone)]
pub struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
    state: [f32; 2],
}

impl Biquad {
    fn new(b: [f32; 3], a: [f32; 3]) -> Self {
        Biquad { b: b.map(|x| x / a[0]), a: [a[1] / a[0], a[2] / a[0]], state: [0.0; 2] }
    }

    /// Low-pass; `q` 0.707 is maximally flat.
    pub fn low_pass(frequency: f32, q: f32) -> Self {
        let (cos, alpha) = angle(frequency, q);
        let b = 0.5 * (1.0 - cos);
        Biquad::new([b, 2.0 * b, b], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// High-pass.
    pub fn high_pass(frequency: f32, q: f32) -> Self {
        let (cos, alpha) = angle(frequency, q);
        let b = 0.5 * (1.0 + cos);
        Biquad::new([b, -2.0 * b, b], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// Band-pass, 0 dB at its centre.
    pub fn band_pass(frequency: f32, q: f32) -> Self {
        let (cos, alpha) = angle(frequency, q);
        Biquad::new([alpha, 0.0, -alpha], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// Bell of `gain` dB.
    pub fn peak(frequency: f32, gain: f32, q: f32) -> Self {
        let (cos, alpha) = angle(frequency, q);
        let a = from_db(gain).sqrt();
        Biquad::new([1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a], [1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a])
    }

    /// Shelf of `gain` dB below `frequency`; `slope` 0..=1.
    pub fn low_shelf(frequency: f32, gain: f32, slope: f32) -> Self {
        Biquad::shelf(frequency, gain, slope, 1.0)
    }

    /// Shelf of `gain` dB above `frequency`.
    pub fn high_shelf(frequency: f32, gain: f32, slope: f32) -> Self {
        Biquad::shelf(frequency, gain, slope, -1.0)
    }

    fn shelf(frequency: f32, gain: f32, slope: f32, side: f32) -> Self {
        let a = from_db(gain).sqrt();
        let q = 1.0 / ((a + 1.0 / a) * (1.0 / slope - 1.0) + 2.0).sqrt();
        let (cos, alpha) = angle(frequency, q);
        let (cos, root) = (cos * side, 2.0 * a.sqrt() * alpha);
        let (up, down) = (a + 1.0, a - 1.0);
        Biquad::new(
            [a * (up - down * cos + root), side * 2.0 * a * (down - up * cos), a * (up - down * cos - root)],
            [up + down * cos + root, side * -2.0 * (down + up * cos), up + down * cos - root],
        )
    }

    /// Filters one sample.
    pub fn step(&mut self, x: f32) -> f32 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }

    /// Filters in place.
    pub fn run(&mut self, samples: &mut [f32]) {
        for x in samples {
            *x = self.step(*x);
        }
    }
}

fn angle(frequency: f32, q: f32) -> (f32, f32) {
    let w = TAU * frequency.clamp(5.0, 7600.0) / SAMPLE_RATE as f32;
    (w.cos(), w.sin() / (2.0 * q))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain_db(mut filter: Biquad, frequency: f32) -> f32 {
        let mut tone: Vec<f32> = (0..SAMPLE_RATE).map(|n| (TAU * frequency * n as f32 / SAMPLE_RATE as f32).sin()).collect();
        filter.run(&mut tone);
        let rms = (tone[SAMPLE_RATE / 2..].iter().map(|x| x * x).sum::<f32>() / (SAMPLE_RATE / 2) as f32).sqrt();
        20.0 * (rms * 2.0f32.sqrt()).log10()
    }

    #[test]
    fn filters_have_their_gains() {
        let near = |a: f32, b: f32| assert!((a - b).abs() < 0.3, "{a} dB, expected {b}");
        near(gain_db(Biquad::low_pass(1000.0, 0.707), 1000.0), -3.0);
        near(gain_db(Biquad::high_pass(1000.0, 0.707), 100.0), -40.0);
        near(gain_db(Biquad::peak(1000.0, 6.0, 1.0), 1000.0), 6.0);
        near(gain_db(Biquad::low_shelf(300.0, -12.0, 0.7), 20.0), -12.0);
        near(gain_db(Biquad::low_shelf(300.0, -12.0, 0.7), 7000.0), 0.0);
        near(gain_db(Biquad::high_shelf(1000.0, 9.0, 0.7), 7000.0), 9.0);
        near(gain_db(Biquad::band_pass(500.0, 2.0), 500.0), 0.0);
    }
}
