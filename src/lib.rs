//! qbh finds songs from a hum: this library is what the `qbh` binary does, without its command line.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod audio;
mod encoding;
pub mod eval;
pub mod json;
pub mod library;
pub mod pitchfile;
pub mod plot;
pub mod search;
#[cfg(feature = "serve")]
pub mod serve;
pub mod symbolic;
#[cfg(feature = "torch")]
pub mod train;

#[cfg(test)]
#[path = "../tests/util/skipped.rs"]
mod skipped;
