//! The level of a recording.

/// What samples are multiplied by so that their loudest 30 % of 50 ms blocks have RMS 0.1; broken samples count as silence.
pub(super) fn gain(samples: &[f32], sample_rate: u32) -> f32 {
    let block = sample_rate as usize / 20;
    let power = |block: &[f32]| block.iter().map(|&x| clean(x) * clean(x)).sum::<f32>() / block.len() as f32;
    let mut power: Vec<f32> = samples.chunks(block).map(power).collect();
    power.sort_unstable_by(|a, b| b.total_cmp(a));
    power.truncate((power.len() * 3 / 10).max(1));
    let mean = power.iter().sum::<f32>() / power.len().max(1) as f32;
    0.1 / (mean + 1e-10).sqrt()
}

/// The sample, or silence in place of one that is not finite.
pub(super) fn clean(x: f32) -> f32 {
    if x.is_finite() { x } else { 0.0 }
}

/// Samples at the level that [`gain`] brings about; broken ones are silence.
#[cfg(feature = "torch")]
pub(super) fn normalise(samples: &[f32], sample_rate: u32) -> Vec<f32> {
    let gain = gain(samples, sample_rate);
    samples.iter().map(|&x| clean(x) * gain).collect()
}
