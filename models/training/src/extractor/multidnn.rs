//! Targets and loss of `multidnn` and `multidnn-rnn`.

use std::collections::BTreeMap;

use tch::nn::VarStore;
use tch::{Kind, Tensor};

use super::scores::FrameScores;
use super::student::{Crop, Listener, Student};
use super::{Settings, start};
use crate::adamw::AdamWConfig;
use crate::schedule::Schedule;
use qbh_models::ModelError;
use qbh_models::extractor::multidnn::{
    ARCHITECTURE, ARCHITECTURE_RNN, BINS, CLASSES, FrontEnd, GROUP, MultiDnnNet, PER_SEMITONE, SAMPLE_RATE, STEP, class_of,
};
use qbh_models::resample::resample;
use qbh_synthesis::LABEL_HOP;
use qbh_synthesis::level::from_db;
use qbh_synthesis::random::Draw;

/// Frames (23 ms) per crop: three groups, 4.5 s.
const FRAMES: usize = 3 * GROUP;

/// Width of the pitch target, in classes: a quarter of a semitone.
const SIGMA: f64 = 2.25;

/// How the two tasks share the loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tasks {
    /// `CE(pitch) + 9 alpha CE(voicing)`, with this alpha; 0 leaves the voicing out.
    Weighted(f64),
    /// `CE(voicing)`.
    VoicingOnly,
}

impl Default for Tasks {
    /// The best alpha of the paper.
    fn default() -> Self {
        Tasks::Weighted(0.5)
    }
}

/// The network in training. Of the one with LSTMs the shared layers are those of a trained `multidnn`, and stay as they are.
pub(crate) struct MultiDnnStudent {
    vs: VarStore,
    net: MultiDnnNet,
    tasks: Tasks,
    kind: Kind,
}

impl MultiDnnStudent {
    /// With fresh weights.
    ///
    /// # Errors
    /// LSTMs without weights of a `multidnn` to start from.
    pub(crate) fn new(settings: &Settings, recurrent: bool, tasks: Tasks) -> Result<Self, ModelError> {
        if recurrent && start(settings)?.is_none_or(|weights| weights.architecture() != ARCHITECTURE) {
            let reason = "multidnn-rnn is trained in two stages: train multidnn first, and start from its weights (--from)";
            return Err(ModelError::Training(reason.into()));
        }
        let vs = VarStore::new(settings.device);
        let net = MultiDnnNet::new(&vs.root(), recurrent);
        if recurrent {
            for (_, shared) in vs.variables().iter().filter(|(name, _)| name.starts_with("dnn.")) {
                let _ = shared.set_requires_grad(false);
            }
        }
        Ok(MultiDnnStudent { vs, net, tasks, kind: settings.kind() })
    }
}

