//! Where the time of a run goes.

use std::time::Duration;

/// Time spent in each stage, summed over the threads.
#[derive(Debug, Clone, Copy, Default)]
pub struct StageTimes {
    /// Reading, decoding, resampling, parsing.
    pub decode: Duration,
    /// Melody extraction.
    pub extract: Duration,
    /// Embedding.
    pub embed: Duration,
    /// Writing to the index.
    pub store: Duration,
}

impl std::ops::AddAssign for StageTimes {
    fn add_assign(&mut self, other: StageTimes) {
        self.decode += other.decode;
        self.extract += other.extract;
        self.embed += other.embed;
        self.store += other.store;
    }
}
