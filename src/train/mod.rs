//! What trainings need of the product: recordings, speech, music that a teacher labels, hums and what they are of, and
//! scores while a training runs. The networks and their training are `qbh-training`'s.
//!
//! - [`studio`], [`speech`], [`recordings`]: what the studio works with; [`replace`]: real music with another voice
//! - [`unlabelled`]: music that nobody has labelled; [`hums`]: real hums, and the songs of an index
//! - [`multitracks`]: real voices with known pitch
//! - [`practise`]: searches that rerankers learn from
//! - [`dev`]: development scores of an extractor as it is trained; [`alpha_study`]: one training per weight of a task

pub mod alpha_study;
pub mod dev;
mod error;
pub mod hums;
pub mod multitracks;
pub mod practise;
pub mod recordings;
pub mod replace;
pub mod speech;
pub mod studio;
pub mod unlabelled;

pub use error::TrainError;

use std::fmt::Display;
use std::path::Path;

/// Is told of files that cannot be read and are passed over, and why.
pub type PassedOver<'a> = dyn Fn(&Path, &dyn Display) + Sync + 'a;
