//! What the vocal tract of a speaker does in one frame: a smooth envelope of the power spectrum, and how much of it is noise.
//!
//! The envelope is that of CheapTrick (Morise, "CheapTrick, a spectral envelope estimator for high-quality speech
//! synthesis", Speech Communication 67, 2015): a window of three periods makes the power independent of where in the period
//! it stands, smoothing over two thirds of f0 and a lifter take away the harmonics.

use std::f32::consts::{PI, TAU};
use std::sync::Arc;

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::pitch;
use crate::SAMPLE_RATE;
use crate::voice::FRAME;

/// Bins of an envelope, from 0 to 8 kHz.
pub const BINS: usize = 257;
/// Spacing of the bins, Hz.
pub const SPACING: f32 = SAMPLE_RATE as f32 / (2 * (BINS - 1)) as f32;
/// Bands in which the noise is measured.
pub const BANDS: usize = 5;
/// Their edges, Hz.
pub const EDGES: [f32; BANDS + 1] = [0.0, 1000.0, 2000.0, 3500.0, 5500.0, 8000.0];

const SIZE: usize = 1024;
const HALF: usize = SIZE / 2;
/// Hz per bin while analysing.
const STEP: f32 = SAMPLE_RATE as f32 / SIZE as f32;
/// What stands for f0 where there is none: bursts need short windows.
const UNVOICED: f32 = 500.0;

/// Analyses frames of speech.
pub struct Analyser {
    fft: Arc<dyn Fft<f32>>,
    buffer: Vec<Complex32>,
    scratch: Vec<Complex32>,
    power: [f32; HALF + 1],
    sums: [f32; 2 * HALF + 2],
}

