//! Effects that depend on loudness: overdrive, clipping, compression.

use crate::SAMPLE_RATE;
use crate::level::{active_rms, normalise};

/// Soft clipping, as a valve does it, of a signal driven `drive` times its active level; keeps the level.
pub fn overdrive(samples: &mut [f32], drive: f32) {
    let level = active_rms(samples);
    if level < 1e-6 {
        return;
    }
    let gain = drive * 0.5 / level;
    samples.iter_mut().for_each(|x| *x = soft_clip(*x * gain));
    normalise(samples, level);
}

/// A smooth curve like tanh, within -1..=1.
pub fn soft_clip(x: f32) -> f32 {
    let x = x.clamp(-3.0, 3.0);
    x * (27.0 + x * x) / (27.0 + 9.0 * x * x)
}

/// Brings loudness differences down: output level ~ level^(1 - amount), `amount` 0..=1; keeps the active level.
pub fn compress(samples: &mut [f32], amount: f32) {
    let level = active_rms(samples);
    if level < 1e-6 {
        return;
    }
    const BLOCK: usize = SAMPLE_RATE / 200;
    let floor = 0.001 * level * level;
    let (attack, release) = (0.6, 0.08);
    let mut power = level * level;
    let mut gain = 1.0;
    for block in samples.chunks_mut(BLOCK) {
        let now = block.iter().map(|x| x * x).sum::<f32>() / block.len() as f32;
        power += (now - power) * if now > power { attack } else { release };
        let target = ((power + floor) / (level * level)).powf(-0.5 * amount);
        let step = (target - gain) / block.len() as f32;
        for x in block {
            gain += step;
            *x *= gain;
        }
    }
    normalise(samples, level);
}

/// Scales down to a peak of `peak` when it is higher.
pub fn limit_peak(samples: &mut [f32], peak: f32) -> f32 {
    let now = samples.iter().fold(0.0f32, |a, x| a.max(x.abs()));
    let gain = if now > peak { peak / now } else { 1.0 };
    if gain < 1.0 {
        samples.iter_mut().for_each(|x| *x *= gain);
    }
    gain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_narrows_and_keeps_the_level() {
        let mut x: Vec<f32> =
            (0..SAMPLE_RATE * 4).map(|n| (n as f32 * 0.3).sin() * if n < SAMPLE_RATE * 2 { 0.5 } else { 0.05 }).collect();
        let before = active_rms(&x);
        compress(&mut x, 0.5);
        assert!((active_rms(&x) / before - 1.0).abs() < 0.01);
        let ratio = active_rms(&x[..SAMPLE_RATE * 2]) / active_rms(&x[SAMPLE_RATE * 3..]);
        assert!((2.5..4.0).contains(&ratio), "{ratio}");
        overdrive(&mut x, 7.0);
        assert!((active_rms(&x) / before - 1.0).abs() < 0.01);
    }
}
