//! Training audio has 16 kHz; some front ends want another rate.

use std::f64::consts::PI;

use qbh_synthesis::SAMPLE_RATE;

/// Taps on either side of the centre, in samples of the lower of the two rates.
const REACH: usize = 16;

/// Pass band as a share of the lower rate's: what is left is for the filter to fall.
const PASS: f64 = 0.95;

/// Windowed-sinc interpolation by a rational ratio: 60 dB down from 1.15 times the lower rate's half on.
pub(super) struct Resampler {
    /// Numerator and denominator of new rate / old rate, in lowest terms.
    ratio: (usize, usize),
    /// Samples of the input on either side of an output sample.
    reach: usize,
    /// Filter of every phase, `2 reach` taps each.
    phases: Vec<Vec<f32>>,
}

impl Resampler {
    /// From 16 kHz to `rate` Hz.
    pub(super) fn new(rate: usize) -> Self {
        let divisor = gcd(rate, SAMPLE_RATE);
        let (up, down) = (rate / divisor, SAMPLE_RATE / divisor);
        // Cut-off in cycles per input sample, times two.
        let band = (rate as f64 / SAMPLE_RATE as f64).min(1.0);
        let reach = (REACH as f64 / band).ceil() as usize;
        let tap = |x: f64| {
            let cut = band * PASS;
            let sinc = if x.abs() < 1e-9 { cut } else { (PI * cut * x).sin() / (PI * x) };
            let hann = 0.5 + 0.5 * (PI * (x / reach as f64).clamp(-1.0, 1.0)).cos();
            (sinc * hann) as f32
        };
        // Phase p: the output lies p / up behind an input sample, which is tap number `reach - 1`.
        let phase = |p: usize| (0..2 * reach).map(|k| tap(k as f64 - (reach as f64 - 1.0) - p as f64 / up as f64)).collect();
        Resampler { ratio: (up, down), reach, phases: (0..up).map(phase).collect() }
    }

    /// `ceil(samples * ratio)` samples; silence lies beyond the ends.
    pub(super) fn run(&self, samples: &[f32]) -> Vec<f32> {
        let (up, down) = self.ratio;
        let mut padded = vec![0.0; self.reach - 1];
        padded.extend_from_slice(samples);
        padded.resize(padded.len() + self.reach + 1, 0.0);
        (0..(samples.len() * up).div_ceil(down))
            .map(|n| {
                let (start, phase) = (n * down / up, n * down % up);
                self.phases[phase].iter().zip(&padded[start..]).map(|(tap, x)| tap * x).sum()
            })
            .collect()
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, rate: usize) -> Vec<f32> {
        (0..rate).map(|n| (2.0 * PI * hz * n as f64 / rate as f64).sin() as f32).collect()
    }

    #[test]
    fn tones_keep_their_pitch_level_and_place() {
        for (rate, hz) in [(8000, 440.0), (8000, 3000.0), (22_050, 440.0), (22_050, 6000.0), (16_000, 1000.0)] {
            let (got, wanted) = (Resampler::new(rate).run(&tone(hz, SAMPLE_RATE)), tone(hz, rate));
            assert_eq!(got.len(), rate);
            let inner = 200..rate - 200;
            let worst = got[inner.clone()].iter().zip(&wanted[inner]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 0.01, "{hz} Hz at {rate} Hz: off by {worst}");
        }
    }

    #[test]
    fn what_the_new_rate_cannot_hold_is_stopped() {
        let got = Resampler::new(8000).run(&tone(5000.0, SAMPLE_RATE));
        assert!(got[500..7500].iter().all(|x| x.abs() < 0.002));
    }
}
