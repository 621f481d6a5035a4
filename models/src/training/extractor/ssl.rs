//! Targets and loss of `ssl`: the supervised part of Kum et al. (the teacher), cross-entropy over pitch classes and "unvoiced".

use std::collections::BTreeMap;

use tch::nn::VarStore;
use tch::{Kind, Reduction, Tensor};

use super::crops::make_crop;
use super::scores::Scores;
use super::student::{Crop, Listener, Student};
use super::{Settings, Source};
use crate::ModelError;
use crate::extractor::fastest_kind;
use crate::extractor::ssl::{ARCHITECTURE, BINS, CLASSES, FrontEnd, HOP, SEGMENT, SslNet, class_of};
use crate::synthesis::effects::six_augmentations;
use crate::synthesis::random::Draw;
use crate::training::adamw::AdamWConfig;
use crate::training::schedule::Schedule;

/// Segments per crop; they share the level of the crop, as the segments of a song share that of the song.
const SEGMENTS: usize = 8;

/// Frames (10 ms) per crop: 2.48 s.
const FRAMES: usize = SEGMENTS * SEGMENT;

/// Crops from which the front end's constants are taken.
const CALIBRATION: u64 = 32;

/// The network in training.
pub(crate) struct SslStudent {
    vs: VarStore,
    net: SslNet,
    mean: Tensor,
    std: Tensor,
    kind: Kind,
}

impl SslStudent {
    /// With fresh weights; mean and deviation of every frequency come from the first recordings of the source.
    pub(crate) fn new(settings: &Settings, source: &Source) -> Result<Self, ModelError> {
        let vs = VarStore::new(settings.device);
        let net = SslNet::new(&vs.root());
        let listener = SslListener { front_end: FrontEnd::new() };
        let (mut sum, mut squares) = (vec![0.0f64; BINS], vec![0.0f64; BINS]);
        for i in 0..CALIBRATION {
            let crop = make_crop(source, &listener, &mut Draw::stream(settings.seed, i));
            for frame in crop.features.chunks_exact(BINS) {
                for (bin, &x) in frame.iter().enumerate() {
                    sum[bin] += f64::from(x);
                    squares[bin] += f64::from(x) * f64::from(x);
                }
            }
        }
        let count = (CALIBRATION as usize * FRAMES) as f64;
        let mean: Vec<f32> = sum.iter().map(|s| (s / count) as f32).collect();
        let std: Vec<f32> =
            sum.iter().zip(&squares).map(|(s, q)| (q / count - (s / count).powi(2)).max(0.0).sqrt() as f32).collect();
        // All frames of a segment are alike; the published file has a row for each.
        let rows = |values: &[f32]| -> Result<Tensor, ModelError> {
            Ok(Tensor::f_from_slice(values)?.f_repeat([SEGMENT as i64, 1])?.f_to_device(settings.device)?)
        };
        Ok(SslStudent { vs, net, mean: rows(&mean)?, std: rows(&std)?, kind: fastest_kind(settings.device) })
    }
}

