//! `jdc`: the network of Kum & Nam, "Joint detection and classification of singing voice melody using convolutional recurrent
//! neural networks", Applied Sciences 9(7):1324, 2019. Audio and segments as those of `ssl`, pitch classes of a sixteenth of a
//! semitone and "unvoiced", and an auxiliary detector of the voice that shares the convolutions while they are trained.
//!
//! As in the public code, the melody is read from the pitch classes alone (the largest, then a median of 5 frames); so the
//! detector costs nothing in inference. (The latest public code writes a guess where a frame is unvoiced; ours is apart.)

mod classes;
mod net;

pub use classes::{CLASSES, class_of};
pub use net::JdcNet;

use super::segmented::Segmented;

/// Name of the architecture in weights files.
pub const ARCHITECTURE: &str = "jdc";

/// A `jdc` network ready for inference.
pub type Jdc = Segmented<JdcNet>;
