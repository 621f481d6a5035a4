//! From control frames to sound: a sum of harmonics whose amplitudes and phases are those of glottal pulse times vocal
//! tract, and noise shaped in the frequency domain. Additive synthesis knows no aliasing and keeps f0 exact.

use std::f32::consts::TAU;
use std::sync::Arc;

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::frame::{FRAME, Frame, Mouth};
use super::glottis::{GlottalTable, MAX_HARMONICS};
use super::speech::response::Colour;
use super::style::{Kind, VoiceStyle};
use super::tract::{Shape, Tract, resonance};
use crate::SAMPLE_RATE;
use crate::random::{Draw, Wander};

/// Highest frequency of a harmonic, Hz.
const TOP: f32 = 7700.0;
/// How much brighter a recorded voice gets when `Rd` falls by 1, dB per octave.
const TILT: f32 = 3.0;
/// Length of a noise grain: 16 ms, at hops of 5 ms.
const GRAIN: usize = 256;

/// What one voice sounds like, beside what its frames say.
#[derive(Clone)]
pub struct Timbre {
    tract: Arc<Tract>,
    speech: Option<Colour>,
    whistled: bool,
    /// Mean `Rd`.
    rd: f32,
    /// Amplitude of a whistle's second harmonic.
    second: f32,
    jitter: f32,
    shimmer: f32,
    growl: f32,
}

impl std::fmt::Debug for Timbre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timbre").field("whistled", &self.whistled).finish_non_exhaustive()
    }
}

impl Timbre {
    /// The timbre of a style; no two singers of one style are alike.
    pub fn new(style: &VoiceStyle, draw: &mut Draw) -> Self {
        Timbre {
            tract: Arc::new(Tract::new(style.scale, style.ring, draw)),
            speech: style.speaker.as_ref().map(|speaker| Colour::new(speaker, style, draw)),
            rd: style.rd,
            whistled: style.kind == Kind::Whistled,
            second: draw.log_range(0.002, 0.06),
            jitter: style.jitter,
            shimmer: style.shimmer,
            growl: style.growl,
        }
    }
}

/// Renders frames (one more than whole blocks of `samples`) to 16 kHz audio.
pub fn render(frames: &[Frame], timbre: &Timbre, samples: usize, draw: &mut Draw) -> Vec<f32> {
    let blocks = samples.div_ceil(FRAME);
    let mut audio = vec![0.0; (blocks + 1) * FRAME + GRAIN];
    let phase = harmonics(frames, timbre, &mut audio, blocks, draw);
    noise(frames, timbre, &phase, &mut audio, blocks, draw);
    audio.truncate(samples);
    audio
}

/// Complex amplitude of every harmonic at one frame.
struct Spectrum {
    amplitudes: [Complex32; MAX_HARMONICS],
    count: usize,
}

impl Spectrum {
    fn silent() -> Self {
        Spectrum { amplitudes: [Complex32::default(); MAX_HARMONICS], count: 0 }
    }

    fn set(&mut self, frame: &Frame, gain: f32, timbre: &Timbre) {
        self.amplitudes[..self.count].fill(Complex32::default());
        self.count = 0;
        if frame.f0 <= 0.0 || frame.voice <= 0.0 {
            return;
        }
        let gain = gain * frame.voice;
        self.count = ((TOP / frame.f0) as usize).clamp(1, MAX_HARMONICS);
        if timbre.whistled {
            self.count = self.count.min(2);
            self.amplitudes[..2].copy_from_slice(&[gain.into(), (gain * timbre.second).into()]);
            return;
        }
        let amplitudes = &mut self.amplitudes[..self.count];
        match (frame.mouth, &timbre.speech) {
            (Mouth::Modelled(shape), _) => modelled(frame, &shape, timbre, amplitudes),
            (Mouth::Recorded(place), Some(colour)) => {
                colour.harmonics(place, TILT * (timbre.rd - frame.rd), frame.f0, amplitudes);
            }
            (Mouth::Recorded(_), None) => {}
        }
        for (k, amplitude) in amplitudes.iter_mut().enumerate() {
            let fade = ((TOP - (k + 1) as f32 * frame.f0) / 400.0).min(1.0);
            *amplitude *= gain * fade;
        }
    }
}

/// Glottal source times vocal tract.
fn modelled(frame: &Frame, shape: &Shape, timbre: &Timbre, amplitudes: &mut [Complex32]) {
    let (low, high, weight) = GlottalTable::shared().rows(frame.rd);
    for (k, amplitude) in amplitudes.iter_mut().enumerate() {
        let f = (k + 1) as f32 * frame.f0;
        let source = low[k] + (high[k] - low[k]) * weight;
        *amplitude = source * shape.response(f) * timbre.tract.fixed(f);
    }
}

