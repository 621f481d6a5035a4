//! Which songs are worth scoring.
//!
//! - [`Exact`]: all of them. The batched scan makes that the fastest way up to tens of thousands of songs.
//! - [`Hnsw`]: those with windows near the hum's, found in a graph (`graph` builds, stores and loads it; `distance` is what it
//!   compares vectors by).

mod distance;
pub(crate) mod graph;
mod hnsw;
#[cfg(test)]
mod tests;

pub use hnsw::Hnsw;

use crate::{QueryWindow, Result, Snapshot};

/// Proposes songs for [`Snapshot::score`].
pub trait FirstStage {
    /// Ordinals of at most `n` songs, best first if the stage ranks them ([`Exact`] proposes all songs and ignores `n`).
    ///
    /// # Errors
    /// [`crate::Error::InvalidQuery`] if a vector has the wrong length or is not finite.
    fn candidates(&self, queries: &[QueryWindow<'_>], n: usize) -> Result<Vec<u32>>;
}

/// Proposes every song.
#[derive(Clone)]
pub struct Exact {
    snapshot: Snapshot,
}

impl Exact {
    /// For the songs of `snapshot`.
    pub fn new(snapshot: Snapshot) -> Exact {
        Exact { snapshot }
    }
}

impl FirstStage for Exact {
    fn candidates(&self, queries: &[QueryWindow<'_>], _n: usize) -> Result<Vec<u32>> {
        self.snapshot.validate(queries)?;
        Ok((0..self.snapshot.len() as u32).collect())
    }
}
