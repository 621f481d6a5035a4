//! A hum that is heard while it is hummed: samples in, contour out, at bounded cost.
//!
//! Extractors see whole recordings. Each time, the last seconds are extracted anew: what lies [`SETTLED`] behind the end does not change
//! any more, and [`CONTEXT`] before that is what the network needs to see to hear the rest as it would hear it in the whole. The contour
//! drawn so is a preview: what is searched is extracted from all of the hum, as a file would be.

use crate::audio::AudioError;
use qbh_models::pitch::PITCH_HOP;
use qbh_models::resample::Resampler;
use qbh_models::{Contour, PitchTrack};
use std::ops::Range;

/// What is so far behind the end is settled, seconds: twice what the convolutions of the extractor reach.
const SETTLED: f64 = 1.5;

/// What is extracted again before it, so that it is heard in its context, seconds.
const CONTEXT: f64 = 2.5;

/// Sections begin at a multiple of this many frames, as the frames of the extractor do (20 ms).
const ALIGNED: usize = 2;

/// A section whose peak is this much below that of the whole hum is silence between two phrases: on its own it would be made louder.
const PAUSE: f32 = 0.02;

/// Below this peak there is no sound at all: -60 dB, the noise of a microphone that is switched off.
pub const SILENCE: f32 = 1e-3;

/// What was heard of a hum so far.
pub struct LiveEar {
    /// Rate of the extractor, Hz.
    rate: u32,
    resampler: Option<Resampler>,
    samples: Vec<f32>,
    peak: f32,
    track: PitchTrack,
    /// Frames of the track that do not change any more.
    settled: usize,
    /// What was drawn last.
    drawn: Vec<f32>,
}

/// The end of a hum, to be extracted.
pub struct Tail {
    /// Its samples, at the rate of the extractor.
    pub samples: Vec<f32>,
    /// The frame of the hum with which it begins.
    from: usize,
    /// Whether there is nothing to hear in it.
    silent: bool,
}

impl LiveEar {
    /// For samples of `from` Hz and an extractor of `rate` Hz.
    pub fn new(from: u32, rate: u32) -> Result<LiveEar, AudioError> {
        let resampler = (from != rate).then(|| Resampler::new(from, rate)).transpose()?;
        let (samples, track, drawn) = (Vec::new(), PitchTrack::default(), Vec::new());
        Ok(LiveEar { rate, resampler, samples, peak: 0.0, track, settled: 0, drawn })
    }

    /// Hears 16-bit samples.
    pub fn hear(&mut self, pcm: impl Iterator<Item = i16>) -> Result<(), AudioError> {
        let heard = self.samples.len();
        let samples = pcm.map(|sample| f32::from(sample) / 32768.0);
        match &mut self.resampler {
            Some(resampler) => resampler.push(&samples.collect::<Vec<f32>>(), &mut self.samples)?,
            None => self.samples.extend(samples),
        }
        self.peak = self.samples[heard..].iter().fold(self.peak, |peak, sample| peak.max(sample.abs()));
        Ok(())
    }

    /// Hears what the resampler still holds: the hum has ended.
    pub fn end(&mut self) -> Result<(), AudioError> {
        match self.resampler.take() {
            Some(mut resampler) => Ok(resampler.finish(&mut self.samples)?),
            None => Ok(()),
        }
    }

    /// Seconds heard.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// The loudest sample so far, full scale 1.
    pub fn peak(&self) -> f32 {
        self.peak
    }

    /// All samples, at the rate of the extractor.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// What is to be extracted now.
    pub fn tail(&self) -> Tail {
        let from = self.settled.saturating_sub(frames(CONTEXT)) / ALIGNED * ALIGNED;
        let begin = (from as f64 * PITCH_HOP * f64::from(self.rate)) as usize;
        let samples = self.samples[begin.min(self.samples.len())..].to_vec();
        let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        Tail { silent: peak < SILENCE || peak < PAUSE * self.peak, from, samples }
    }

