//! From one sample rate to another (a recording's to an extractor's, a training's to a front end's), as a stream or at once.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use crate::ModelError;

/// The least samples that are transformed at a time, at the lower of the two rates.
/// The longer the block, the steeper the anti-aliasing filter; at 1024 it begins to fall at 0.98 of the band.
const BLOCK: u32 = 1024;

/// Resamples mono audio block by block. What comes out lines up with what went in and has `ceil(n * to / from)` samples.
pub struct Resampler {
    fft: Fft<f32>,
    from: u32,
    to: u32,
    input: Vec<f32>,
    output: Vec<f32>,
    /// Samples still to drop: the filter's delay.
    delay: usize,
    consumed: u64,
    produced: u64,
}

impl Resampler {
    /// Both rates in Hz, above 0.
    ///
    /// # Errors
    /// Rates whose ratio makes no filter.
    pub fn new(from: u32, to: u32) -> Result<Self, ModelError> {
        // Blocks are multiples of the reduced ratio, and of 2: the filter's delay is half a block and must be whole.
        let shortest = from.min(to) / gcd(from, to);
        let block = BLOCK.div_ceil(shortest).next_multiple_of(2) as usize * (from / gcd(from, to)) as usize;
        let fft = Fft::new(from as usize, to as usize, block, 1, FixedSync::Both).map_err(|e| failed(from, to, &e))?;
        let (output, delay) = (vec![0.0; fft.output_frames_max()], fft.output_delay());
        Ok(Resampler { fft, from, to, input: Vec::new(), output, delay, consumed: 0, produced: 0 })
    }

    /// The rate it expects, Hz.
    pub fn from(&self) -> u32 {
        self.from
    }

    /// Takes `samples` and appends to `out` what is ready.
    ///
    /// # Errors
    /// What the library reports.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), ModelError> {
        self.consumed += samples.len() as u64;
        self.input.extend_from_slice(samples);
        self.transform(out)
    }

    /// Appends the rest.
    ///
    /// # Errors
    /// What the library reports.
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), ModelError> {
        let total = (self.consumed * u64::from(self.to)).div_ceil(u64::from(self.from));
        while self.produced < total {
            self.input.resize(self.fft.input_frames_next(), 0.0);
            self.transform(out)?;
        }
        out.truncate(out.len() - (self.produced - total) as usize);
        Ok(())
    }

    /// Turns all whole blocks of the input into output.
    fn transform(&mut self, out: &mut Vec<f32>) -> Result<(), ModelError> {
        let block = self.fft.input_frames_next();
        let mut done = 0;
        while self.input.len() - done >= block {
            let (from, to) = (self.from, self.to);
            let input = InterleavedSlice::new(&self.input[done..], 1, block).map_err(|e| failed(from, to, &e))?;
            let frames = self.output.len();
            let mut output = InterleavedSlice::new_mut(&mut self.output, 1, frames).map_err(|e| failed(from, to, &e))?;
            let (_, written) = self.fft.process_into_buffer(&input, &mut output, None).map_err(|e| failed(from, to, &e))?;
            done += block;
            let dropped = self.delay.min(written);
            self.delay -= dropped;
            self.produced += (written - dropped) as u64;
            out.extend_from_slice(&self.output[dropped..written]);
        }
        self.input.drain(..done);
        Ok(())
    }
}

/// Samples at another rate, as they are where the rates are equal.
///
/// # Errors
/// Rates whose ratio makes no filter.
pub fn resample(samples: &[f32], from: u32, to: u32) -> Result<Vec<f32>, ModelError> {
    if from == to {
        return Ok(samples.to_vec());
    }
    let mut out = Vec::new();
    let mut resampler = Resampler::new(from, to)?;
    resampler.push(samples, &mut out)?;
    resampler.finish(&mut out)?;
    Ok(out)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn failed(from: u32, to: u32, error: &dyn std::fmt::Display) -> ModelError {
    ModelError::Resample { from, to, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_chunks(from: u32, to: u32, input: &[f32], chunk: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut out = Vec::new();
        for part in input.chunks(chunk) {
            resampler.push(part, &mut out).unwrap();
        }
        resampler.finish(&mut out).unwrap();
        out
    }

    fn sine(rate: u32, hz: f64, seconds: f64) -> Vec<f32> {
        (0..(f64::from(rate) * seconds) as usize)
            .map(|i| (std::f64::consts::TAU * hz * i as f64 / f64::from(rate)).sin() as f32)
            .collect()
    }

    #[test]
    fn a_tone_keeps_its_place_and_pitch() {
        for (from, to) in [
            (44_100, 16_000),
            (44_100, 8_000),
            (48_000, 16_000),
            (8_000, 16_000),
            (192_000, 8_000),
            (11_025, 8_000),
            (16_000, 22_050),
        ] {
            let out = in_chunks(from, to, &sine(from, 440.0, 2.0), 1152);
            let ideal = sine(to, 440.0, 2.0);
            assert_eq!(out.len(), ideal.len());
            let inner = to as usize / 10..out.len() - to as usize / 10;
            let worst = inner.map(|i| (out[i] - ideal[i]).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "{from} -> {to}: off by {worst}");
        }
    }

    #[test]
    fn what_the_new_rate_cannot_hold_is_gone() {
        let out = in_chunks(44_100, 8_000, &sine(44_100, 6_000.0, 1.0), 4000);
        let loudest = out[800..7200].iter().fold(0.0f32, |m, s| m.max(s.abs()));
        assert!(loudest < 1e-3, "alias of {loudest}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]
        #[test]
        fn length_follows_the_ratio_however_it_is_cut(from in 1_000u32..200_000, to in 4_000u32..50_000, n in 0usize..30_000, chunk in 1usize..9_000) {
            let out = in_chunks(from, to, &vec![0.5; n], chunk);
            prop_assert_eq!(out.len() as u64, (n as u64 * u64::from(to)).div_ceil(u64::from(from)));
        }
    }
}
