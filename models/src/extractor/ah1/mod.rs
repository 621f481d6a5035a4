//! `ah1`: the network of Huang & Liu, "Audio melody extraction using new multi-task CRNN", MIREX 2020, as described by its
//! public re-implementation. 16 kHz audio, a constant-Q transform every 16 ms, and three tasks: chroma, octave and voicing.
//! Pitches are semitones, C2 to B5.
//!
//! The re-implementation ends with the training. Ours differs from it in learning chroma and octave from voiced frames only.

mod cqt;
mod net;

pub use cqt::{BINS, Cqt, HOP, SAMPLE_RATE};
pub use net::{Ah1Net, Logits, OCTAVES, VOICED_WEIGHT};

use std::sync::Arc;

use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use super::grid::{self, Frame};
use super::pieces::Pieces;
use super::{Extractor, fastest_kind};
use crate::nn::weights::Weights;
use crate::pitch::hz_to_midi;
use crate::{ModelError, ModelInfo, PitchTrack};

/// Name of the architecture in weights files.
pub const ARCHITECTURE: &str = "ah1";

/// Frames that the network is trained on, and hears at once: 8.3 s.
pub const SEGMENT: usize = 517;

/// Frames of context on either side of what is kept of a segment.
const CONTEXT: usize = 64;

/// Segments that go through the network together.
const BATCH: usize = 2;

/// 10 ms frames from one frame to the next.
pub const STEP: f64 = 100.0 * HOP as f64 / SAMPLE_RATE as f64;

/// MIDI pitch of class 0, C2.
const LOWEST: i64 = 36;

/// Semitone of a pitch above C2, as (chroma, octave); `None` when unvoiced (f0 = 0) or out of range.
pub fn class_of(f0: f32) -> Option<(i64, i64)> {
    if !(f0.is_finite() && f0 > 0.0) {
        return None;
    }
    let semitone = hz_to_midi(f0).round() as i64 - LOWEST;
    (0..12 * OCTAVES).contains(&semitone).then_some((semitone % 12, semitone / 12))
}

/// An `ah1` network ready for inference.
pub struct Ah1 {
    info: ModelInfo,
    vs: VarStore,
    net: Ah1Net,
    cqt: Arc<Cqt>,
    /// `[365]`, what the front end's output is normalised with.
    mean: Tensor,
    /// `[365]`, standard deviation plus 1e-4.
    scale: Tensor,
    kind: Kind,
}

impl Ah1 {
    /// The network with these weights; the file also holds the tensors `front_end.mean` and `front_end.std`, `[365]`.
    pub fn from_weights(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        let mut vs = VarStore::new(device);
        let net = Ah1Net::new(&vs.root());
        weights.fill(&mut vs)?;
        let constant = |key: &str| {
            let tensor = weights.tensor(key)?;
            if tensor.size() != [BINS as i64] {
                let reason = format!("tensor {key} is {:?}, the front end needs [{BINS}]", tensor.size());
                return Err(ModelError::Weights { name: weights.name.clone(), reason });
            }
            Ok(tensor.f_to_device(device)?)
        };
        let (mean, std) = (constant("front_end.mean")?, constant("front_end.std")?);
        Ok(Self::assemble(weights.info(&vs), vs, net, Arc::new(Cqt::new()), mean, std + 1e-4))
    }

    /// The network with random weights: for benchmarks and tests.
    pub fn untrained(device: Device) -> Self {
        let vs = VarStore::new(device);
        let net = Ah1Net::new(&vs.root());
        let ones = Tensor::ones([BINS as i64], (Kind::Float, device));
        let info = super::untrained_info(ARCHITECTURE, &vs);
        Self::assemble(info, vs, net, Arc::new(Cqt::new()), &ones * 0.3, ones * 0.3)
    }

    fn assemble(info: ModelInfo, vs: VarStore, mut net: Ah1Net, cqt: Arc<Cqt>, mean: Tensor, scale: Tensor) -> Self {
        let kind = fastest_kind(vs.device());
        net.fold(kind);
        Ah1 { info, vs, net, cqt, mean, scale, kind }
    }

