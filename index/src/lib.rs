//! What qbh stores about a library, and how it is found again.
//!
//! sled is the truth. Two things are derived from it and can be rebuilt at any time: the scan file (int8 vectors, interleaved,
//! memory-mapped) for exact search, and the HNSW graph. The crate knows no audio and no torch: a song is a key, tags, a contour
//! and vectors.
#![warn(missing_docs)]
