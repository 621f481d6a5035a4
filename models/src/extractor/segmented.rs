//! Extractors over segments: what `jdc` and `ssl` have in common but the network.

use tch::nn::{Path, VarStore};
use tch::{Device, Kind, Tensor};

use super::segments::{BINS, FrontEnd, HOP, SAMPLE_RATE, SEGMENT, Segments};
use super::{Extractor, fastest_kind};
use crate::nn::hard_lstm::{GATES, Gates};
use crate::nn::weights::Weights;
use crate::{ModelError, ModelInfo, PitchTrack};

/// Segments per pass through the network: more fall out of the processor's cache.
const BATCH: i64 = 8;

/// Shape of the front end's constants.
const SHAPE: [i64; 2] = [SEGMENT as i64, BINS as i64];

/// A network from normalised segments to pitch classes, of which 0 is "unvoiced".
pub trait SegmentNet: Send + Sized + 'static {
    /// Name of the architecture in weights files.
    const ARCHITECTURE: &'static str;

    /// The first class whose pitch is reported.
    const FIRST_PITCH: i64;

    /// Variables under `path`, randomly initialised.
    fn new(path: &Path) -> Self;

    /// Has the melody's LSTM compute with hard gates from now on, over the variables under `path` as they are now.
    fn use_hard_gates(&mut self, path: &Path);

    /// Makes ready for inference: folds what can be folded, computes in `kind` from now on.
    fn fold(&mut self, kind: Kind);

    /// `(n, 31, 513)` to class logits `(n, 31, classes)`, f32.
    fn logits(&self, x: &Tensor) -> Tensor;

    /// f0 in Hz of a class, 0 = unvoiced.
    fn f0_of(class: i64) -> f32;

    /// What is done to a finished f0 track.
    fn smooth(f0: Vec<f32>) -> Vec<f32> {
        f0
    }

    /// Multiply-adds per segment, in inference.
    fn multiply_adds(&self) -> u64;
}

/// A network over segments, ready for inference.
pub struct Segmented<N> {
    info: ModelInfo,
    vs: VarStore,
    net: N,
    front_end: FrontEnd,
    /// `[31, 513]`, what the front end's output is normalised with.
    mean: Tensor,
    /// `[31, 513]`, standard deviation plus 1e-4.
    scale: Tensor,
    kind: Kind,
}

impl<N: SegmentNet> Segmented<N> {
    /// The network with these weights; the file also holds the tensors `front_end.mean` and `front_end.std`, `[31, 513]`.
    pub fn from_weights(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        let mut vs = VarStore::new(device);
        let net = N::new(&vs.root());
        weights.fill(&mut vs)?;
        let constant = |key: &str| {
            let tensor = weights.tensor(key)?;
            if tensor.size() != SHAPE {
                let reason = format!("tensor {key} is {:?}, the front end needs {SHAPE:?}", tensor.size());
                return Err(ModelError::Weights { name: weights.name.clone(), reason });
            }
            Ok(tensor.f_to_device(device)?)
        };
        if let Some(gates) = weights.metadata.get(GATES).filter(|gates| Gates::from_name(gates).is_none()) {
            let reason = format!("{GATES} is {gates:?}, neither sigmoid nor hard_sigmoid");
            return Err(ModelError::Weights { name: weights.name.clone(), reason });
        }
        let (mean, std) = (constant("front_end.mean")?, constant("front_end.std")?);
        Ok(Self::assemble(weights.info(&vs), vs, net, mean, std + 1e-4))
    }

    /// The network with random weights: for benchmarks and tests.
    pub fn untrained(device: Device) -> Self {
        let vs = VarStore::new(device);
        let net = N::new(&vs.root());
        let mean = Tensor::full(SHAPE, -45.0, (Kind::Float, device));
        let std = Tensor::full(SHAPE, 15.0, (Kind::Float, device));
        Self::assemble(super::untrained_info(N::ARCHITECTURE, &vs), vs, net, mean, std)
    }

    fn assemble(info: ModelInfo, vs: VarStore, mut net: N, mean: Tensor, scale: Tensor) -> Self {
        let kind = fastest_kind(vs.device());
        if info.metadata.get(GATES).is_some_and(|gates| gates == Gates::Hard.name()) {
            net.use_hard_gates(&vs.root());
        }
        net.fold(kind);
        Segmented { info, vs, net, front_end: FrontEnd::new(), mean, scale, kind }
    }

