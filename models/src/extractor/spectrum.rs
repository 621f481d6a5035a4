//! Magnitude spectra of centred frames: the short-time Fourier transform both front ends begin with.

use std::f32::consts::PI;
use std::ops::Range;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// What lies beyond the first and the last sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edge {
    /// Silence.
    Zero,
    /// The signal mirrored, its end sample not repeated (silence where the signal is too short for that).
    #[cfg_attr(not(feature = "torch"), allow(dead_code))] // only libtorch's networks mirror
    Reflect,
}

/// Hann-windowed magnitude spectra; frame `t` is centred at sample `t * hop`.
#[derive(Clone)]
pub struct Stft {
    window: Vec<f32>,
    hop: usize,
    edge: Edge,
    fft: Arc<dyn Fft<f32>>,
}

impl Stft {
    /// Windows of `size` samples (a power of two), `hop` samples apart.
    pub fn new(size: usize, hop: usize, edge: Edge) -> Self {
        let window = (0..size).map(|n| 0.5 - 0.5 * (2.0 * PI * n as f32 / size as f32).cos()).collect();
        Stft { window, hop, edge, fft: FftPlanner::new().plan_fft_forward(size) }
    }

    /// Number of frequency bins, `size / 2 + 1`.
    pub fn bins(&self) -> usize {
        self.window.len() / 2 + 1
    }

    /// Calls `visit(frame, magnitudes)` for each of the `frames`, in order.
    ///
    /// Two real frames share one complex transform: one is its real part, the other its imaginary part, and the
    /// symmetry of real spectra takes them apart again.
    pub fn magnitudes(&self, samples: &[f32], frames: Range<usize>, mut visit: impl FnMut(usize, &[f32])) {
        let size = self.window.len();
        let mut buffer = vec![Complex::default(); size];
        let mut scratch = vec![Complex::default(); self.fft.get_inplace_scratch_len()];
        let mut first = vec![0.0; self.bins()];
        let mut second = vec![0.0; self.bins()];
        for frame in frames.clone().step_by(2) {
            let paired = frame + 1 < frames.end;
            self.fill(samples, frame, |n, x| buffer[n] = Complex::new(x, 0.0));
            if paired {
                self.fill(samples, frame + 1, |n, x| buffer[n].im = x);
            }
            self.fft.process_with_scratch(&mut buffer, &mut scratch);
            for k in 0..self.bins() {
                let (a, b) = (buffer[k], buffer[(size - k) % size].conj());
                first[k] = 0.5 * (a + b).norm_sqr().sqrt();
                second[k] = 0.5 * (a - b).norm_sqr().sqrt();
            }
            visit(frame, &first);
            if paired {
                visit(frame + 1, &second);
            }
        }
    }

    /// Hands out the windowed samples of one frame.
    fn fill(&self, samples: &[f32], frame: usize, mut put: impl FnMut(usize, f32)) {
        let start = (frame * self.hop) as isize - (self.window.len() / 2) as isize;
        if start >= 0 && start as usize + self.window.len() <= samples.len() {
            let inside = &samples[start as usize..];
            self.window.iter().zip(inside).enumerate().for_each(|(n, (w, x))| put(n, w * x));
        } else {
            self.window.iter().enumerate().for_each(|(n, w)| put(n, w * self.at(samples, start + n as isize)));
        }
    }

    /// The sample at `index`, which may lie outside.
    fn at(&self, samples: &[f32], index: isize) -> f32 {
        let len = samples.len() as isize;
        let index = match self.edge {
            Edge::Zero => index,
            Edge::Reflect if index < 0 => -index,
            Edge::Reflect if index >= len => 2 * (len - 1) - index,
            Edge::Reflect => index,
        };
        usize::try_from(index).ok().and_then(|i| samples.get(i)).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, term by term.
    fn slow(samples: &[f32], centre: usize, size: usize) -> Vec<f32> {
        let mirrored = |i: isize| {
            let last = samples.len() as isize - 1;
            samples[(if i < 0 {
                -i
            } else if i > last {
                2 * last - i
            } else {
                i
            }) as usize]
        };
        (0..=size / 2)
            .map(|k| {
                let sum: Complex<f64> = (0..size)
                    .map(|n| {
                        let phase = 2.0 * std::f64::consts::PI * n as f64 / size as f64;
                        let x = f64::from(mirrored(centre as isize - size as isize / 2 + n as isize));
                        Complex::from_polar((0.5 - 0.5 * phase.cos()) * x, -phase * k as f64)
                    })
                    .sum();
                sum.norm() as f32
            })
            .collect()
    }

    #[test]
    fn equals_the_definition_at_the_edges_and_inside() {
        let samples: Vec<f32> = (0..100).map(|n| (n as f32 * 0.7).sin() + 0.3 * (n as f32 * 2.1).cos()).collect();
        let stft = Stft::new(32, 10, Edge::Reflect);
        let mut seen = 0;
        stft.magnitudes(&samples, 0..9, |frame, magnitudes| {
            assert_eq!(frame, seen);
            seen += 1;
            for (a, b) in magnitudes.iter().zip(slow(&samples, frame * 10, 32)) {
                assert!((a - b).abs() < 1e-4, "frame {frame}: {a} against {b}");
            }
        });
        assert_eq!(seen, 9);
    }

    #[test]
    fn a_signal_shorter_than_half_a_window_does_not_panic() {
        for edge in [Edge::Zero, Edge::Reflect] {
            Stft::new(32, 10, edge).magnitudes(&[0.5, 0.1], 0..1, |_, m| assert!(m.iter().all(|x| x.is_finite())));
        }
    }
}
