//! Melody embedders: networks from a window of contour to a vector.
//!
//! Two architectures: [`Architecture::Contextual`], the default, and [`Architecture::Reference`], the published one.
//! Their weights name them in the `architecture` of the safetensors metadata.

mod architecture;
#[cfg(feature = "torch")]
mod attention;
mod contextual;
mod encoder;
#[cfg(feature = "torch")]
mod network;
mod projection;
mod reference;
#[cfg(feature = "torch")]
mod residual;
mod runner;
mod shape;
#[cfg(test)]
#[cfg(feature = "torch")]
mod tests;
#[cfg(feature = "torch")]
mod torch;
pub mod windows;

pub use architecture::Architecture;
#[cfg(feature = "torch")]
pub use network::Network;
pub use projection::{NAME as PROJECTION, Projection};

use crate::engine::Kernel;
use crate::nn::weights::Weights;
use crate::{Device, EMBEDDING_DIM, Embedding, ModelError, ModelInfo};

/// Weights that come with qbh, by name.
pub const SHIPPED: &[(&str, &[u8])] = &[(DEFAULT_EMBEDDER, include_bytes!("../../weights/contextual.safetensors"))];

/// The embedder that is used when none is named.
pub const DEFAULT_EMBEDDER: &str = "contextual";

/// Opens shipped weights by name, or a safetensors file by path, on a device.
pub fn open(name_or_path: &str, device: Device) -> Result<Box<dyn Embedder>, ModelError> {
    let weights = Weights::open(name_or_path, SHIPPED)?;
    Ok(Box::new(encoder::Encoder::load(&weights, device)?))
}

/// A `contextual` network on the engine, with a kernel of choice.
///
/// # Errors
/// The weights are of something else.
pub fn on_engine(weights: &Weights, kernel: Kernel) -> Result<Box<dyn Embedder>, ModelError> {
    Ok(Box::new(encoder::Encoder::on_engine(weights, kernel)?))
}

/// A network on libtorch, whatever the device.
///
/// # Errors
/// The weights are of something else.
#[cfg(feature = "torch")]
pub fn on_libtorch(weights: &Weights, device: Device) -> Result<Box<dyn Embedder>, ModelError> {
    Ok(Box::new(encoder::Encoder::on_libtorch(weights, device)?))
}

/// An embedder with random weights: for benchmarks and tests.
#[cfg(feature = "torch")]
pub fn untrained(architecture: Architecture) -> Box<dyn Embedder> {
    Box::new(encoder::Encoder::untrained(architecture))
}

/// A network that turns windows of melody into points, alike melodies close to each other.
///
/// One value serves one thread at a time; [`Embedder::fork`] makes another over the same weights.
pub trait Embedder: Send {
    /// Name, fingerprint and provenance.
    fn info(&self) -> &ModelInfo;

    /// How songs and hums are to be cut for this network.
    fn windowing(&self) -> &Windowing;

    /// One embedding per window. A window is a stretch of [`crate::Contour::pitch`] (MIDI pitch per 100 ms, 0 = unvoiced) of any length.
    fn embed(&self, windows: &[&[f32]]) -> Result<Vec<Embedding>, ModelError>;

    /// Values that are stored of a window: all of its embedding, unless the weights say which directions of it are enough.
    fn dimension(&self) -> usize {
        EMBEDDING_DIM
    }

    /// What is stored and compared of each window: [`Embedder::dimension`] values, window after window. Their dot products are those
    /// of the embeddings, or nearly so.
    fn vectors(&self, windows: &[&[f32]]) -> Result<Vec<f32>, ModelError> {
        Ok(self.embed(windows)?.into_flattened())
    }

    /// A second handle on the same weights, for another thread.
    fn fork(&self) -> Box<dyn Embedder>;
}

/// How contours are cut into windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Windowing {
    /// Lengths of song windows, in contour steps, ascending; each is a level of the index.
    pub song_steps: Vec<u16>,
    /// Lengths of hum windows, in contour steps, descending; longer ones than the hum are replaced by the whole hum.
    pub hum_steps: Vec<u16>,
    /// Whether the network resamples windows, so that they may come in steps of any length.
    pub resampled: bool,
    /// Windows per length: the hop is length / `windows_per_length`.
    pub windows_per_length: u16,
    /// A song window is kept when at least this share of its steps is voiced.
    pub song_min_voiced: f32,
    /// A hum window is kept when at least this share of its steps is voiced.
    pub hum_min_voiced: f32,
}
