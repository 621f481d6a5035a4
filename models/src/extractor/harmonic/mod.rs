//! `harmonic`: a compact network over a harmonic stack. The log-frequency spectrogram is laid out once per harmonic,
//! shifted so that the harmonics of a tone meet in one row: melody becomes translation along the pitch axis, which a small
//! convolutional network learns fast. (The harmonic stack is that of Bittner et al., "Deep salience representations for f0
//! estimation in polyphonic music", ISMIR 2017.)

mod decode;
mod front_end;
mod net;

pub use decode::{BINS, BINS_PER_SEMITONE, LOWEST_MIDI};
pub use front_end::{BANDS, FLOOR, FrontEnd, HOP, SPECTRA};
pub use net::HarmonicNet;
pub use net::Size;

use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use self::front_end::SAMPLE_RATE;
use super::pieces::Pieces;
use super::{Extractor, fastest_kind};
use crate::nn::weights::Weights;
use crate::{ModelError, ModelInfo, PitchTrack};

/// Name of the architecture in weights files.
pub const ARCHITECTURE: &str = "harmonic";

/// Frames (20 ms) that each piece of a long recording keeps: 20 s.
const KEPT: usize = 1000;

/// Frames of context on either side: 1.5 s, twice what the convolutions reach; beyond it only the GRU remembers.
const CONTEXT: usize = 75;

/// Pieces that go through the network together: few enough for the processor's cache, enough to share the GRU's steps.
const BATCH: usize = 4;

/// The front end alone: log spectra of 16 kHz samples, `frames x 2 x 284`, one frame per 20 ms. Band `b` lies at MIDI pitch
/// `24 + b / 3`; silence is `-ln 10`.
pub fn front_end(samples: &[f32]) -> Vec<f32> {
    FrontEnd::new().spectra(samples, samples.len().div_ceil(HOP))
}

/// A `harmonic` network ready for inference.
pub struct Harmonic {
    info: ModelInfo,
    vs: VarStore,
    net: HarmonicNet,
    size: Size,
    front_end: FrontEnd,
    threshold: f32,
    kind: Kind,
}

impl Harmonic {
    /// The network with these weights; the metadata name its `size` (`s` or `m`) and its `voicing_threshold`.
    pub fn from_weights(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        let refuse = |reason: String| ModelError::Weights { name: weights.name.clone(), reason };
        let size = weights.metadata.get("size").ok_or_else(|| refuse("the metadata name no `size`".into()))?;
        let size = Size::from_name(size).ok_or_else(|| refuse(format!("size {size:?} is neither s nor m")))?;
        let threshold = weights.metadata.get("voicing_threshold").and_then(|text| text.parse().ok());
        let threshold = threshold
            .filter(|t| (0.0..=1.0).contains(t))
            .ok_or_else(|| refuse("the metadata hold no `voicing_threshold` between 0 and 1".into()))?;
        let mut vs = VarStore::new(device);
        let net = HarmonicNet::new(&vs.root(), size);
        weights.fill(&mut vs)?;
        Ok(Self::assemble(weights.info(&vs), vs, net, size, threshold))
    }

    /// The network with random weights: for benchmarks and tests.
    pub fn untrained(size: Size, device: Device) -> Self {
        let vs = VarStore::new(device);
        let net = HarmonicNet::new(&vs.root(), size);
        Self::assemble(super::untrained_info(ARCHITECTURE, &vs), vs, net, size, 0.5)
    }

    fn assemble(info: ModelInfo, vs: VarStore, mut net: HarmonicNet, size: Size, threshold: f32) -> Self {
        let kind = fastest_kind(vs.device());
        net.fold(kind);
        Harmonic { info, vs, net, size, front_end: FrontEnd::new(), threshold, kind }
    }

    /// Logits per pitch bin (`frames x 181`) and voicing probability per 20 ms frame.
    fn activations(&self, spectra: &[f32], frames: usize) -> Result<(Vec<f32>, Vec<f32>), ModelError> {
        let _guard = tch::no_grad_guard();
        let all = Tensor::f_from_slice(spectra)?.f_view([frames as i64, SPECTRA as i64, BANDS as i64])?;
        let mut logits = vec![0.0; frames * BINS];
        let mut voicing = vec![0.0; frames];
        for batch in Pieces::cover(frames, KEPT, CONTEXT).batches(BATCH) {
            let inputs: Vec<Tensor> = batch.iter().map(|p| all.narrow(0, p.read.start as i64, p.read.len() as i64)).collect();
            let x = Tensor::f_stack(&inputs, 0)?.f_to_device(self.vs.device())?.f_to_kind(self.kind)?;
            let (pitch, voiced) = self.net.forward_t(&x, false);
            let (pitch, voiced) =
                (pitch.f_to_device(Device::Cpu)?.f_contiguous()?, voiced.f_sigmoid()?.f_to_device(Device::Cpu)?);
            for (i, piece) in batch.iter().enumerate() {
                let (skip, kept) = ((piece.keep.start - piece.read.start) as i64, piece.keep.len());
                let pitch = pitch.get(i as i64).narrow(0, skip, kept as i64).contiguous();
                pitch.f_copy_data(&mut logits[piece.keep.start * BINS..piece.keep.end * BINS], kept * BINS)?;
                let voiced = voiced.get(i as i64).narrow(0, skip, kept as i64).contiguous();
                voiced.f_copy_data(&mut voicing[piece.keep.clone()], kept)?;
            }
        }
        Ok((logits, voicing))
    }
}

impl Extractor for Harmonic {
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
        let frames = super::frame_count(samples.len(), HOP / 2);
        if frames == 0 {
            return Ok(PitchTrack::default());
        }
        // One 20 ms frame more than the last 10 ms frame needs, to interpolate towards.
        let coarse = frames / 2 + 1;
        let spectra = self.front_end.spectra(samples, coarse);
        let (logits, voicing) = self.activations(&spectra, coarse)?;
        Ok(decode::decode(&logits, &voicing, frames, self.threshold))
    }

    #[expect(clippy::expect_used, reason = "the same architecture has the same variables")]
    fn fork(&self) -> Box<dyn Extractor> {
        let mut vs = VarStore::new(self.vs.device());
        let net = HarmonicNet::new(&vs.root(), self.size);
        vs.copy(&self.vs).expect("the same architecture has the same variables");
        Box::new(Self::assemble(self.info.clone(), vs, net, self.size, self.threshold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extractor::open;

    #[test]
    fn a_track_has_a_frame_per_10_ms_whatever_the_length() {
        let extractor = Harmonic::untrained(Size::S, Device::Cpu);
        for (samples, frames) in [(0, 0), (1, 1), (160, 1), (161, 2), (320, 2), (321, 3), (16_000, 100)] {
            let track = extractor.extract(&vec![0.1; samples]).unwrap();
            assert_eq!((track.len(), track.voicing.len()), (frames, frames), "{samples} samples");
        }
        assert!(extractor.extract(&[f32::NAN; 4000]).unwrap().voicing.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn weights_that_do_not_say_their_size_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("odd.safetensors");
        let metadata = std::collections::BTreeMap::from([("architecture".to_string(), ARCHITECTURE.to_string())]);
        crate::nn::weights::save(&[], metadata, &path).unwrap();
        let refusal = open(path.to_str().unwrap(), Device::Cpu).err().unwrap().to_string();
        assert!(refusal.contains("size"), "{refusal}");
    }
}
