//! What cheap recording and coding do: few bits, few samples.

/// Rounds to `bits` bits after the mu-law curve (mu = 255), as telephones do.
pub fn mu_law(samples: &mut [f32], bits: u32) {
    const MU: f32 = 255.0;
    let peak = samples.iter().fold(1e-9f32, |a, x| a.max(x.abs()));
    let steps = (1u32 << (bits - 1)) as f32;
    for x in samples {
        let curved = (1.0 + MU * (x.abs() / peak)).ln() / (1.0 + MU).ln();
        let rounded = (curved * steps).round() / steps;
        *x = x.signum() * peak * ((1.0 + MU).powf(rounded) - 1.0) / MU;
    }
}

/// Rounds to linear steps of `bits` bits of the peak.
pub fn quantise(samples: &mut [f32], bits: u32) {
    let peak = samples.iter().fold(1e-9f32, |a, x| a.max(x.abs()));
    let steps = (1u32 << (bits - 1)) as f32 / peak;
    samples.iter_mut().for_each(|x| *x = (*x * steps).round() / steps);
}

/// Keeps every `factor`-th sample and draws lines between them: the images and dullness of a low sampling rate.
pub fn decimate(samples: &mut [f32], factor: usize) {
    let mut start = 0;
    while start + factor < samples.len() {
        let (a, b) = (samples[start], samples[start + factor]);
        for (n, x) in samples[start..start + factor].iter_mut().enumerate() {
            *x = a + (b - a) * n as f32 / factor as f32;
        }
        start += factor;
    }
}