    /// Takes the pitch track of a tail (in whose order they were asked for), and tells which steps of the contour have changed, and to what.
    pub fn take(&mut self, tail: &Tail, pitch: PitchTrack) -> (usize, Vec<f32>) {
        let pitch = if tail.silent { PitchTrack::from_f0(vec![0.0; pitch.len()]) } else { pitch };
        let keep = self.settled.min(self.track.len());
        let skip = (keep - tail.from.min(keep)).min(pitch.len());
        let mut track = part(&self.track, 0..keep);
        track.append(part(&pitch, skip..pitch.len()));
        self.track = track;
        self.settled = self.settled.max(self.track.len().saturating_sub(frames(SETTLED)));
        let contour = Contour::from_pitch_track(&self.track).pitch;
        let same = self.drawn.iter().zip(&contour).take_while(|(before, now)| before == now).count();
        let changed = contour[same..].to_vec();
        self.drawn = contour;
        (same, changed)
    }

    /// Share of the hum in which a melody was drawn, 0 to 1.
    pub fn voiced(&self) -> f32 {
        qbh_models::contour::voiced_fraction(&self.drawn)
    }
}

impl Tail {
    /// Whether there is nothing to hear in it.
    pub fn is_silent(&self) -> bool {
        self.silent
    }
}

fn frames(seconds: f64) -> usize {
    (seconds / PITCH_HOP).round() as usize
}

fn part(track: &PitchTrack, frames: Range<usize>) -> PitchTrack {
    let of = |values: &[f32]| values[frames.clone()].to_vec();
    PitchTrack { f0: of(&track.f0), voicing: of(&track.voicing), guess: of(&track.guess) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::Device;
    use qbh_models::extractor::{self, DEFAULT_EXTRACTOR, Extractor};
    use qbh_synthesis::demo::{demo_hum, demo_songs};

    fn live(samples: &[f32], chunk: usize, extractor: &dyn Extractor) -> Vec<f32> {
        let mut ear = LiveEar::new(16_000, extractor.sample_rate()).unwrap();
        let mut drawn = Vec::new();
        for chunk in samples.chunks(chunk) {
            ear.hear(chunk.iter().map(|sample| (sample * 32767.0) as i16)).unwrap();
            let tail = ear.tail();
            assert!(tail.samples.len() <= 16_000 * 5 + chunk.len(), "{}", tail.samples.len());
            let pitch = extractor.extract(&tail.samples).unwrap();
            let (from, steps) = ear.take(&tail, pitch);
            drawn.truncate(from);
            drawn.extend(steps);
        }
        assert_eq!(ear.seconds(), samples.len() as f64 / 16_000.0);
        drawn
    }

    #[test]
    fn what_is_drawn_is_what_the_whole_recording_holds() {
        let extractor = extractor::open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
        let songs = demo_songs(1, 3);
        let hum = demo_hum(&songs[0].notes[..24], 3);
        assert_eq!(hum.rate, 16_000);
        let whole = Contour::from_pitch_track(&extractor.extract(&hum.samples).unwrap()).pitch;
        for chunk in [3200, 4813] {
            let drawn = live(&hum.samples, chunk, &*extractor);
            assert_eq!(drawn.len(), whole.len());
            let alike = |(a, b): &(&f32, &f32)| (**a == 0.0) == (**b == 0.0) && (**a - **b).abs() < 0.5;
            let alike = drawn.iter().zip(&whole).filter(alike).count() as f32 / whole.len() as f32;
            assert!(alike > 0.9, "{alike} in chunks of {chunk}");
        }
    }

    #[test]
    fn a_pause_is_not_made_louder() {
        let extractor = extractor::open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
        let mut noise = 1u32;
        let mut samples: Vec<f32> = (0..16_000 * 3).map(|n| 0.3 * (n as f32 * 0.0864).sin()).collect();
        samples.extend((0..16_000 * 8).map(|_| {
            noise = noise.wrapping_mul(1664525).wrapping_add(1013904223);
            0.001 * (noise >> 8) as f32 / (1 << 24) as f32
        }));
        let drawn = live(&samples, 3200, &*extractor);
        assert!(drawn[45..].iter().all(|&pitch| pitch == 0.0), "{drawn:?}");
    }
}
