//! What qbh stores about a library, and how it is found again.
//!
//! One process writes, any number read. The writer has an [`Index`]: sled is its truth, every change also goes to a journal, and
//! now and then a snapshot of everything is published. Readers open that [`Snapshot`], an immutable, memory-mapped file with all
//! that searching needs, and take no lock. Store and snapshot (with the journal) are each other's witness and copy: what one has
//! lost, opening the index puts back from the other. An HNSW graph may be derived from the snapshot. The crate knows no audio and
//! no torch: a song is a key, tags, a contour and vectors.
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
mod change;
mod derived;
mod error;
mod failpoint;
mod fingerprint;
mod first_stage;
mod folder;
mod index;
mod journal;
mod kernels;
mod lock;
mod mapping;
mod opening;
mod quantize;
mod record;
mod snapshot;
mod space;
mod store;
mod values;

pub use care::{Compacted, DiskUse, Stats, StoreCheck, VerifyReport, mend, verify};
pub use derived::Derived;
pub use error::{Error, Result};
pub use fingerprint::{Fingerprint, Level, ModelId};
pub use first_stage::{Exact, FirstStage, Hnsw};
pub use index::Index;
pub use opening::Mended;
pub use record::{FileIdentity, FileRecord, LevelWindows, NewSong, Outcome, Song, SongId, Sound, Tags};
pub use snapshot::{PairScores, QueryWindow, Snapshot};
