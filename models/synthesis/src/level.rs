//! Loudness as it matters for mixing: of the parts where something sounds.

use super::SAMPLE_RATE;

/// Samples per block of [`active_rms`] (50 ms).
const BLOCK: usize = SAMPLE_RATE / 20;

/// Root mean square of the loudest 30 % of 50 ms blocks; 0 for silence.
pub fn active_rms(samples: &[f32]) -> f32 {
    let mut power: Vec<f32> =
        samples.chunks(BLOCK).map(|block| block.iter().map(|x| x * x).sum::<f32>() / block.len() as f32).collect();
    if power.is_empty() {
        return 0.0;
    }
    let keep = (power.len() * 3).div_ceil(10);
    power.sort_unstable_by(|a, b| b.total_cmp(a));
    (power[..keep].iter().sum::<f32>() / keep as f32).sqrt()
}

/// Scales to an [`active_rms`]; leaves silence alone.
pub fn normalise(samples: &mut [f32], rms: f32) {
    let now = active_rms(samples);
    if now > 1e-6 {
        let gain = rms / now;
        samples.iter_mut().for_each(|x| *x *= gain);
    }
}

/// Root mean square in a window of 30 ms around each label frame (10 ms apart, the first centred at sample 0).
pub fn frame_rms(samples: &[f32]) -> Vec<f32> {
    const HALF: usize = SAMPLE_RATE * 15 / 1000;
    let mut sums = Vec::with_capacity(samples.len() + 1);
    let mut total = 0.0f64;
    sums.push(0.0);
    for x in samples {
        total += f64::from(x * x);
        sums.push(total);
    }
    (0..samples.len().div_ceil(super::LABEL_HOP))
        .map(|frame| {
            let centre = frame * super::LABEL_HOP;
            let (from, to) = (centre.saturating_sub(HALF), (centre + HALF).min(samples.len()));
            ((sums[to] - sums[from]).max(0.0) / (to - from) as f64).sqrt() as f32
        })
        .collect()
}

/// Gain of a level in decibels.
pub fn from_db(db: f32) -> f32 {
    10.0f32.powf(db / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_count() {
        let mut x = vec![0.0; SAMPLE_RATE * 10];
        x[..SAMPLE_RATE * 5].fill(0.25);
        assert!((active_rms(&x) - 0.25).abs() < 1e-4);
        assert_eq!(active_rms(&[]), 0.0);
        let frames = frame_rms(&x);
        assert_eq!(frames.len(), 1000);
        assert!((frames[100] - 0.25).abs() < 1e-4 && frames[600] < 1e-4);
    }
}
