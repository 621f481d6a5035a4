//! The front end of `ah1`: the constant-Q transform (Brown 1991) by sparse spectral kernels (Brown & Puckette 1992), scaled as
//! librosa's.

use std::ops::Range;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::extractor::level::normalise;

/// Sample rate, Hz.
pub const SAMPLE_RATE: u32 = 16_000;

/// Samples per frame: 16 ms.
pub const HOP: usize = 256;

/// Frequency bins per frame.
pub const BINS: usize = 365;

/// Frequency of bin 0, Hz.
const LOWEST: f64 = 65.0;

/// Bins per octave.
const PER_OCTAVE: f64 = 57.0;

/// Transform length: the first power of two that holds the longest kernel, 1.3 s.
const LENGTH: usize = 32_768;

/// Kernel values below this share of the largest are left out. The window's side lobes lie lower, at -92 dB.
const NEGLIGIBLE: f32 = 1e-4;

/// Constant-Q magnitudes.
pub struct Cqt {
    fft: Arc<dyn Fft<f32>>,
    /// Per bin: where its kernel begins in the spectrum, and its values there, which are real.
    kernels: Vec<(usize, Vec<f32>)>,
}

impl Default for Cqt {
    fn default() -> Self {
        Self::new()
    }
}

impl Cqt {
    /// Computes the kernels.
    pub fn new() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(LENGTH);
        let kernels = (0..BINS).map(|bin| kernel(bin, &*fft)).collect();
        Cqt { fft, kernels }
    }

    /// `frames x 365` values `ln(1 + |C|)`, frame `t` centred at sample `256 t`. The level is normalised over all `samples`.
    pub fn log_magnitudes(&self, samples: &[f32], frames: usize) -> Vec<f32> {
        let mut out = vec![0.0; frames * BINS];
        self.magnitudes(&normalise(samples, SAMPLE_RATE), 0..frames, |frame, magnitudes| {
            let row = &mut out[frame * BINS..(frame + 1) * BINS];
            row.iter_mut().zip(magnitudes).for_each(|(value, magnitude)| *value = magnitude.ln_1p());
        });
        out
    }

    /// Calls `visit(frame, magnitudes)` for each of the `frames`; silence lies beyond the ends.
    ///
    /// Two real frames share one complex transform, as in the short-time Fourier transform.
    fn magnitudes(&self, samples: &[f32], frames: Range<usize>, mut visit: impl FnMut(usize, &[f32])) {
        let mut buffer = vec![Complex::default(); LENGTH];
        let mut scratch = vec![Complex::default(); self.fft.get_inplace_scratch_len()];
        let mut spectra = [vec![Complex::default(); LENGTH / 2], vec![Complex::default(); LENGTH / 2]];
        let mut magnitudes = vec![0.0; BINS];
        for frame in frames.clone().step_by(2) {
            let both = if frame + 1 < frames.end { 2 } else { 1 };
            buffer.fill(Complex::default());
            for (i, x) in around(samples, frame * HOP) {
                buffer[i].re = x;
            }
            if both == 2 {
                for (i, x) in around(samples, (frame + 1) * HOP) {
                    buffer[i].im = x;
                }
            }
            self.fft.process_with_scratch(&mut buffer, &mut scratch);
            let [first, second] = &mut spectra;
            for k in 0..LENGTH / 2 {
                let (a, b) = (buffer[k], buffer[(LENGTH - k) % LENGTH].conj());
                first[k] = (a + b) * 0.5;
                second[k] = (a - b) * 0.5;
            }
            for (i, spectrum) in spectra.iter().take(both).enumerate() {
                for ((start, values), magnitude) in self.kernels.iter().zip(&mut magnitudes) {
                    let terms = values.iter().zip(&spectrum[*start..]);
                    *magnitude = terms.map(|(value, x)| x * value).sum::<Complex<f32>>().norm();
                }
                visit(frame + i, &magnitudes);
            }
        }
    }
}

/// The samples around `centre` with their places in the buffer: the centre at 0, what precedes it at the end.
fn around(samples: &[f32], centre: usize) -> impl Iterator<Item = (usize, f32)> {
    let from = centre.saturating_sub(LENGTH / 2).min(samples.len());
    let to = (centre + LENGTH / 2).min(samples.len());
    samples[from..to].iter().enumerate().map(move |(i, &x)| ((from + i + LENGTH - centre) % LENGTH, x))
}

