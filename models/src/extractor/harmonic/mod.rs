//! `harmonic`: a compact network over a harmonic stack. The log-frequency spectrogram is laid out once per harmonic,
//! shifted so that the harmonics of a tone meet in one row: melody becomes translation along the pitch axis, which a small
//! convolutional network learns fast. (The harmonic stack is that of Bittner et al., "Deep salience representations for f0
//! estimation in polyphonic music", ISMIR 2017.)

mod decode;
mod engine;
mod front_end;
#[cfg(feature = "torch")]
mod net;
mod runner;
mod shape;
#[cfg(test)]
#[cfg(feature = "torch")]
mod tests;
#[cfg(feature = "torch")]
mod torch;

pub use decode::{BINS, BINS_PER_SEMITONE, LOWEST_MIDI};
pub use front_end::{BANDS, FLOOR, FrontEnd, HOP, SPECTRA};
#[cfg(feature = "torch")]
pub use net::HarmonicNet;
pub use shape::Size;

use std::cell::RefCell;
use std::sync::Arc;

use self::front_end::SAMPLE_RATE;
use self::runner::{Engine, Runner};
use self::shape::Shape;
#[cfg(feature = "torch")]
use self::torch::Torch;
use super::Extractor;
use super::level::gain;
use super::pieces::Pieces;
use crate::engine::Kernel;
use crate::nn::weights::Weights;
use crate::{Device, ModelError, ModelInfo, PitchTrack};

/// Name of the architecture in weights files.
pub const ARCHITECTURE: &str = "harmonic";

/// Frames (20 ms) that each piece of a long recording keeps: 20 s.
const KEPT: usize = 1000;

/// Frames of context on either side: 1.5 s, twice what the convolutions reach; beyond it only the GRU remembers.
const CONTEXT: usize = 75;

/// The front end alone: log spectra of 16 kHz samples, `frames x 2 x 284`, one frame per 20 ms. Band `b` lies at MIDI pitch
/// `24 + b / 3`; silence is `-ln 10`.
pub fn front_end(samples: &[f32]) -> Vec<f32> {
    FrontEnd::new().spectra(samples, samples.len().div_ceil(HOP))
}

/// A `harmonic` network ready for inference: on the processor by the engine, elsewhere by libtorch.
pub struct Harmonic {
    info: ModelInfo,
    size: Size,
    threshold: f32,
    front_end: Arc<FrontEnd>,
    work: RefCell<Work>,
}

/// What changes while it listens.
struct Work {
    runner: Box<dyn Runner>,
    spectra: Vec<f32>,
}

impl Harmonic {
    /// The network with these weights; the metadata name its `size` (`s` or `m`) and its `voicing_threshold`.
    pub fn from_weights(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        if device == Device::Cpu { Self::on_engine(weights, Kernel::best()) } else { Self::on_libtorch(weights, device) }
    }

    /// As [`Harmonic::from_weights`], on the engine with a kernel of choice.
    pub fn on_engine(weights: &Weights, kernel: Kernel) -> Result<Self, ModelError> {
        let size = size_of(weights)?;
        let network = engine::Network::read(weights, size)?;
        let parameters = network.parameters();
        Self::assemble(weights, parameters, size, Box::new(Engine::new(Arc::new(network), kernel)))
    }

    /// As [`Harmonic::from_weights`], on libtorch whatever the device.
    #[cfg(feature = "torch")]
    pub fn on_libtorch(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        let size = size_of(weights)?;
        let (torch, parameters) = Torch::new(weights, size, device.into())?;
        Self::assemble(weights, parameters, size, Box::new(torch))
    }

    /// Not in this build.
    #[cfg(not(feature = "torch"))]
    fn on_libtorch(_: &Weights, _: Device) -> Result<Self, ModelError> {
        Err(ModelError::NeedsTorch { what: "an extractor on this device".into() })
    }