    /// Class, best class with a pitch, and probability of voicing per frame for `[n, 31, 513]` segments of the front end.
    fn classes(&self, segments: &[f32]) -> Result<Vec<(i64, i64, f32)>, ModelError> {
        let _guard = tch::no_grad_guard();
        let all = Tensor::f_from_slice(segments)?.f_view([-1, SEGMENT as i64, BINS as i64])?;
        let mut frames = Vec::with_capacity(segments.len() / BINS);
        for batch in all.f_split(BATCH, 0)? {
            let x = (batch.f_to_device(self.vs.device())? - &self.mean) / &self.scale;
            let logits = self.net.logits(&x.to_kind(self.kind)).f_flatten(0, 1)?;
            let best = Vec::<i64>::try_from(logits.f_argmax(-1, false)?.f_to_device(Device::Cpu)?)?;
            let pitches = logits.size()[1] - N::FIRST_PITCH;
            let pitched = logits.f_narrow(1, N::FIRST_PITCH, pitches)?.f_argmax(-1, false)? + N::FIRST_PITCH;
            let pitched = Vec::<i64>::try_from(pitched.f_to_device(Device::Cpu)?)?;
            let unvoiced = logits.f_softmax(-1, Kind::Float)?.f_select(1, 0)?.f_to_device(Device::Cpu)?;
            let unvoiced = Vec::<f32>::try_from(unvoiced)?;
            frames.extend(best.into_iter().zip(pitched).zip(unvoiced).map(|((best, pitched), p)| (best, pitched, 1.0 - p)));
        }
        Ok(frames)
    }
}

impl<N: SegmentNet> Extractor for Segmented<N> {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn multiply_adds(&self) -> f64 {
        self.net.multiply_adds() as f64 * f64::from(SAMPLE_RATE) / (HOP * SEGMENT) as f64
    }

    fn extract(&self, samples: &[f32]) -> Result<PitchTrack, ModelError> {
        let frames = super::frame_count(samples.len(), HOP);
        if frames == 0 {
            return Ok(PitchTrack::default());
        }
        let segments = Segments::cover(frames);
        let spectrogram = self.front_end.spectrogram(samples, frames);
        let classes = self.classes(&segments.cut(&spectrogram))?;
        let (mut f0, mut guess, mut voicing) = (Vec::new(), Vec::new(), Vec::new());
        for (class, pitched, probability) in segments.join(&classes) {
            f0.push(N::f0_of(class));
            guess.push(N::f0_of(pitched));
            voicing.push(probability);
        }
        let f0 = N::smooth(f0);
        let guess = N::smooth(guess).into_iter().zip(&f0).map(|(guess, &f0)| if f0 > 0.0 { f0 } else { guess }).collect();
        Ok(PitchTrack { f0, voicing, guess })
    }

    #[expect(clippy::expect_used, reason = "the same architecture has the same variables")]
    fn fork(&self) -> Box<dyn Extractor> {
        let mut vs = VarStore::new(self.vs.device());
        let net = N::new(&vs.root());
        vs.copy(&self.vs).expect("the same architecture has the same variables");
        Box::new(Self::assemble(self.info.clone(), vs, net, self.mean.shallow_clone(), self.scale.shallow_clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extractor::{jdc::Jdc, ssl::Ssl};

    fn check<N: SegmentNet>(net: Segmented<N>) {
        for (samples, frames) in [(0, 0), (1, 1), (80, 1), (81, 2), (8000, 100), (30 * 80, 30), (31 * 80, 31), (32 * 80, 32)] {
            let audio: Vec<f32> = (0..samples).map(|n| (n as f32 * 0.3).sin()).collect();
            let track = net.extract(&audio).unwrap();
            assert_eq!((track.len(), track.voicing.len(), track.guess.len()), (frames, frames, frames), "{samples} samples");
            assert!(track.guess.iter().zip(&track.f0).all(|(guess, f0)| *f0 == 0.0 || f0 == guess));
        }
        let audio: Vec<f32> = (0..4000).map(|n| (n as f32 * 0.3).sin()).collect();
        assert_eq!(net.extract(&audio).unwrap(), net.fork().extract(&audio).unwrap());
    }

    #[test]
    fn a_track_has_a_frame_per_10_ms_whatever_the_length_and_a_fork_hears_the_same() {
        check(Ssl::untrained(Device::Cpu));
        check(Jdc::untrained(Device::Cpu));
    }
}