impl Student for MultiDnnStudent {
    fn architecture(&self) -> &'static str {
        if self.net.is_recurrent() { ARCHITECTURE_RNN } else { ARCHITECTURE }
    }

    fn variables(&self) -> &VarStore {
        &self.vs
    }

    fn listener(&self) -> Box<dyn Listener> {
        Box::new(MultiDnnListener { front_end: FrontEnd::new() })
    }

    fn schedule(&self) -> Schedule {
        // The paper has 1e-4 throughout, and more steps.
        Schedule { peak: 5e-4, warmup: 60, floor: 0.02 }
    }

    fn optimiser(&self) -> AdamWConfig {
        // The L2 of the public code.
        AdamWConfig { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 1e-3 }
    }

    fn loss(&self, batch: &[Crop]) -> (Tensor, FrameScores) {
        let device = self.vs.device();
        let features: Vec<f32> = batch.iter().flat_map(|c| c.features.iter().copied()).collect();
        let x = Tensor::from_slice(&features).view([-1, GROUP as i64, BINS as i64]).to_device(device).to_kind(self.kind);
        let class: Vec<i64> = batch.iter().flat_map(|c| c.f0.iter().map(|&f0| class_of(f0).unwrap_or(-1))).collect();
        let weight: Vec<f32> = batch.iter().flat_map(|c| c.weight.iter().copied()).collect();
        let shared =
            if self.net.is_recurrent() { tch::no_grad(|| self.net.shared_t(&x, false)) } else { self.net.shared_t(&x, true) };
        let (pitch, voice) = self.net.heads_t(&shared, true);
        let (class, weight) = (Tensor::from_slice(&class).to_device(device), Tensor::from_slice(&weight).to_device(device));
        loss(&pitch.view([-1, CLASSES]), &voice.view([-1, 2]), &class, &weight, self.tasks)
    }

    fn constants(&self) -> Vec<(String, Tensor)> {
        Vec::new()
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// Loss of pitch logits `(frames, 540)` and voicing logits `(frames, 2)`; classes are -1 where a frame is unvoiced.
fn loss(pitch: &Tensor, voice: &Tensor, class: &Tensor, weight: &Tensor, tasks: Tasks) -> (Tensor, FrameScores) {
    let count = weight.sum(Kind::Float) + 1.0;
    let mean = |loss: Tensor| (loss * weight).sum(Kind::Float) / &count;
    let cross = -(targets(class) * pitch.log_softmax(-1, Kind::Float));
    let pitch_loss = mean(cross.sum_dim_intlist([-1i64].as_slice(), false, Kind::Float));
    let voiced = class.ge(0);
    let right = voice.log_softmax(-1, Kind::Float).gather(1, &voiced.to_kind(Kind::Int64).unsqueeze(1), false);
    let voicing_loss = mean(-right.squeeze_dim(1));

    let sung = voiced.to_kind(Kind::Float) * weight;
    let hit = (pitch.argmax(-1, false) - class).abs().le(PER_SEMITONE / 2).to_kind(Kind::Float) * &sung;
    let agree = voice.argmax(-1, false).gt(0).eq_tensor(&voiced).to_kind(Kind::Float);
    let scores = FrameScores {
        pitch_loss: pitch_loss.double_value(&[]),
        voicing_loss: voicing_loss.double_value(&[]),
        pitch_accuracy: (hit.sum(Kind::Float) / (sung.sum(Kind::Float) + 1.0)).double_value(&[]),
        voicing_accuracy: agree.mean(Kind::Float).double_value(&[]),
    };
    let loss = match tasks {
        Tasks::Weighted(alpha) => pitch_loss + voicing_loss * (alpha * PER_SEMITONE as f64),
        Tasks::VoicingOnly => voicing_loss,
    };
    (loss, scores)
}

/// Targets `(frames, 540)`, not normalised: a Gaussian within half a semitone of the class of a voiced frame. An unvoiced one
/// has everywhere the value that the Gaussian has a semitone away, so that its pitch is no matter of chance.
fn targets(class: &Tensor) -> Tensor {
    let gauss = |distance: f64| (-distance * distance / (2.0 * SIGMA * SIGMA)).exp();
    let distance = Tensor::arange(CLASSES, (Kind::Int64, class.device())).unsqueeze(0) - class.unsqueeze(1);
    let near = distance.abs().le(PER_SEMITONE / 2).to_kind(Kind::Float);
    let blurred = (-distance.to_kind(Kind::Float).square() / (2.0 * SIGMA * SIGMA)).exp() * near;
    blurred.where_scalarother(&class.ge(0).unsqueeze(1), gauss(PER_SEMITONE as f64))
}

/// The front end at 22.05 kHz, for training audio has 16 kHz.
struct MultiDnnListener {
    front_end: FrontEnd,
}

impl Listener for MultiDnnListener {
    fn samples(&self) -> usize {
        (FRAMES as f64 * STEP * LABEL_HOP as f64).ceil() as usize
    }

    fn frames(&self) -> usize {
        FRAMES
    }

    fn label_step(&self) -> f64 {
        STEP
    }

    fn listen(&self, samples: &[f32], draw: &mut Draw) -> Result<Vec<f32>, ModelError> {
        debug_assert_eq!(LABEL_HOP * 100, qbh_synthesis::SAMPLE_RATE);
        let mut spectra = self.front_end.spectra(&resample(samples, qbh_synthesis::SAMPLE_RATE as u32, SAMPLE_RATE)?, FRAMES);
        // The level of a crop is normalised over the crop, that of a song over the song: so the level is no sure thing.
        let gain = from_db(draw.range(-6.0, 5.0));
        spectra.iter_mut().for_each(|x| *x *= gain);
        Ok(spectra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_blurred_or_flat() {
        let targets = targets(&Tensor::from_slice(&[100i64, -1, 0]));
        let row = |i: i64| Vec::<f32>::try_from(targets.get(i)).unwrap();
        assert_eq!(row(0).iter().filter(|&&x| x > 0.0).count(), 9);
        assert!(row(0)[100] == 1.0 && (row(0)[104] - (-16.0f32 / 10.125).exp()).abs() < 1e-6);
        assert!(row(1).iter().all(|x| (x - (-8.0f32).exp()).abs() < 1e-9));
        assert_eq!(row(2).iter().filter(|&&x| x > 0.0).count(), 5);
    }

    #[test]
    fn alpha_shares_the_loss_between_the_tasks() {
        let (class, weight) = (Tensor::from_slice(&[100i64, -1]), Tensor::from_slice(&[1.0f32, 1.0]));
        let pitch = Tensor::randn([2, CLASSES], (Kind::Float, tch::Device::Cpu));
        let voice = Tensor::from_slice(&[0.0f32, 2.0, 0.0, 1.0]).view([2, 2]);
        let of = |tasks| loss(&pitch, &voice, &class, &weight, tasks).0.double_value(&[]);
        let voicing = ((1.0 + (-2.0f64).exp()).ln() + (1.0 + 1.0f64.exp()).ln()) / 3.0;
        assert!((of(Tasks::VoicingOnly) - voicing).abs() < 1e-5);
        assert!((of(Tasks::Weighted(0.3)) - of(Tasks::Weighted(0.0)) - 2.7 * voicing).abs() < 1e-4);
    }
}
