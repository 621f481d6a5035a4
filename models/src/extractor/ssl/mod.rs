//! `ssl`: the network of Kum, Lin, Su & Nam, "Semi-supervised learning using teacher-student models for vocal melody
//! extraction", ISMIR 2020. 8 kHz audio, frames of 10 ms in segments of 31 that do not see each other, one softmax over
//! pitch classes of an eighth of a semitone and "unvoiced".

mod classes;
mod net;

pub use classes::{CLASSES, class_of};
pub use net::SslNet;

use super::segmented::Segmented;
use super::segments::{FrontEnd, HOP};

/// Name of the architecture in weights files.
pub const ARCHITECTURE: &str = "ssl";

/// An `ssl` network ready for inference.
pub type Ssl = Segmented<SslNet>;

/// The front end alone, which `jdc` shares: levels of 8 kHz samples, `frames x 513`, one frame per 10 ms.
pub fn front_end(samples: &[f32]) -> Vec<f32> {
    FrontEnd::new().spectrogram(samples, samples.len().div_ceil(HOP))
}
