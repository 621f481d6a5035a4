//! Melody extractors: networks from audio to pitch track.
//!
//! - [`harmonic`]: compact, the default
//! - [`ssl`]: the published network of Kum et al. 2020; [`jdc`]: that of Kum & Nam 2019
//! - `segments`, `segmented`: the front end these two share, and all else but the network
//! - [`multidnn`]: the networks of Cao, Feng & Li 2019
//! - [`ah1`]: the network of Huang & Liu 2020
//! - `level`, `pieces`, `grid`: the level of a recording; long ones in pieces; from frames of other lengths to 10 ms
//! - `spectrum`: the short-time Fourier transform under all front ends
//! - `registry`: the table of all of them

#[cfg(feature = "torch")]
pub mod ah1;
#[cfg(feature = "torch")]
mod grid;
pub mod harmonic;
#[cfg(feature = "torch")]
pub mod jdc;
mod level;
#[cfg(feature = "torch")]
pub mod multidnn;
mod pieces;
mod registry;
#[cfg(feature = "torch")]
pub mod segmented;
#[cfg(feature = "torch")]
pub mod segments;
mod spectrum;
#[cfg(feature = "torch")]
pub mod ssl;

#[cfg(feature = "torch")]
pub use registry::untrained;
pub use registry::{ARCHITECTURES, Architecture, architecture, open};

#[cfg(feature = "torch")]
use tch::{Device, Kind, Tensor, nn::VarStore};

use crate::{ModelError, ModelInfo, PitchTrack};

/// The extractor that is used when none is named.
pub const DEFAULT_EXTRACTOR: &str = "harmonic-s";

/// Weights compiled in, by name.
pub const SHIPPED: &[(&str, &[u8])] = &[(DEFAULT_EXTRACTOR, include_bytes!("../../weights/harmonic-s.safetensors"))];

/// A network that writes down the melody of a recording.
///
/// One value serves one thread at a time (libtorch tensors are not `Sync`); [`Extractor::fork`] makes another over the same weights.
pub trait Extractor: Send {
    /// Name, fingerprint and provenance.
    fn info(&self) -> &ModelInfo;

    /// Sample rate of the audio that [`Extractor::extract`] takes, Hz.
    fn sample_rate(&self) -> u32;

    /// Multiply-adds of the network per second of audio.
    fn multiply_adds(&self) -> f64;

    /// The melody of mono `samples` (any level; at most some ten minutes at a time, see [`MAX_SECTION`]).
    /// The track has `ceil(100 samples / rate)` frames, frame `i` centred at `i * 10 ms`; no samples, no frames.
    fn extract(&self, samples: &[f32]) -> Result<PitchTrack, ModelError>;

    /// A second handle on the same weights, for another thread.
    fn fork(&self) -> Box<dyn Extractor>;
}

/// Seconds of audio after which a recording is cut into sections that are extracted one by one, so that memory stays bounded.
pub const MAX_SECTION: f64 = 600.0;

#[cfg(feature = "torch")]
fn one_thread(device: Device) {
    if device == Device::Cpu {
        tch::set_num_threads(1);
    }
}

/// What a network with random weights says of itself.
#[cfg(feature = "torch")]
fn untrained_info(architecture: &str, vs: &VarStore) -> ModelInfo {
    ModelInfo {
        name: format!("untrained {architecture}"),
        architecture: architecture.to_string(),
        fingerprint: "0".repeat(16),
        parameters: vs.trainable_variables().iter().map(Tensor::numel).sum(),
        metadata: Default::default(),
    }
}

/// Frames of a recording: one per started 10 ms.
fn frame_count(samples: usize, hop: usize) -> usize {
    samples.div_ceil(hop)
}

/// The kind in which convolutions compute fastest: bf16 where the processor multiplies it natively, else f32.
#[cfg(feature = "torch")]
pub fn fastest_kind(device: Device) -> Kind {
    #[cfg(target_arch = "x86_64")]
    let native = std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    let native = false;
    if device == Device::Cpu && native { Kind::BFloat16 } else { Kind::Float }
}
