//! What qbh has learned: melody extractors (audio to pitch track), melody embedders (window of a contour to a vector), rerankers
//! (hum and song side by side). Inference only: training audio is made in `qbh-synthesis`, networks are trained in `qbh-training`.
//!
//! The crate knows no files of a library and no index. Its interface is four types and two traits:
//! [`PitchTrack`], [`Contour`], [`Note`], [`Embedding`]; [`extractor::Extractor`], [`embedder::Embedder`].
#![warn(missing_docs)]

pub mod contour;
mod device;
pub mod embedder;
pub mod engine;
pub mod error;
pub mod extractor;
pub mod import;
pub mod info;
mod median;
pub mod nn;
pub mod notes;
pub mod pitch;
pub mod reranker;
pub mod resample;

pub use contour::Contour;
pub use device::Device;
pub use error::ModelError;
pub use info::ModelInfo;
pub use median::median;
pub use notes::Note;
pub use pitch::PitchTrack;

/// Number of dimensions of an [`Embedding`].
pub const EMBEDDING_DIM: usize = 512;

/// A window of melody as a point on the unit sphere (L2 norm 1): melodies that sound alike lie close.
pub type Embedding = [f32; EMBEDDING_DIM];

#[cfg(test)]
#[path = "../../tests/util/skipped.rs"]
mod skipped;
