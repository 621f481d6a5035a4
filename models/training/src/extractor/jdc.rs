//! Targets and loss of `jdc`: blurred pitch classes, and the joint melody loss of Kum & Nam.

use std::collections::BTreeMap;

use tch::nn::VarStore;
use tch::{Kind, Tensor};

use super::scores::FrameScores;
use super::segments::{SegmentInput, SegmentListener};
use super::student::{Crop, Listener, Student};
use super::{Settings, Source};
use crate::adamw::AdamWConfig;
use crate::schedule::Schedule;
use qbh_models::ModelError;
use qbh_models::extractor::jdc::{ARCHITECTURE, CLASSES, JdcNet, class_of};
use qbh_models::extractor::segmented::SegmentNet;

/// Width of the blurred label, and how far it reaches, in classes. Its values are not normalised: 1 at the right class.
const BLUR: (f64, i64) = (1.0, 3);

/// Weight of the voice in the joint loss.
const VOICE_WEIGHT: f64 = 0.5;

/// The network in training.
pub(crate) struct JdcStudent {
    vs: VarStore,
    net: JdcNet,
    input: SegmentInput,
}

impl JdcStudent {
    /// With fresh weights; the front end is fitted to the source.
    pub(crate) fn new(settings: &Settings, source: &Source) -> Result<Self, ModelError> {
        let vs = VarStore::new(settings.device);
        let net = JdcNet::new(&vs.root());
        Ok(JdcStudent { vs, net, input: SegmentInput::calibrate(settings, source)? })
    }
}

impl Student for JdcStudent {
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
        // The published L2 of 1e-5, decoupled.
        AdamWConfig { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 1e-2 }
    }

    fn loss(&self, batch: &[Crop]) -> (Tensor, FrameScores) {
        let device = self.vs.device();
        let frames = batch.iter().flat_map(|c| c.f0.iter().zip(&c.weight));
        // A voice out of range belongs to no class: its frames do not count.
        let (class, weight): (Vec<i64>, Vec<f32>) =
            frames.map(|(&f0, &weight)| class_of(f0).map_or((0, 0.0), |class| (class, weight))).unzip();
        let (class, weight) = (Tensor::from_slice(&class).to_device(device), Tensor::from_slice(&weight).to_device(device));
        let (pitch, voice) = self.net.forward_t(&self.input.of(batch), true);
        joint_loss(&pitch.view([-1, CLASSES]), &voice.view([-1, 2]), &class, &weight)
    }

    fn constants(&self) -> Vec<(String, Tensor)> {
        self.input.constants()
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// The joint melody loss (section 2.2 of the paper) of pitch logits `(frames, 722)` and detector logits `(frames, 2)`: the
/// pitch softmax folded to (unvoiced, voiced) and the detector's softmax are added and go through a softmax once more.
fn joint_loss(pitch: &Tensor, voice: &Tensor, class: &Tensor, weight: &Tensor) -> (Tensor, FrameScores) {
    let count = weight.sum(Kind::Float) + 1.0;
    let mean = |loss: Tensor| (loss * weight).sum(Kind::Float) / &count;
    let log_pitch = pitch.log_softmax(-1, Kind::Float);
    let pitch_loss = mean(-(blurred(class) * &log_pitch).sum_dim_intlist([-1i64].as_slice(), false, Kind::Float));

    let unvoiced = log_pitch.select(1, 0).exp();
    let folded = Tensor::stack(&[&unvoiced, &(-&unvoiced + 1.0)], 1);
    let joint = (folded + voice.softmax(-1, Kind::Float)).log_softmax(-1, Kind::Float);
    let voiced = class.gt(0);
    let right = joint.gather(1, &voiced.to_kind(Kind::Int64).unsqueeze(1), false).squeeze_dim(1);
    let voice_loss = mean(-right);

    let best = pitch.argmax(-1, false);
    let sung = voiced.to_kind(Kind::Float) * weight;
    // Half a semitone is eight classes.
    let hit = (&best - class).abs().le(8).to_kind(Kind::Float) * &sung;
    let agree = best.gt(0).eq_tensor(&voiced).to_kind(Kind::Float);
    let scores = FrameScores {
        pitch_loss: pitch_loss.double_value(&[]),
        voicing_loss: voice_loss.double_value(&[]),
        pitch_accuracy: (hit.sum(Kind::Float) / (sung.sum(Kind::Float) + 1.0)).double_value(&[]),
        voicing_accuracy: agree.mean(Kind::Float).double_value(&[]),
    };
    (pitch_loss + voice_loss * VOICE_WEIGHT, scores)
}

/// Targets `(frames, 722)`: a Gaussian around the class of a voiced frame, class 0 alone for an unvoiced one.
fn blurred(class: &Tensor) -> Tensor {
    let (sigma, reach) = BLUR;
    let classes = Tensor::arange(CLASSES, (Kind::Int64, class.device()));
    let distance = classes.unsqueeze(0) - class.unsqueeze(1);
    // "Unvoiced" is no neighbour of the lowest pitch.
    let both = classes.gt(0).unsqueeze(0).eq_tensor(&class.gt(0).unsqueeze(1));
    let near = distance.abs().le(reach).logical_and(&both.logical_and(&class.gt(0).unsqueeze(1)).logical_or(&distance.eq(0)));
    (-distance.to_kind(Kind::Float).square() / (2.0 * sigma * sigma)).exp() * near.to_kind(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn labels_are_blurred_among_pitches_only() {
        let targets = blurred(&Tensor::from_slice(&[0i64, 2, 100]));
        let row = |i: i64| Vec::<f32>::try_from(targets.get(i)).unwrap();
        assert_eq!(row(0).iter().sum::<f32>(), 1.0);
        assert_eq!(row(0)[0], 1.0);
        assert_eq!(row(1)[0], 0.0);
        assert!((row(1)[1] - (-0.5f32).exp()).abs() < 1e-6 && row(1)[2] == 1.0);
        assert_eq!(row(2).iter().filter(|&&x| x > 0.0).count(), 7);
        assert!((row(2)[103] - (-4.5f32).exp()).abs() < 1e-6);
    }

    #[test]
    fn the_loss_is_least_for_the_truth() {
        let (class, weight) = (Tensor::from_slice(&[0i64, 300]), Tensor::ones([2], (Kind::Float, Device::Cpu)));
        let peaks = |at: [i64; 2]| {
            let logits = Tensor::zeros([2, CLASSES], (Kind::Float, Device::Cpu));
            for (row, class) in at.into_iter().enumerate() {
                let _ = logits.get(row as i64).get(class).fill_(8.0);
            }
            logits
        };
        let sure = Tensor::from_slice(&[5.0f32, -5.0, -5.0, 5.0]).view([2, 2]);
        let loss = |pitch, voice: &Tensor| joint_loss(&peaks(pitch), voice, &class, &weight).0.double_value(&[]);
        let right = loss([0, 300], &sure);
        assert!(right < loss([0, 330], &sure) && right < loss([300, 300], &sure) && right < loss([0, 300], &-&sure));
        assert_eq!(joint_loss(&peaks([0, 300]), &sure, &class, &weight).1.pitch_accuracy, 0.5);
    }
}
