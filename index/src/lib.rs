//! What qbh stores about a library, and how it is found again.
//!
//! sled is the truth. Two things are derived from it and can be rebuilt at any time: the scan file (int8 vectors, interleaved,
//! memory-mapped) for exact search, and the HNSW graph. The crate knows no audio and no torch: a song is a key, tags, a contour
//! and vectors.
//!
//! An [`Index`] looks after the folder; a [`View`] is what a search reads.
#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

mod care;
mod error;
mod fingerprint;
mod first_stage;
mod index;
mod kernels;
mod lock;
mod quantize;
mod record;
mod scan;
mod space;
mod store;
mod view;

pub use care::{Bytes, Compacted, Derived, Report, Stats};
pub use error::{Error, Result};
pub use fingerprint::{Fingerprint, Level, ModelId};
pub use first_stage::{Exact, FirstStage, Hnsw};
pub use index::Index;
pub use record::{FileIdentity, FileRecord, LevelWindows, NewSong, Outcome, Song, SongId, Tags};
pub use view::{PairScores, QueryWindow, View};
