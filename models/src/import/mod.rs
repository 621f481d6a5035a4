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
#[cfg(any(feature = "torch", test, fuzzing))]
#[cfg_attr(not(feature = "torch"), allow(dead_code, reason = "read by the tests and the fuzzer only"))]
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

/// For the fuzzer: whether bytes are a pickle.
#[cfg(fuzzing)]
pub fn is_pickle(bytes: &[u8]) -> bool {
    pickle::read(bytes).is_ok()
}