    /// What the network says of each frame of `frames x 365` values that the front end made.
    fn frames(&self, features: &[f32], frames: usize) -> Result<Vec<Frame>, ModelError> {
        let _guard = tch::no_grad_guard();
        let all = Tensor::f_from_slice(features)?.f_view([frames as i64, BINS as i64])?;
        let mut out = Vec::with_capacity(frames);
        for batch in Pieces::cover(frames, SEGMENT - 2 * CONTEXT, CONTEXT).batches(BATCH) {
            let inputs: Vec<Tensor> = batch.iter().map(|p| all.narrow(0, p.read.start as i64, p.read.len() as i64)).collect();
            let x = (Tensor::f_stack(&inputs, 0)?.f_to_device(self.vs.device())? - &self.mean) / &self.scale;
            let logits = self.net.forward_t(&x.to_kind(self.kind), false);
            let chroma = logits.chroma.f_argmax(-1, false)?;
            let octave = logits.octave.f_argmax(-1, false)?;
            let midi = (octave * 12 + chroma + LOWEST).f_to_device(Device::Cpu)?;
            // The loss weighs voiced frames more; undone here, for otherwise most pauses would be sung.
            let odds = logits.voicing.f_select(-1, 1)? - logits.voicing.f_select(-1, 0)? - VOICED_WEIGHT.ln();
            let voiced = odds.f_sigmoid()?.f_to_device(Device::Cpu)?;
            for (i, piece) in batch.iter().enumerate() {
                let (skip, kept) = ((piece.keep.start - piece.read.start) as i64, piece.keep.len() as i64);
                let midi = Vec::<i64>::try_from(midi.get(i as i64).narrow(0, skip, kept).contiguous())?;
                let voiced = Vec::<f32>::try_from(voiced.get(i as i64).narrow(0, skip, kept).contiguous())?;
                let frame = |(midi, probability)| Frame { midi: midi as f32, voiced: probability > 0.5, probability };
                out.extend(midi.into_iter().zip(voiced).map(frame));
            }
        }
        Ok(out)
    }
}

impl Extractor for Ah1 {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn multiply_adds(&self) -> f64 {
        self.net.multiply_adds() as f64 * f64::from(SAMPLE_RATE) / HOP as f64
    }

    fn extract(&self, samples: &[f32]) -> Result<PitchTrack, ModelError> {
        let len = super::frame_count(samples.len(), SAMPLE_RATE as usize / 100);
        if len == 0 {
            return Ok(PitchTrack::default());
        }
        let count = samples.len() / HOP + 1;
        let frames = self.frames(&self.cqt.log_magnitudes(samples, count), count)?;
        Ok(grid::to_track(&frames, STEP, len))
    }

    #[expect(clippy::expect_used, reason = "the same architecture has the same variables")]
    fn fork(&self) -> Box<dyn Extractor> {
        let mut vs = VarStore::new(self.vs.device());
        let net = Ah1Net::new(&vs.root());
        vs.copy(&self.vs).expect("the same architecture has the same variables");
        let (mean, scale) = (self.mean.shallow_clone(), self.scale.shallow_clone());
        Box::new(Self::assemble(self.info.clone(), vs, net, self.cqt.clone(), mean, scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pitch::midi_to_hz;

    #[test]
    fn tracks_have_a_frame_per_10_ms_and_forks_hear_the_same() {
        let net = Ah1::untrained(Device::Cpu);
        for (samples, frames) in [(0, 0), (1, 1), (160, 1), (161, 2), (16_000, 100), (160_000, 1000)] {
            let audio: Vec<f32> = (0..samples).map(|n| (n as f32 * 0.1).sin()).collect();
            let track = net.extract(&audio).unwrap();
            assert_eq!((track.len(), track.voicing.len()), (frames, frames), "{samples} samples");
            if frames == 100 {
                assert_eq!(track, net.fork().extract(&audio).unwrap());
            }
        }
    }

    #[test]
    fn classes_are_semitones_from_c2_to_b5() {
        assert_eq!(class_of(65.406), Some((0, 0)));
        assert_eq!(class_of(440.0), Some((9, 2)));
        assert_eq!(class_of(midi_to_hz(83.4)), Some((11, 3)));
        assert_eq!((class_of(midi_to_hz(83.6)), class_of(midi_to_hz(35.4)), class_of(0.0)), (None, None, None));
    }
}
