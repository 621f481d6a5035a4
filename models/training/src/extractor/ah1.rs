//! Targets and loss of `ah1`. Where the public re-implementation shifts the pitch of its recordings, ours are sung in all keys.

use std::collections::BTreeMap;

use tch::nn::VarStore;
use tch::{Kind, Reduction, Tensor};

use super::calibrate::{Constants, calibrate};
use super::scores::FrameScores;
use super::student::{Crop, Listener, Student};
use super::{Settings, Source};
use crate::adamw::AdamWConfig;
use crate::schedule::Schedule;
use qbh_models::ModelError;
use qbh_models::extractor::ah1::{ARCHITECTURE, Ah1Net, BINS, Cqt, HOP, Logits, SEGMENT, STEP, VOICED_WEIGHT, class_of};
use qbh_synthesis::random::Draw;

/// Weight of the voicing in the loss.
const VOICING_WEIGHT: f64 = 2.0;

/// Crops from which the front end's constants are taken.
const CALIBRATION: u32 = 12;

/// The network in training.
pub(crate) struct Ah1Student {
    vs: VarStore,
    net: Ah1Net,
    constants: Constants,
    kind: Kind,
}

impl Ah1Student {
    /// With fresh weights; the front end is fitted to the source.
    pub(crate) fn new(settings: &Settings, source: &Source) -> Result<Self, ModelError> {
        let vs = VarStore::new(settings.device);
        let net = Ah1Net::new(&vs.root());
        let constants = calibrate(settings, source, &Ah1Listener { cqt: Cqt::new() }, BINS, CALIBRATION)?;
        Ok(Ah1Student { vs, net, constants, kind: settings.kind() })
    }
}

impl Student for Ah1Student {
    fn architecture(&self) -> &'static str {
        ARCHITECTURE
    }

    fn variables(&self) -> &VarStore {
        &self.vs
    }

    fn listener(&self) -> Box<dyn Listener> {
        Box::new(Ah1Listener { cqt: Cqt::new() })
    }

    fn schedule(&self) -> Schedule {
        // The re-implementation has 2.5e-5 throughout, and far more steps.
        Schedule { peak: 5e-4, warmup: 60, floor: 0.02 }
    }

    fn optimiser(&self) -> AdamWConfig {
        AdamWConfig { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 2e-4 }
    }

    fn loss(&self, batch: &[Crop]) -> (Tensor, FrameScores) {
        let device = self.vs.device();
        let features: Vec<f32> = batch.iter().flat_map(|c| c.features.iter().copied()).collect();
        let x = Tensor::from_slice(&features).view([-1, SEGMENT as i64, BINS as i64]).to_device(device);
        let x = self.constants.normalise(&x).to_kind(self.kind);
        let frames = || batch.iter().flat_map(|c| c.f0.iter().zip(&c.weight));
        // Class -100 does not count in a loss: out of range, or too faint to be called voiced or unvoiced.
        let pitch: Vec<(i64, i64)> =
            frames().map(|(&f0, &weight)| class_of(f0).filter(|_| weight > 0.0).unwrap_or((-100, -100))).collect();
        let voiced: Vec<i64> = frames().map(|(&f0, &weight)| if weight > 0.0 { i64::from(f0 > 0.0) } else { -100 }).collect();
        let (chroma, octave): (Vec<i64>, Vec<i64>) = pitch.into_iter().unzip();
        let [chroma, octave, voiced] = [chroma, octave, voiced].map(|classes| Tensor::from_slice(&classes).to_device(device));
        loss(&self.net.forward_t(&x, true), &chroma, &octave, &voiced)
    }

    fn constants(&self) -> Vec<(String, Tensor)> {
        self.constants.tensors()
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// `CE(chroma) + CE(octave) + 2 CE(voicing)`, the voiced frames counting nine times in the latter. Targets are `(frames)`, -100
/// where a frame does not count.
fn loss(logits: &Logits, chroma: &Tensor, octave: &Tensor, voiced: &Tensor) -> (Tensor, FrameScores) {
    let sung = chroma.ge(0).to_kind(Kind::Float);
    let count = sung.sum(Kind::Float) + 1.0;
    let cross = |logits: &Tensor, target: &Tensor| {
        let logits = logits.flatten(0, 1);
        logits.cross_entropy_loss(target, None::<&Tensor>, Reduction::Sum, -100, 0.0) / &count
    };
    let pitch_loss = cross(&logits.chroma, chroma) + cross(&logits.octave, octave);
    let voicing = logits.voicing.flatten(0, 1);
    let weights = Tensor::from_slice(&[1.0f32, VOICED_WEIGHT as f32]).to_device(voicing.device());
    let voicing_loss = voicing.cross_entropy_loss(voiced, Some(&weights), Reduction::Mean, -100, 0.0);

    let right = |logits: &Tensor, target: &Tensor| logits.argmax(-1, false).flatten(0, 1).eq_tensor(target);
    let hit = right(&logits.chroma, chroma).logical_and(&right(&logits.octave, octave)).to_kind(Kind::Float) * &sung;
    let known = voiced.ge(0).to_kind(Kind::Float);
    let says_voiced = (voicing.select(1, 1) - voicing.select(1, 0)).gt(VOICED_WEIGHT.ln());
    let agree = says_voiced.eq_tensor(&voiced.gt(0)).to_kind(Kind::Float) * &known;
    let scores = FrameScores {
        pitch_loss: pitch_loss.double_value(&[]),
        voicing_loss: voicing_loss.double_value(&[]),
        pitch_accuracy: (hit.sum(Kind::Float) / &count).double_value(&[]),
        voicing_accuracy: (agree.sum(Kind::Float) / (known.sum(Kind::Float) + 1.0)).double_value(&[]),
    };
    (pitch_loss + voicing_loss * VOICING_WEIGHT, scores)
}

/// The constant-Q transform.
struct Ah1Listener {
    cqt: Cqt,
}

impl Listener for Ah1Listener {
    fn samples(&self) -> usize {
        SEGMENT * HOP
    }

    fn frames(&self) -> usize {
        SEGMENT
    }

    fn label_step(&self) -> f64 {
        STEP
    }

    fn listen(&self, samples: &[f32], _: &mut Draw) -> Result<Vec<f32>, ModelError> {
        Ok(self.cqt.log_magnitudes(samples, SEGMENT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn frames_without_a_pitch_teach_none() {
        let flat = |classes: i64| Tensor::zeros([1, 3, classes], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let logits = Logits { chroma: flat(12), octave: flat(4), voicing: flat(2) };
        let [chroma, octave] = [[3i64, -100, -100], [1, -100, -100]].map(|classes| Tensor::from_slice(&classes));
        let (total, scores) = loss(&logits, &chroma, &octave, &Tensor::from_slice(&[1i64, 0, -100]));
        assert!((scores.pitch_loss - (12.0f64.ln() + 4.0f64.ln()) / 2.0).abs() < 1e-5);
        assert!((scores.voicing_loss - 2.0f64.ln()).abs() < 1e-6);
        total.backward();
        let moved = |t: &Tensor, frame| t.grad().get(0).get(frame).abs().sum(Kind::Float).double_value(&[]) > 0.0;
        assert!(moved(&logits.chroma, 0) && !moved(&logits.chroma, 1) && !moved(&logits.octave, 2));
        assert!(moved(&logits.voicing, 0) && moved(&logits.voicing, 1) && !moved(&logits.voicing, 2));
    }
}
