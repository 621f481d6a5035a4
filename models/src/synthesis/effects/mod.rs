//! Effects on 16 kHz mono audio. None of them moves pitch or time.

pub mod biquad;
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
