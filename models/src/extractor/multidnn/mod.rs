//! `multidnn` and `multidnn-rnn`: the networks of Cao, Feng & Li, "A multi-task learning approach for melody extraction", CSMT
//! 2019. 22.05 kHz audio, frames of 23 ms; layers shared by two tasks, pitch and voicing; in `multidnn-rnn` an LSTM per task
//! on top.
//!
//! Where paper and public code differ: the LSTMs have the paper's 64 units per direction (code: 512, under the output layers
//! of the DNN), logits are linear (code: ReLU), labels reach half a semitone (code: a third).

mod classes;
mod front_end;
mod groups;
mod net;

pub use classes::{CLASSES, PER_SEMITONE, class_of};
pub use front_end::{BINS, FrontEnd, HOP, SAMPLE_RATE};
pub use groups::GROUP;
pub use net::MultiDnnNet;

use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use super::grid::{self, Frame};
use super::{Extractor, fastest_kind};
use crate::nn::weights::Weights;
use crate::{ModelError, ModelInfo, PitchTrack};

/// Name of the network without LSTMs in weights files.
pub const ARCHITECTURE: &str = "multidnn";

/// Name of the network with LSTMs in weights files.
pub const ARCHITECTURE_RNN: &str = "multidnn-rnn";

/// 10 ms frames from one frame to the next.
pub const STEP: f64 = 100.0 * HOP as f64 / SAMPLE_RATE as f64;

/// Frames that go through the shared layers together.
const BATCH: i64 = 512;

/// A `multidnn` or `multidnn-rnn` network ready for inference.
pub struct MultiDnn {
    info: ModelInfo,
    vs: VarStore,
    net: MultiDnnNet,
    front_end: FrontEnd,
    kind: Kind,
}

impl MultiDnn {
    /// The network with these weights, of either architecture.
    pub fn from_weights(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        let mut vs = VarStore::new(device);
        let net = MultiDnnNet::new(&vs.root(), weights.architecture() == ARCHITECTURE_RNN);
        weights.fill(&mut vs)?;
        Ok(Self::assemble(weights.info(&vs), vs, net))
    }

    /// The network with random weights: for benchmarks and tests.
    pub fn untrained(recurrent: bool, device: Device) -> Self {
        let vs = VarStore::new(device);
        let net = MultiDnnNet::new(&vs.root(), recurrent);
        let name = if recurrent { ARCHITECTURE_RNN } else { ARCHITECTURE };
        Self::assemble(super::untrained_info(name, &vs), vs, net)
    }

    fn assemble(info: ModelInfo, vs: VarStore, mut net: MultiDnnNet) -> Self {
        let kind = fastest_kind(vs.device());
        net.prepare(kind);
        MultiDnn { info, vs, net, front_end: FrontEnd::new(), kind }
    }

    /// What the network says of each of `frames` spectra.
    fn frames(&self, spectra: &[f32]) -> Result<Vec<Frame>, ModelError> {
        let _guard = tch::no_grad_guard();
        let all = Tensor::f_from_slice(spectra)?.f_view([-1, BINS as i64])?;
        let shared = |x: &Tensor| self.net.shared_t(&x.to_device(self.vs.device()).to_kind(self.kind), false);
        let features: Vec<Tensor> = all.f_split(BATCH, 0)?.iter().map(shared).collect();
        if self.net.is_recurrent() {
            return groups::vote(&Tensor::f_cat(&features, 0)?, |groups| self.net.heads_t(groups, false));
        }
        let mut frames = Vec::with_capacity(spectra.len() / BINS);
        for features in features {
            frames.extend(opinions(&self.net.heads_t(&features, false))?);
        }
        Ok(frames)
    }
}

/// The most likely pitch and voicing of each frame, whatever the shape before the classes.
fn opinions((pitch, voice): &(Tensor, Tensor)) -> Result<Vec<Frame>, ModelError> {
    let best = pitch.f_argmax(-1, false)?.f_view([-1])?.f_to_device(Device::Cpu)?;
    let voiced = voice.f_softmax(-1, Kind::Float)?.f_select(-1, 1)?.f_contiguous()?.f_view([-1])?.f_to_device(Device::Cpu)?;
    let (best, voiced) = (Vec::<i64>::try_from(best)?, Vec::<f32>::try_from(voiced)?);
    let frame = |(class, probability)| Frame { midi: classes::midi_of(class), voiced: probability > 0.5, probability };
    Ok(best.into_iter().zip(voiced).map(frame).collect())
}

impl Extractor for MultiDnn {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn multiply_adds(&self) -> f64 {
        let heads = if self.net.is_recurrent() { groups::VOTES as f64 } else { 1.0 };
        let per_frame = self.net.shared_multiply_adds() as f64 + heads * self.net.heads_multiply_adds() as f64;
        per_frame * f64::from(SAMPLE_RATE) / HOP as f64
    }

    fn extract(&self, samples: &[f32]) -> Result<PitchTrack, ModelError> {
        // 10 ms are 220.5 samples.
        let len = (samples.len() * 100).div_ceil(SAMPLE_RATE as usize);
        if len == 0 {
            return Ok(PitchTrack::default());
        }
        let count = samples.len() / HOP + 2;
        let frames = self.frames(&self.front_end.spectra(samples, count))?;
        Ok(grid::to_track(&frames, STEP, len))
    }

    #[expect(clippy::expect_used, reason = "the same architecture has the same variables")]
    fn fork(&self) -> Box<dyn Extractor> {
        let mut vs = VarStore::new(self.vs.device());
        let net = MultiDnnNet::new(&vs.root(), self.net.is_recurrent());
        vs.copy(&self.vs).expect("the same architecture has the same variables");
        Box::new(Self::assemble(self.info.clone(), vs, net))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_have_a_frame_per_10_ms_and_forks_hear_the_same() {
        for recurrent in [false, true] {
            let net = MultiDnn::untrained(recurrent, Device::Cpu);
            for (samples, frames) in [(0, 0), (1, 1), (220, 1), (221, 2), (22_000, 100), (60_000, 273)] {
                let audio: Vec<f32> = (0..samples).map(|n| (n as f32 * 0.1).sin()).collect();
                let track = net.extract(&audio).unwrap();
                assert_eq!((track.len(), track.voicing.len()), (frames, frames), "{samples} samples");
                assert_eq!(track, net.fork().extract(&audio).unwrap());
            }
            assert!(net.extract(&[f32::NAN; 4000]).unwrap().voicing.iter().all(|v| v.is_finite()));
        }
    }
}
