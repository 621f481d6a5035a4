//! Melody embedders: networks from a window of contour to a vector.

use crate::{Embedding, ModelError, ModelInfo};

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
    /// Windows per length: the hop is length / `windows_per_length`.
    pub windows_per_length: u16,
    /// A song window is kept when at least this share of its steps is voiced.
    pub song_min_voiced: f32,
    /// A hum window is kept when at least this share of its steps is voiced.
    pub hum_min_voiced: f32,
}
