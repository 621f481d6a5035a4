//! Melody extractors: networks from audio to pitch track.

use crate::{ModelError, ModelInfo, PitchTrack};

/// A network that writes down the melody of a recording.
///
/// One value serves one thread at a time (libtorch tensors are not `Sync`); [`Extractor::fork`] makes another over the same weights.
pub trait Extractor: Send {
    /// Name, fingerprint and provenance.
    fn info(&self) -> &ModelInfo;

    /// Sample rate of the audio that [`Extractor::extract`] takes, Hz.
    fn sample_rate(&self) -> u32;

    /// The melody of mono `samples` (any level; at most some ten minutes at a time, see [`MAX_SECTION`]).
    /// The track has `ceil(samples / (rate / 100))` frames, frame `i` centred at `i * 10 ms`; no samples, no frames.
    fn extract(&self, samples: &[f32]) -> Result<PitchTrack, ModelError>;

    /// A second handle on the same weights, for another thread.
    fn fork(&self) -> Box<dyn Extractor>;
}

/// Seconds of audio after which a recording is cut into sections that are extracted one by one, so that memory stays bounded.
pub const MAX_SECTION: f64 = 600.0;
