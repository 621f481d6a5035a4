//! Effects on 16 kHz mono audio. None of them moves pitch or time.

pub mod biquad;
pub mod codec;
pub mod dynamics;
pub mod lofi;
pub mod noise;
pub mod phaser;
pub mod reverb;

use super::random::Draw;
use biquad::Biquad;

/// The six augmentations of Kum et al. (ISMIR 2020, arXiv 2008.06358, section 3), each with probability one half, within
/// the paper's ranges.
pub fn six_augmentations(samples: &mut [f32], draw: &mut Draw) {
    if draw.chance(0.5) {
        Biquad::low_shelf(draw.range(20.0, 300.0), draw.range(-12.0, 12.0), draw.range(0.1, 0.7)).run(samples);
    }
    if draw.chance(0.5) {
        Biquad::high_shelf(draw.range(1000.0, 3000.0), draw.range(-12.0, 12.0), draw.range(0.1, 0.7)).run(samples);
    }
    if draw.chance(0.5) {
        Biquad::peak(draw.log_range(100.0, 3000.0), draw.range(-6.0, 6.0), draw.range(0.5, 1.5)).run(samples);
    }
    if draw.chance(0.5) {
        dynamics::overdrive(samples, draw.range(3.0, 7.0));
    }
    if draw.chance(0.5) {
        phaser::Phaser::draw(draw).run(samples);
    }
    if draw.chance(0.5) {
        reverb::Reverb::draw(draw).run(samples);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::active_rms;

    #[test]
    fn effects_keep_length_and_stay_finite() {
        let tone: Vec<f32> = (0..16_000).map(|n| 0.2 * (n as f32 * 0.15).sin()).collect();
        for seed in 0..40 {
            let mut draw = Draw::new(seed);
            let mut x = tone.clone();
            six_augmentations(&mut x, &mut draw);
            lofi::mu_law(&mut x, 8);
            lofi::quantise(&mut x, 8);
            lofi::decimate(&mut x, 2);
            assert!(x.len() == tone.len() && x.iter().all(|v| v.is_finite()));
            assert!((0.01..3.0).contains(&active_rms(&x)), "seed {seed}: {}", active_rms(&x));
            let noise = noise::background(16_000, &mut draw);
            assert!((active_rms(&noise) - 1.0).abs() < 0.01);
        }
    }

    #[test]
    fn coarse_codes_stay_close() {
        let tone: Vec<f32> = (0..16_000).map(|n| 0.2 * (n as f32 * 0.15).sin()).collect();
        let worst = |coded: &[f32]| tone.iter().zip(coded).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let (mut telephone, mut linear) = (tone.clone(), tone.clone());
        lofi::mu_law(&mut telephone, 8);
        lofi::quantise(&mut linear, 8);
        assert!((1e-4..0.2 * 0.025).contains(&worst(&telephone)));
        assert!((1e-4..=0.2 / 255.0).contains(&worst(&linear)));
    }
}
