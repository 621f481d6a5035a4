//! Background noise.

use std::f32::consts::TAU;

use super::biquad::Biquad;
use crate::SAMPLE_RATE;
use crate::level::normalise;
use crate::random::Draw;

/// Noise of a random colour and steadiness, with an active level of 1: hiss, rumble, a room, mains hum, a street.
pub fn background(samples: usize, draw: &mut Draw) -> Vec<f32> {
    let mut noise: Vec<f32> = (0..samples).map(|_| draw.white()).collect();
    match draw.weighted(&[0.2, 0.4, 0.25, 0.15]) {
        0 => {}
        1 => {
            // Between pink and brown: a leaky integral, mixed with what went in.
            let (leak, white) = (draw.range(0.9, 0.998), draw.range(0.0, 0.1));
            let mut sum = 0.0;
            for x in &mut noise {
                sum = leak * sum + *x * (1.0 - leak);
                *x = sum + white * *x;
            }
        }
        2 => {
            let centre = draw.log_range(150.0, 3000.0);
            Biquad::band_pass(centre, draw.range(0.3, 1.5)).run(&mut noise);
        }
        _ => {
            let mains = draw.pick(&[50.0, 60.0]);
            let weights: [f32; 6] = std::array::from_fn(|_| draw.range(0.0, 1.0));
            for (n, x) in noise.iter_mut().enumerate() {
                let t = TAU * mains * n as f32 / SAMPLE_RATE as f32;
                *x = 0.3 * *x + weights.iter().enumerate().map(|(k, w)| w * ((k + 1) as f32 * t).sin()).sum::<f32>();
            }
        }
    }
    if draw.chance(0.4) {
        // Cars pass, people move.
        let (rate, depth) = (draw.range(0.1, 2.0) * TAU / SAMPLE_RATE as f32, draw.range(0.2, 0.9));
        let start = draw.range(0.0, TAU);
        for (n, x) in noise.iter_mut().enumerate() {
            *x *= 1.0 - depth * (0.5 + 0.5 * (start + rate * n as f32).sin());
        }
    }
    normalise(&mut noise, 1.0);
    noise
}