    /// The network with random weights: for benchmarks and tests.
    #[cfg(feature = "torch")]
    #[expect(clippy::expect_used, reason = "weights of a size fit it")]
    pub fn untrained(size: Size, device: Device) -> Self {
        let weights = untrained_weights(size);
        Self::from_weights(&weights, device).expect("weights of this size fit")
    }

    fn assemble(weights: &Weights, parameters: usize, size: Size, runner: Box<dyn Runner>) -> Result<Self, ModelError> {
        let threshold = weights.metadata.get("voicing_threshold").and_then(|text| text.parse().ok());
        let reason = "the metadata hold no `voicing_threshold` between 0 and 1".to_string();
        let threshold = threshold
            .filter(|t| (0.0..=1.0).contains(t))
            .ok_or_else(|| ModelError::Weights { name: weights.name.clone(), reason })?;
        let front_end = Arc::new(FrontEnd::new());
        let work = RefCell::new(Work { runner, spectra: Vec::new() });
        Ok(Harmonic { info: weights.describe(parameters), size, threshold, front_end, work })
    }

    /// Logits per pitch bin (`frames x 181`) and voicing probability per 20 ms frame.
    fn activations(&self, samples: &[f32], frames: usize) -> Result<(Vec<f32>, Vec<f32>), ModelError> {
        const FRAME: usize = SPECTRA * BANDS;
        let Work { runner, spectra } = &mut *self.work.borrow_mut();
        let gain = gain(samples, SAMPLE_RATE);
        let mut logits = vec![0.0; frames * BINS];
        let mut voicing = vec![0.0; frames];
        for pieces in Pieces::cover(frames, KEPT, CONTEXT).batches(runner.batch()) {
            spectra.clear();
            for piece in pieces {
                let from = spectra.len();
                spectra.resize(from + piece.read.len() * FRAME, FLOOR);
                self.front_end.piece(samples, gain, piece.read.clone(), &mut spectra[from..]);
            }
            runner.run(spectra, pieces, &mut logits, &mut voicing)?;
        }
        Ok((logits, voicing))
    }
}

/// The size that the metadata name.
fn size_of(weights: &Weights) -> Result<Size, ModelError> {
    let refuse = |reason: String| ModelError::Weights { name: weights.name.clone(), reason };
    let size = weights.metadata.get("size").ok_or_else(|| refuse("the metadata name no `size`".into()))?;
    Size::from_name(size).ok_or_else(|| refuse(format!("size {size:?} is neither s nor m")))
}

/// Random weights of a network of this size.
#[cfg(feature = "torch")]
#[expect(clippy::expect_used, reason = "variables of the processor can be read")]
fn untrained_weights(size: Size) -> Weights {
    let vs = tch::nn::VarStore::new(tch::Device::Cpu);
    let _net = HarmonicNet::new(&vs.root(), size);
    let about = [("architecture", ARCHITECTURE), ("size", size.name()), ("voicing_threshold", "0.5")];
    let metadata = about.map(|(key, value)| (key.to_string(), value.to_string())).into();
    Weights::of(&format!("untrained {ARCHITECTURE}"), metadata, &vs).expect("variables of the processor can be read")
}

impl Extractor for Harmonic {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn multiply_adds(&self) -> f64 {
        Shape::of(self.size).multiply_adds() as f64 * f64::from(SAMPLE_RATE) / HOP as f64
    }

    fn extract(&self, samples: &[f32]) -> Result<PitchTrack, ModelError> {
        let frames = super::frame_count(samples.len(), HOP / 2);
        if frames == 0 {
            return Ok(PitchTrack::default());
        }
        // One 20 ms frame more than the last 10 ms frame needs, to interpolate towards.
        let coarse = frames / 2 + 1;
        let (logits, voicing) = self.activations(samples, coarse)?;
        Ok(decode::decode(&logits, &voicing, frames, self.threshold))
    }

    fn fork(&self) -> Box<dyn Extractor> {
        let runner = self.work.borrow().runner.fork();
        let work = RefCell::new(Work { runner, spectra: Vec::new() });
        Box::new(Harmonic { info: self.info.clone(), front_end: self.front_end.clone(), work, ..*self })
    }
}