impl Analyser {
    /// An analyser.
    pub fn new() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(SIZE);
        let scratch = vec![Complex32::default(); fft.get_inplace_scratch_len()];
        let buffer = vec![Complex32::default(); SIZE];
        Analyser { fft, buffer, scratch, power: [0.0; HALF + 1], sums: [0.0; 2 * HALF + 2] }
    }

    /// Log power density and log share of noise of 5 ms frame number `frame`; `f0` in Hz, 0 = unvoiced. A power of 1 at all
    /// frequencies is that of white noise of deviation 1.
    pub fn frame(&mut self, samples: &[f32], frame: usize, f0: f32) -> ([f32; BINS], [f32; BANDS]) {
        let centre = frame * FRAME;
        if f0 <= 0.0 {
            return (self.envelope(samples, centre, UNVOICED), [0.0; BANDS]);
        }
        let f0 = f0.max(pitch::RANGE.0);
        (self.envelope(samples, centre, f0), self.aperiodicity(samples, centre, f0))
    }

    fn envelope(&mut self, samples: &[f32], centre: usize, f0: f32) -> [f32; BINS] {
        self.power_spectrum(samples, centre, 3.0 / f0);
        // Below the fundamental there is nothing to see: what is just above it goes on downwards.
        let lowest = (f0 / STEP) as usize;
        let copy: Vec<f32> = (0..=lowest).map(|k| self.power_at(f0 - k as f32 * STEP)).collect();
        self.power[..=lowest].iter_mut().zip(copy).for_each(|(p, x)| *p += x);
        self.smooth(f0 / 3.0);
        // The lifter takes away what is left of the harmonics and makes up for what the smoothing took from the formants.
        for k in 0..SIZE {
            self.buffer[k] = Complex32::new((self.power[k.min(SIZE - k)] + 1e-12).ln() / SIZE as f32, 0.0);
        }
        self.fft.process_with_scratch(&mut self.buffer, &mut self.scratch);
        for k in 1..SIZE {
            let phase = f0 * k.min(SIZE - k) as f32 / SAMPLE_RATE as f32;
            let lifter = (PI * phase).sin() / (PI * phase) * (1.3 - 0.3 * (TAU * phase).cos());
            self.buffer[k] = Complex32::new(self.buffer[k].re * lifter, 0.0);
        }
        self.fft.process_with_scratch(&mut self.buffer, &mut self.scratch);
        std::array::from_fn(|k| self.buffer[k * HALF / (BINS - 1)].re)
    }

    /// Four periods under a Hann window have their harmonics' zeros half way between them: what is there is noise.
    fn aperiodicity(&mut self, samples: &[f32], centre: usize, f0: f32) -> [f32; BANDS] {
        self.power_spectrum(samples, centre, 4.0 / f0);
        std::array::from_fn(|band| {
            let (low, high) = (EDGES[band], EDGES[band + 1]);
            let bins = &self.power[(low / STEP) as usize..=(high / STEP) as usize];
            let total = bins.iter().sum::<f32>() / bins.len() as f32;
            let valleys = || ((low / f0) as usize..).map(|k| (k as f32 + 0.5) * f0).skip_while(move |f| *f < low);
            let valleys: Vec<f32> = valleys().take_while(|f| *f < high).map(|f| self.power_at(f)).collect();
            let noise = valleys.iter().sum::<f32>() / valleys.len().max(1) as f32;
            (noise / (total + 1e-12)).clamp(1e-4, 1.0).ln()
        })
    }

    /// Power under a Hann window of `length` seconds; white noise of deviation 1 has a power of 1.
    fn power_spectrum(&mut self, samples: &[f32], centre: usize, length: f32) {
        let half = ((0.5 * length * SAMPLE_RATE as f32) as usize).min(HALF - 1);
        self.buffer.fill(Complex32::default());
        let (mut weights, mut squares, mut mean) = (0.0, 0.0, 0.0);
        for n in 0..=2 * half {
            let w = 0.5 - 0.5 * (PI * (n as f32 + 0.5) / (half as f32 + 0.5)).cos();
            let x = (centre + n).checked_sub(half).and_then(|i| samples.get(i)).copied().unwrap_or(0.0);
            self.buffer[n] = Complex32::new(w * x, w);
            (weights, squares, mean) = (weights + w, squares + w * w, mean + w * x);
        }
        let mean = mean / weights;
        self.buffer[..=2 * half].iter_mut().for_each(|x| *x = Complex32::new(x.re - mean * x.im, 0.0));
        self.fft.process_with_scratch(&mut self.buffer, &mut self.scratch);
        self.power.iter_mut().zip(&self.buffer).for_each(|(p, x)| *p = x.norm_sqr() / squares);
    }

    /// Power at a frequency (Hz, mirrored at 0), interpolated.
    fn power_at(&self, f: f32) -> f32 {
        let place = (f.abs() / STEP).min(HALF as f32 - 0.001);
        let k = place as usize;
        self.power[k] + (self.power[k + 1] - self.power[k]) * (place - k as f32)
    }

    /// Mean of the power from `reach` Hz below to `reach` above every frequency, mirrored at both ends.
    fn smooth(&mut self, reach: f32) {
        // Running sums of steps centred on the bins, from -HALF/2 to 3 HALF/2.
        const OFFSET: isize = HALF as isize / 2;
        let mut sum = 0.0;
        for (i, out) in self.sums.iter_mut().enumerate() {
            *out = sum;
            let k = (i as isize - OFFSET).unsigned_abs();
            sum += self.power[if k > HALF { 2 * HALF - k } else { k }];
        }
        let up_to = |place: f32| {
            let place = place + OFFSET as f32 + 0.5;
            let i = place as usize;
            self.sums[i] + (self.sums[i + 1] - self.sums[i]) * (place - i as f32)
        };
        let reach = reach / STEP;
        self.power = std::array::from_fn(|k| (up_to(k as f32 + reach) - up_to(k as f32 - reach)) / (2.0 * reach));
    }
}

impl Default for Analyser {
    fn default() -> Self {
        Analyser::new()
    }
}
