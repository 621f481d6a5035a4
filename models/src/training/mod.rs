//! Training of extractors and embedders: data feeding, losses, schedules, checkpoints.

pub mod adamw;
pub mod checkpoint;
pub mod ema;
pub mod embedder;
pub mod extractor;
pub mod schedule;