/// The spectrum of a bin's kernel: a sinusoid under a Blackman-Harris window of `Q * rate / f` samples, of L1 norm 1, times the
/// root of its length. The window lies around sample 0, so that its spectrum is real.
fn kernel(bin: usize, fft: &dyn Fft<f32>) -> (usize, Vec<f32>) {
    let hz = LOWEST * (bin as f64 / PER_OCTAVE).exp2();
    // librosa's relative bandwidth.
    let ratio = (2.0 / PER_OCTAVE).exp2();
    let length = (ratio + 1.0) / (ratio - 1.0) * f64::from(SAMPLE_RATE) / hz;
    let half = (length / 2.0).floor() as isize;
    let turn = std::f64::consts::TAU;
    let window = |n: isize| {
        let phase = turn * n as f64 / length;
        0.358_75 + 0.488_29 * phase.cos() + 0.141_28 * (2.0 * phase).cos() + 0.011_68 * (3.0 * phase).cos()
    };
    let norm: f64 = (-half..=half).map(window).sum();
    let mut buffer = vec![Complex::default(); LENGTH];
    for n in -half..=half {
        // The transform adds a factor of its length.
        let value = window(n) / norm * length.sqrt() / LENGTH as f64;
        let angle = turn * hz * n as f64 / f64::from(SAMPLE_RATE);
        buffer[n.rem_euclid(LENGTH as isize) as usize] = Complex::new((value * angle.cos()) as f32, (value * angle.sin()) as f32);
    }
    fft.process(&mut buffer);
    let largest = buffer.iter().map(|x| x.re.abs()).fold(0.0, f32::max);
    let counts = |k: &usize| buffer[*k].re.abs() > NEGLIGIBLE * largest;
    let first = (0..LENGTH / 2).find(counts).unwrap_or(0);
    let last = (0..LENGTH / 2).rfind(counts).unwrap_or(0);
    (first, buffer[first..=last].iter().map(|x| x.re).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// Three seconds of a function of time.
    fn signal(of: impl Fn(f64) -> f64) -> Vec<f32> {
        (0..3 * SAMPLE_RATE).map(|n| of(f64::from(n) / f64::from(SAMPLE_RATE)) as f32).collect()
    }

    /// Compares magnitudes with golden ones at some bins around `centre`, within a share of the largest.
    fn check(samples: &[f32], frame: usize, (centre, step): (usize, usize), golden: [f32; 5], tolerance: f32) {
        let largest = golden.into_iter().fold(0.0, f32::max);
        Cqt::new().magnitudes(samples, frame..frame + 1, |_, magnitudes| {
            for (i, wanted) in golden.into_iter().enumerate() {
                let got = magnitudes[centre + i * step - 2 * step];
                assert!(
                    (got - wanted).abs() < tolerance * largest,
                    "bin {} of frame {frame}: {got} against {wanted}",
                    centre + i * step - 2 * step
                );
            }
        });
    }

    // The golden values are those of librosa 0.11.0: np.abs(librosa.cqt(y, sr=16000, hop_length=256, fmin=65, n_bins=365,
    // bins_per_octave=57, window="blackmanharris")), y as here, float32. It filters octave by octave at lower rates, which moves a
    // sweep by up to 1.1 % from the definition.

    #[test]
    fn tones_are_as_librosa_has_them() {
        for (hz, centre, golden) in [
            (70.0, 6, [5.575, 21.67, 34.215, 24.898, 8.061]),
            (98.0, 34, [8.242, 23.196, 28.361, 16.007, 3.808]),
            (220.0, 100, [2.184, 10.366, 18.849, 15.672, 6.014]),
            (440.0, 157, [1.545, 7.329, 13.328, 11.082, 4.253]),
            (1000.0, 225, [2.51, 7.217, 8.883, 5.054, 1.208]),
            (3520.0, 328, [0.546, 2.591, 4.712, 3.918, 1.503]),
            (5000.0, 357, [0.602, 2.485, 4.035, 3.012, 1.01]),
        ] {
            check(&signal(|t| 0.5 * (TAU * hz * t).sin()), 94, (centre, 1), golden, 0.01);
        }
    }

    #[test]
    fn a_sweep_is_as_librosa_has_it() {
        let k = 40.0f64.ln() / 3.0;
        let sweep = signal(|t| 0.5 * (TAU * 100.0 * ((k * t).exp() - 1.0) / k).sin());
        check(&sweep, 40, (100, 2), [6.801, 8.076, 8.672, 8.211, 6.827], 0.02);
        check(&sweep, 80, (165, 2), [3.278, 6.641, 8.413, 6.105, 2.414], 0.02);
        check(&sweep, 120, (230, 2), [0.715, 4.46, 7.294, 2.225, 0.214], 0.02);
        check(&sweep, 160, (294, 2), [0.035, 0.968, 5.558, 2.088, 0.087], 0.02);
    }

    #[test]
    fn magnitudes_are_those_of_the_definition() {
        let k = 40.0f64.ln() / 3.0;
        let sweep = signal(|t| 0.5 * (TAU * 100.0 * ((k * t).exp() - 1.0) / k).sin());
        // Summed over time, in double precision.
        check(&sweep, 40, (100, 2), [6.810, 8.122, 8.693, 8.222, 6.735], 1e-3);
        check(&sweep, 160, (294, 2), [0.022, 1.003, 5.570, 2.132, 0.072], 1e-3);
    }

    #[test]
    fn frames_share_transforms_unharmed() {
        let samples = signal(|t| 0.3 * (TAU * 220.0 * t * (1.0 + 0.1 * t)).sin());
        let cqt = Cqt::new();
        let mut alone = Vec::new();
        for frame in 0..5 {
            cqt.magnitudes(&samples, frame..frame + 1, |_, m| alone.push(m.to_vec()));
        }
        cqt.magnitudes(&samples, 0..5, |frame, m| {
            assert!(m.iter().zip(&alone[frame]).all(|(a, b)| (a - b).abs() < 1e-3), "frame {frame}");
        });
        assert!(cqt.log_magnitudes(&[f32::NAN; 500], 2).iter().all(|&x| x == 0.0));
    }
}
