//! Targets and loss of `ssl`: the supervised part of Kum et al. (the teacher), cross-entropy over pitch classes and "unvoiced".

use std::collections::BTreeMap;

use tch::nn::VarStore;
use tch::{Kind, Reduction, Tensor};

use super::scores::FrameScores;
use super::segments::{SegmentInput, SegmentListener};
use super::student::{Crop, Listener, Student};
use super::{Settings, Source};
use crate::adamw::AdamWConfig;
use crate::schedule::Schedule;
use qbh_models::ModelError;
use qbh_models::extractor::segmented::SegmentNet;
use qbh_models::extractor::ssl::{ARCHITECTURE, CLASSES, SslNet, class_of};

/// The network in training.
pub(crate) struct SslStudent {
    vs: VarStore,
    net: SslNet,
    input: SegmentInput,
}

impl SslStudent {
    /// With fresh weights; the front end is fitted to the source.
    pub(crate) fn new(settings: &Settings, source: &Source) -> Result<Self, ModelError> {
        let vs = VarStore::new(settings.device);
        let net = SslNet::new(&vs.root());
        Ok(SslStudent { vs, net, input: SegmentInput::calibrate(settings, source)? })
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
        Box::new(SegmentListener::new())
    }

    fn schedule(&self) -> Schedule {
        Schedule { peak: 1e-3, warmup: 60, floor: 0.005 }
    }

    fn optimiser(&self) -> AdamWConfig {
        // The paper's L2 of 1e-5, decoupled.
        AdamWConfig { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 1e-2 }
    }

    fn loss(&self, batch: &[Crop]) -> (Tensor, FrameScores) {
        let classes: Vec<i64> = batch.iter().flat_map(|c| c.f0.iter().map(|&f| class_of(f))).collect();
        let target = Tensor::from_slice(&classes).to_device(self.vs.device());
        let logits = self.net.forward_t(&self.input.of(batch), true).view([-1, CLASSES]);
        let weight: Vec<f32> = batch.iter().flat_map(|c| c.weight.iter().copied()).collect();
        let weight = Tensor::from_slice(&weight).to_device(self.vs.device());
        let cross = logits.cross_entropy_loss(&target, None::<&Tensor>, Reduction::None, -100, 0.0);
        let loss = (cross * &weight).sum(Kind::Float) / (weight.sum(Kind::Float) + 1.0);
        let (best, voiced) = (logits.argmax(-1, false), target.gt(0));
        // Half a semitone is four classes.
        let hit = (&best - &target).abs().le(4).logical_and(&voiced).to_kind(Kind::Float).sum(Kind::Float);
        let agree = best.gt(0).eq_tensor(&voiced).to_kind(Kind::Float).mean(Kind::Float);
        let scores = FrameScores {
            pitch_loss: loss.double_value(&[]),
            voicing_loss: 0.0,
            pitch_accuracy: (hit / (voiced.to_kind(Kind::Float).sum(Kind::Float) + 1.0)).double_value(&[]),
            voicing_accuracy: agree.double_value(&[]),
        };
        (loss, scores)
    }

    fn constants(&self) -> Vec<(String, Tensor)> {
        self.input.constants()
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
