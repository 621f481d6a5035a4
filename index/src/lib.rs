//! What qbh stores about a library, and how it is found again.
//!
//! sled is the truth. Two things are derived from it and can be rebuilt at any time: the scan file (int8 vectors, interleaved,
//! memory-mapped) for exact search, and the HNSW graph. The crate knows no audio and no torch: a song is a key, tags, a contour
//! and vectors.
//!
//! An [`Index`] looks after the folder; a [`Snapshot`] is what a search reads.
//!
//! ```
//! # fn main() -> qbh_index::Result<()> {
//! use qbh_index::*;
//! # let dir = tempfile::tempdir().unwrap();
//! # let dir = dir.path();
//! let model = |name: &str| ModelId { name: name.into(), fingerprint: "1234".into() };
//! let fingerprint = Fingerprint {
//!     extractor: model("extractor"),
//!     embedder: model("embedder"),
//!     dimension: 4,
//!     levels: vec![Level { steps: 50, windows_per_length: 4 }],
//! };
//! let index = Index::open(dir, &fingerprint)?;
//! let windows = LevelWindows { steps: 50, positions: vec![0, 1], vectors: vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0] };
//! let song = NewSong { key: "song.mp3".into(), tags: Tags::default(), contour: vec![60.0; 62], levels: vec![windows] };
//! index.put_file(&FileIdentity { path: "song.mp3".into(), size: 1, modified_ns: 1 }, vec![song])?;
//!
//! let hum = [QueryWindow { steps: 40, position: 0, vector: &[0.0, 1.0, 0.0, 0.0] }];
//! let best = |_song: u32, pairs: &[PairScores<'_>]| pairs.iter().flat_map(|p| p.scores).fold(0.0f32, |best, &s| best.max(s));
//! let scores = index.snapshot()?.score(&hum, None, best)?;
//! assert!((scores[0].1 - 1.0).abs() < 0.01);
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

mod care;
mod derived;
mod error;
mod fingerprint;
mod first_stage;
mod index;
mod kernels;
mod lock;
mod quantize;
mod record;
mod scan;
mod snapshot;
mod space;
mod store;

pub use care::{Compacted, DiskUse, Stats, VerifyReport};
pub use derived::Derived;
pub use error::{Error, Result};
pub use fingerprint::{Fingerprint, Level, ModelId};
pub use first_stage::{Exact, FirstStage, Hnsw};
pub use index::Index;
pub use record::{FileIdentity, FileRecord, LevelWindows, NewSong, Outcome, Song, SongId, Tags};
pub use snapshot::{PairScores, QueryWindow, Snapshot};