/// Adds the voiced part; returns the phase of the fundamental at every sample, in cycles (modulo 2).
fn harmonics(frames: &[Frame], timbre: &Timbre, audio: &mut [f32], blocks: usize, draw: &mut Draw) -> Vec<f32> {
    let mut phase = Vec::with_capacity(blocks * FRAME);
    let mut cycles = draw.range(0.0, 1.0);
    let mut jitter = Wander::new(timbre.jitter, 1.5, draw);
    let mut shimmer = Wander::new(timbre.shimmer, 2.0, draw);
    let (mut now, mut next) = (Spectrum::silent(), Spectrum::silent());
    next.set(&frames[0], 1.0, timbre);
    let mut bend = 1.0;
    for block in 0..blocks {
        std::mem::swap(&mut now, &mut next);
        next.set(&frames[block + 1], 1.0 + shimmer.step(draw), timbre);
        let bent = (jitter.step(draw) / 12.0).exp2();
        let (from, to) = match (frames[block].f0, frames[block + 1].f0) {
            (0.0, f) => (f, f),
            (f, 0.0) => (f, f),
            pair => pair,
        };
        let (from, to) = (from * bend, to * bent);
        bend = bent;
        let mut turn = [Complex32::default(); FRAME];
        let mut gain = [1.0f32; FRAME];
        for n in 0..FRAME {
            turn[n] = Complex32::cis(TAU * cycles);
            if timbre.growl > 0.0 {
                gain[n] = 1.0 - timbre.growl * (0.5 + 0.5 * (0.5 * TAU * cycles).cos());
            }
            phase.push(cycles);
            cycles += (from + (to - from) * n as f32 / FRAME as f32) / SAMPLE_RATE as f32;
            if cycles >= 2.0 {
                cycles -= 2.0;
            }
        }
        let out = &mut audio[block * FRAME..(block + 1) * FRAME];
        add_block(&now, &next, &turn, &gain, out);
    }
    phase
}

/// Adds one block of harmonics whose amplitudes move from `now` to `next`; `turn` is the fundamental's rotation.
fn add_block(now: &Spectrum, next: &Spectrum, turn: &[Complex32; FRAME], gain: &[f32; FRAME], out: &mut [f32]) {
    let count = now.count.max(next.count);
    let re1: [f32; FRAME] = std::array::from_fn(|n| turn[n].re);
    let im1: [f32; FRAME] = std::array::from_fn(|n| turn[n].im);
    let ramp: [f32; FRAME] = std::array::from_fn(|n| n as f32 / FRAME as f32);
    let (mut re, mut im) = (re1, im1);
    let mut sum = [0.0f32; FRAME];
    for (a, b) in now.amplitudes[..count].iter().zip(&next.amplitudes[..count]) {
        let step = b - a;
        for n in 0..FRAME {
            sum[n] += (a.re + step.re * ramp[n]) * re[n] - (a.im + step.im * ramp[n]) * im[n];
            let turned = re[n] * re1[n] - im[n] * im1[n];
            im[n] = re[n] * im1[n] + im[n] * re1[n];
            re[n] = turned;
        }
    }
    for n in 0..FRAME {
        out[n] += sum[n] * gain[n];
    }
}

/// Adds breath (through the tract, stronger while the glottis is open) and hiss (past it).
fn noise(frames: &[Frame], timbre: &Timbre, phase: &[f32], audio: &mut [f32], blocks: usize, draw: &mut Draw) {
    let fft: Arc<dyn Fft<f32>> = FftPlanner::new().plan_fft_inverse(GRAIN);
    let mut scratch = vec![Complex32::default(); fft.get_inplace_scratch_len()];
    let window: Vec<f32> = (0..GRAIN).map(|n| 0.5 - 0.5 * (TAU * (n as f32 + 0.5) / GRAIN as f32).cos()).collect();
    // Real noise of deviation 1 when the magnitude is 1 at all frequencies, overlapping grains included.
    let overlap: f32 = window.iter().map(|w| w * w).sum::<f32>() / FRAME as f32;
    let scale = (2.0 / (GRAIN as f32 * overlap)).sqrt();
    let mut magnitudes = [0.0; GRAIN / 2];
    let mut grain = vec![Complex32::default(); GRAIN];
    for (block, frame) in frames.iter().enumerate().take(blocks) {
        if frame.breath <= 1e-5 && frame.hiss <= 1e-5 {
            continue;
        }
        magnitudes.fill(0.0);
        match (frame.mouth, &timbre.speech) {
            (Mouth::Recorded(place), Some(colour)) => {
                colour.noise(place, frame.voice > 0.0, &mut magnitudes);
                magnitudes.iter_mut().for_each(|m| *m *= frame.breath);
            }
            (Mouth::Modelled(shape), _) => breath_and_hiss(frame, &shape, timbre, &mut magnitudes),
            (Mouth::Recorded(_), None) => {}
        }
        // One-sided: the real part of the inverse transform is real noise.
        grain.fill(Complex32::default());
        for (bin, magnitude) in grain.iter_mut().zip(&magnitudes).skip(1) {
            *bin = Complex32::new(draw.white(), draw.white()) * (magnitude * scale);
        }
        fft.process_with_scratch(&mut grain, &mut scratch);
        // A grain is centred on its frame; the first frames have no room for it.
        let Some(start) = (block * FRAME).checked_sub(GRAIN / 2) else { continue };
        let modulated = frame.voice > 0.0 && !timbre.whistled;
        for n in 0..GRAIN {
            let mut x = grain[n].re * window[n];
            if let (true, Some(cycles)) = (modulated, phase.get(start + n)) {
                x *= 1.0 + 0.6 * (TAU * cycles).cos();
            }
            audio[start + n] += x;
        }
    }
}

/// Magnitude of the noise of a modelled voice at every bin.
fn breath_and_hiss(frame: &Frame, shape: &Shape, timbre: &Timbre, magnitudes: &mut [f32]) {
    for (k, magnitude) in magnitudes.iter_mut().enumerate() {
        let f = k as f32 * SAMPLE_RATE as f32 / GRAIN as f32;
        if frame.breath > 0.0 {
            let filter = if timbre.whistled {
                resonance(f, frame.f0.max(1000.0), 200.0).norm().min(4.0)
            } else {
                (shape.response(f) * timbre.tract.fixed(f)).norm() * (f / (f + 1000.0))
            };
            *magnitude += frame.breath * filter;
        }
        if frame.hiss > 0.0 {
            let off = (f - frame.hiss_band.0) / frame.hiss_band.1;
            *magnitude += frame.hiss / (1.0 + off * off);
        }
    }
}
