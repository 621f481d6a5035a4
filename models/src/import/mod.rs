//! Weights of the published extractors, as their authors give them, made into weights of ours.
//!
//! - `keras`: HDF5 files of Keras 2, as github.com/keums/melodyExtraction_JDC and melodyExtraction_SSL hold
//! - `torch`, `pickle`: PyTorch state dicts, as the port of SSL in the latter is saved
//! - `published`: which of their tensors is which of ours
//!
//! Both projects keep the constants of their front end in two .npy files beside the weights.

#[cfg(feature = "torch")]
mod convert;
mod format;
#[cfg(feature = "torch")]
mod keras;
#[cfg(feature = "torch")]
mod pickle;
#[cfg(feature = "torch")]
mod published;
#[cfg(test)]
#[cfg(feature = "torch")]
mod tests;
#[cfg(feature = "torch")]
mod torch;

#[cfg(feature = "torch")]
pub use convert::{Import, Imported, import};
pub use format::is_foreign;
