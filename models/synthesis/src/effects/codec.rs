//! What lossy coding does: spectra rounded to steps that grow with the loudness of their band, so that quiet partials vanish.

use std::f32::consts::PI;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;

/// Length of a block (32 ms); blocks overlap by half.
const BLOCK: usize = 512;
/// First bins of the bands; narrow below, wide above, like those of hearing.
const BANDS: [usize; 18] = [0, 4, 8, 12, 16, 20, 24, 30, 36, 44, 54, 66, 82, 102, 128, 160, 204, 257];

/// Codes and decodes with a noise `snr` dB below each band's level (6: a bad stream, 20: hardly audible).
pub fn transform_code(samples: &mut [f32], snr: f32) {
    let mut planner = FftPlanner::new();
    let (forward, inverse) = (planner.plan_fft_forward(BLOCK), planner.plan_fft_inverse(BLOCK));
    let window: Vec<f32> = (0..BLOCK).map(|n| (PI * (n as f32 + 0.5) / BLOCK as f32).sin()).collect();
    // Uniform rounding of both parts to steps q adds a power of q^2 / 6, half of which the second window takes away.
    let ratio = 12.0f32.sqrt() * 10.0f32.powf(-snr / 20.0);
    let mut padded = vec![0.0; BLOCK / 2];
    padded.extend_from_slice(samples);
    padded.resize((padded.len() / (BLOCK / 2) + 2) * (BLOCK / 2), 0.0);
    let mut out = vec![0.0; padded.len()];
    let mut block = vec![Complex32::default(); BLOCK];
    for start in (0..=padded.len() - BLOCK).step_by(BLOCK / 2) {
        for ((z, x), w) in block.iter_mut().zip(&padded[start..]).zip(&window) {
            *z = Complex32::new(x * w, 0.0);
        }
        forward.process(&mut block);
        for band in BANDS.windows(2) {
            let bins = &mut block[band[0]..band[1]];
            let power = bins.iter().map(|z| z.norm_sqr()).sum::<f32>() / bins.len() as f32;
            let step = ratio * power.sqrt();
            if step > 0.0 {
                bins.iter_mut().for_each(|z| *z = Complex32::new((z.re / step).round(), (z.im / step).round()) * step);
            }
        }
        for k in 1..BLOCK / 2 {
            block[BLOCK - k] = block[k].conj();
        }
        inverse.process(&mut block);
        for ((y, z), w) in out[start..].iter_mut().zip(&block).zip(&window) {
            *y += z.re * w / BLOCK as f32;
        }
    }
    samples.copy_from_slice(&out[BLOCK / 2..BLOCK / 2 + samples.len()]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Draw;

    #[test]
    fn noise_is_as_asked() {
        let mut draw = Draw::new(1);
        let clean: Vec<f32> = (0..20_000).map(|n| 0.1 * draw.white() + 0.2 * (n as f32 * 0.2).sin()).collect();
        for snr in [8.0, 20.0] {
            let mut coded = clean.clone();
            transform_code(&mut coded, snr);
            let power = |x: &mut dyn Iterator<Item = f32>| x.map(|v| v * v).sum::<f32>();
            let noise = power(&mut clean.iter().zip(&coded).map(|(a, b)| a - b));
            let measured = 10.0 * (power(&mut clean.iter().copied()) / noise).log10();
            assert!((measured - snr).abs() < 3.0, "{measured} dB instead of {snr}");
        }
    }
}
