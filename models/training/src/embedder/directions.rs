//! Which directions of the embeddings are worth storing: fitted to windows of songs and to hums alike, at every checkpoint.

use tch::{Device, Tensor};

use super::batch::Batch;
use super::dev;
use super::pairs::PairSource;
use super::principal::principal;
use qbh_models::embedder::{Architecture, Network};
use qbh_models::{EMBEDDING_DIM, ModelError};

/// Seed of the windows: the same ones at every checkpoint.
const SEED: u64 = 0x6178_6573;
/// Pairs of a hum and a song window.
const PAIRS: usize = 2048;

/// The windows, and how many directions are wanted.
pub(super) struct Directions {
    input: Tensor,
    dimension: usize,
}

impl Directions {
    /// `None` when all directions are wanted.
    ///
    /// # Errors
    /// [`ModelError::Training`] for a number of directions that an index cannot hold, or when nothing can be drawn.
    pub(super) fn new(source: &PairSource, architecture: Architecture, dimension: usize) -> Result<Option<Self>, ModelError> {
        if dimension == 0 || dimension > EMBEDDING_DIM || !dimension.is_multiple_of(4) {
            return Err(ModelError::Training(format!("{dimension} is not a multiple of 4 up to {EMBEDDING_DIM}")));
        }
        if dimension == EMBEDDING_DIM {
            return Ok(None);
        }
        let batch = Batch::draw(source, architecture, PAIRS, SEED, 0)?;
        let (channels, steps) = architecture.input();
        let input = Tensor::f_from_slice(&batch.input)?.f_view([2 * PAIRS as i64, channels as i64, steps as i64])?;
        Ok(Some(Directions { input, dimension }))
    }

    /// The directions `(dimension, 512)` for a network, and a sentence on it for the metadata.
    pub(super) fn fit(&self, network: &dyn Network, device: Device) -> Result<(Tensor, String), ModelError> {
        let (basis, share) = principal(&dev::embed(network, &self.input, device), self.dimension)?;
        let note = format!(
            "the first {} principal directions of {} windows of songs and simulated hums hold {share:.4} of the energy",
            self.dimension,
            2 * PAIRS
        );
        Ok((basis, note))
    }
}
