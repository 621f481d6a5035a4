//! The level of a recording.

/// Scales samples so that their loudest 30 % of 50 ms blocks have RMS 0.1; broken samples become silence.
pub(super) fn normalise(samples: &[f32], sample_rate: u32) -> Vec<f32> {
    let block = sample_rate as usize / 20;
    let clean = |x: f32| if x.is_finite() { x } else { 0.0 };
    let mut power: Vec<f32> =
        samples.chunks(block).map(|block| block.iter().map(|&x| clean(x) * clean(x)).sum::<f32>() / block.len() as f32).collect();
    power.sort_unstable_by(|a, b| b.total_cmp(a));
    power.truncate((power.len() * 3 / 10).max(1));
    let mean = power.iter().sum::<f32>() / power.len().max(1) as f32;
    let gain = 0.1 / (mean + 1e-10).sqrt();
    samples.iter().map(|&x| clean(x) * gain).collect()
}
