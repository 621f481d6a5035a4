//! `ssl`: the network of Kum, Lin, Su & Nam, "Semi-supervised learning using teacher-student models for vocal melody
//! extraction", ISMIR 2020. 8 kHz audio, frames of 10 ms in segments of 31 that do not see each other, one softmax over
//! pitch classes of an eighth of a semitone and "unvoiced".

mod classes;
mod front_end;
mod net;

use classes::FIRST_REPORTED;
pub(crate) use classes::{CLASSES, class_of};
pub(crate) use front_end::{BINS, FrontEnd, HOP, SEGMENT};
pub(crate) use net::SslNet;

use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use super::{Extractor, fastest_kind};
use crate::nn::weights::Weights;
use crate::{ModelError, ModelInfo, PitchTrack};

/// Name of the architecture in weights files.
pub const ARCHITECTURE: &str = "ssl";

/// Segments per pass through the network: more fall out of the processor's cache.
const BATCH: i64 = 8;

/// The front end alone: levels of 8 kHz samples, `frames x 513`, one frame per 10 ms.
pub fn front_end(samples: &[f32]) -> Vec<f32> {
    FrontEnd::new().spectrogram(samples, samples.len().div_ceil(front_end::HOP))
}

/// An `ssl` network ready for inference.
pub struct Ssl {
    info: ModelInfo,
    vs: VarStore,
    net: SslNet,
    front_end: FrontEnd,
    /// `[31, 513]`, what the front end's output is normalised with.
    mean: Tensor,
    /// `[31, 513]`, standard deviation plus 1e-4.
    scale: Tensor,
    kind: Kind,
}

impl Ssl {
    /// The network with these weights; the file also holds the tensors `front_end.mean` and `front_end.std`, `[31, 513]`.
    pub fn from_weights(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        let mut vs = VarStore::new(device);
        let net = SslNet::new(&vs.root());
        weights.fill(&mut vs)?;
        let shape = [SEGMENT as i64, BINS as i64];
        let constant = |key: &str| {
            let tensor = weights.tensor(key)?;
            if tensor.size() != shape {
                let reason = format!("tensor {key} is {:?}, the front end needs {shape:?}", tensor.size());
                return Err(ModelError::Weights { name: weights.name.clone(), reason });
            }
            Ok(tensor.f_to_device(device)?)
        };
        let (mean, std) = (constant("front_end.mean")?, constant("front_end.std")?);
        Ok(Self::assemble(weights.info(&vs), vs, net, mean, std + 1e-4))
    }

    /// The network with random weights: for benchmarks and tests.
    pub fn untrained(device: Device) -> Self {
        let vs = VarStore::new(device);
        let net = SslNet::new(&vs.root());
        let shape = [SEGMENT as i64, BINS as i64];
        let mean = Tensor::full(shape, -45.0, (Kind::Float, device));
        let std = Tensor::full(shape, 15.0, (Kind::Float, device));
        Self::assemble(super::untrained_info(ARCHITECTURE, &vs), vs, net, mean, std)
    }

    fn assemble(info: ModelInfo, vs: VarStore, mut net: SslNet, mean: Tensor, scale: Tensor) -> Self {
        let kind = fastest_kind(vs.device());
        net.fold(kind);
        Ssl { info, vs, net, front_end: FrontEnd::new(), mean, scale, kind }
    }

    /// Class, best class with a pitch, and probability of voicing per frame for `[n, 31, 513]` segments of the front end.
    fn classes(&self, segments: &[f32]) -> Result<Vec<(i64, i64, f32)>, ModelError> {
        let _guard = tch::no_grad_guard();
        let all = Tensor::f_from_slice(segments)?.f_view([-1, SEGMENT as i64, BINS as i64])?;
        let mut frames = Vec::with_capacity(segments.len() / BINS);
        for batch in all.f_split(BATCH, 0)? {
            let x = (batch.f_to_device(self.vs.device())? - &self.mean) / &self.scale;
            let logits = self.net.forward_t(&x.to_kind(self.kind), false).f_flatten(0, 1)?;
            let best = Vec::<i64>::try_from(logits.f_argmax(-1, false)?.f_to_device(Device::Cpu)?)?;
            let pitched = logits.f_narrow(-1, FIRST_REPORTED, CLASSES - FIRST_REPORTED)?.f_argmax(-1, false)? + FIRST_REPORTED;
            let pitched = Vec::<i64>::try_from(pitched.f_to_device(Device::Cpu)?)?;
            let unvoiced = logits.f_softmax(-1, Kind::Float)?.f_select(1, 0)?.f_to_device(Device::Cpu)?;
            let unvoiced = Vec::<f32>::try_from(unvoiced)?;
            frames.extend(best.into_iter().zip(pitched).zip(unvoiced).map(|((best, pitched), p)| (best, pitched, 1.0 - p)));
        }
        Ok(frames)
    }
}

impl Extractor for Ssl {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn sample_rate(&self) -> u32 {
        front_end::SAMPLE_RATE
    }

    fn extract(&self, samples: &[f32]) -> Result<PitchTrack, ModelError> {
        let frames = super::frame_count(samples.len(), front_end::HOP);
        if frames == 0 {
            return Ok(PitchTrack::default());
        }
        let segments = front_end::Segments::cover(frames);
        let spectrogram = self.front_end.spectrogram(samples, frames);
        let classes = self.classes(&segments.cut(&spectrogram))?;
        let mut track = PitchTrack::default();
        for (class, pitched, voicing) in segments.join(&classes) {
            track.f0.push(classes::f0_of(class));
            track.guess.push(classes::f0_of(pitched));
            track.voicing.push(voicing);
        }
        Ok(track)
    }

    fn fork(&self) -> Box<dyn Extractor> {
        let mut vs = VarStore::new(self.vs.device());
        let net = SslNet::new(&vs.root());
        vs.copy(&self.vs).expect("the same architecture has the same variables");
        Box::new(Self::assemble(self.info.clone(), vs, net, self.mean.shallow_clone(), self.scale.shallow_clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_has_a_frame_per_10_ms_whatever_the_length() {
        let ssl = Ssl::untrained(Device::Cpu);
        for (samples, frames) in [(0, 0), (1, 1), (80, 1), (81, 2), (8000, 100), (30 * 80, 30), (31 * 80, 31), (32 * 80, 32)] {
            let audio: Vec<f32> = (0..samples).map(|n| (n as f32 * 0.3).sin()).collect();
            let track = ssl.extract(&audio).unwrap();
            assert_eq!((track.len(), track.voicing.len(), track.guess.len()), (frames, frames, frames), "{samples} samples");
            assert!(track.guess.iter().zip(&track.f0).all(|(guess, f0)| *guess > 0.0 && (*f0 == 0.0 || f0 == guess)));
        }
    }

    #[test]
    fn a_fork_hears_the_same() {
        let ssl = Ssl::untrained(Device::Cpu);
        let audio: Vec<f32> = (0..4000).map(|n| (n as f32 * 0.3).sin()).collect();
        assert_eq!(ssl.extract(&audio).unwrap(), ssl.fork().extract(&audio).unwrap());
    }
}