impl Student for SslStudent {
    fn architecture(&self) -> &'static str {
        ARCHITECTURE
    }

    fn variables(&self) -> &VarStore {
        &self.vs
    }

    fn listener(&self) -> Box<dyn Listener> {
        Box::new(SslListener { front_end: FrontEnd::new() })
    }

    fn schedule(&self) -> Schedule {
        Schedule { peak: 1e-3, warmup: 60, floor: 0.005 }
    }

    fn optimiser(&self) -> AdamWConfig {
        // The paper's L2 of 1e-5, decoupled.
        AdamWConfig { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 1e-2 }
    }

    fn loss(&self, batch: &[Crop]) -> (Tensor, Scores) {
        let features: Vec<f32> = batch.iter().flat_map(|c| c.features.iter().copied()).collect();
        let classes: Vec<i64> = batch.iter().flat_map(|c| c.f0.iter().map(|&f| class_of(f))).collect();
        let x = Tensor::from_slice(&features).view([-1, SEGMENT as i64, BINS as i64]).to_device(self.vs.device());
        let x = ((x - &self.mean) / (&self.std + 1e-4)).to_kind(self.kind);
        let target = Tensor::from_slice(&classes).to_device(self.vs.device());
        let logits = self.net.forward_t(&x, true).view([-1, CLASSES]);
        let weight: Vec<f32> = batch.iter().flat_map(|c| c.weight.iter().copied()).collect();
        let weight = Tensor::from_slice(&weight).to_device(self.vs.device());
        let cross = logits.cross_entropy_loss(&target, None::<&Tensor>, Reduction::None, -100, 0.0);
        let loss = (cross * &weight).sum(Kind::Float) / (weight.sum(Kind::Float) + 1.0);
        let (best, voiced) = (logits.argmax(-1, false), target.gt(0));
        // Half a semitone is four classes.
        let hit = (&best - &target).abs().le(4).logical_and(&voiced).to_kind(Kind::Float).sum(Kind::Float);
        let agree = best.gt(0).eq_tensor(&voiced).to_kind(Kind::Float).mean(Kind::Float);
        let scores = Scores {
            steps: 1.0,
            pitch_loss: loss.double_value(&[]),
            voicing_loss: 0.0,
            pitch_accuracy: (hit / (voiced.to_kind(Kind::Float).sum(Kind::Float) + 1.0)).double_value(&[]),
            voicing_accuracy: agree.double_value(&[]),
        };
        (loss, scores)
    }

    fn constants(&self) -> Vec<(String, Tensor)> {
        vec![("front_end.mean".to_string(), self.mean.shallow_clone()), ("front_end.std".to_string(), self.std.shallow_clone())]
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// The front end of `ssl` behind a half-band filter, for training audio has 16 kHz.
struct SslListener {
    front_end: FrontEnd,
}

impl Listener for SslListener {
    fn samples(&self) -> usize {
        FRAMES * HOP * 2
    }

    fn frames(&self) -> usize {
        FRAMES
    }

    fn label_step(&self) -> f64 {
        1.0
    }

    fn listen(&self, samples: &[f32], draw: &mut Draw) -> Vec<f32> {
        let mut samples = samples.to_vec();
        six_augmentations(&mut samples, draw);
        self.front_end.spectrogram(&halve(&samples), FRAMES)
    }
}

/// Every second sample after a low-pass: 63 taps, Hann-windowed sinc, 60 dB down from 4.6 kHz on.
fn halve(samples: &[f32]) -> Vec<f32> {
    const HALF: isize = 31;
    let taps: Vec<f32> = (-HALF..=HALF)
        .map(|n| {
            let x = n as f32;
            let sinc = if n == 0 { 0.475 } else { (std::f32::consts::PI * 0.475 * x).sin() / (std::f32::consts::PI * x) };
            sinc * (0.5 + 0.5 * (std::f32::consts::PI * x / (HALF + 1) as f32).cos())
        })
        .collect();
    (0..samples.len().div_ceil(2))
        .map(|n| {
            let start = 2 * n as isize - HALF;
            let at = |i: isize| usize::try_from(i).ok().and_then(|i| samples.get(i)).copied().unwrap_or(0.0);
            taps.iter().enumerate().map(|(k, tap)| tap * at(start + k as isize)).sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_keeps_low_tones_and_stops_high_ones() {
        let tone =
            |hz: f32| -> Vec<f32> { (0..16000).map(|n| (2.0 * std::f32::consts::PI * hz * n as f32 / 16000.0).sin()).collect() };
        let rms = |x: &[f32]| (x[500..7500].iter().map(|v| v * v).sum::<f32>() / 7000.0).sqrt();
        assert_eq!(halve(&tone(440.0)).len(), 8000);
        assert!((rms(&halve(&tone(440.0))) - 0.5f32.sqrt()).abs() < 0.01);
        assert!((rms(&halve(&tone(3000.0))) - 0.5f32.sqrt()).abs() < 0.03);
        assert!(rms(&halve(&tone(5000.0))) < 0.002);
    }
}
