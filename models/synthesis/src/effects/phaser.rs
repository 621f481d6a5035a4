//! Phaser: all-pass filters swept by a slow oscillator, added to the signal.

use std::f32::consts::{PI, TAU};

use crate::SAMPLE_RATE;
use crate::random::Draw;

/// Stages of the all-pass chain.
const STAGES: usize = 4;

/// A phaser and its settings.
#[derive(Debug, Clone)]
pub struct Phaser {
    /// Sweeps per second.
    pub rate: f32,
    /// Lowest and highest corner, Hz.
    pub sweep: (f32, f32),
    /// Share of the filtered signal, 0..=1.
    pub depth: f32,
    /// Feedback, 0..1.
    pub feedback: f32,
}

impl Phaser {
    /// Random settings.
    pub fn draw(draw: &mut Draw) -> Self {
        Phaser {
            rate: draw.log_range(0.1, 2.0),
            sweep: (draw.range(200.0, 500.0), draw.range(900.0, 2500.0)),
            depth: draw.range(0.3, 0.9),
            feedback: draw.range(0.0, 0.6),
        }
    }

    /// Filters in place.
    pub fn run(&self, samples: &mut [f32]) {
        let mut state = [0.0f32; STAGES];
        let mut last = 0.0;
        let mut coefficient = 0.0;
        for (n, x) in samples.iter_mut().enumerate() {
            if n % 32 == 0 {
                let turn = 0.5 - 0.5 * (TAU * self.rate * n as f32 / SAMPLE_RATE as f32).cos();
                let corner = self.sweep.0 * (self.sweep.1 / self.sweep.0).powf(turn);
                let tan = (PI * corner / SAMPLE_RATE as f32).tan();
                coefficient = (tan - 1.0) / (tan + 1.0);
            }
            let mut y = *x + self.feedback * last;
            for s in &mut state {
                let out = coefficient * y + *s;
                *s = y - coefficient * out;
                y = out;
            }
            last = y;
            *x = (*x + self.depth * y) / (1.0 + self.depth);
        }
    }
}
