//! What came of a run.

use super::hear::Done;
use super::plan::{Failure, IndexingPlan};
use super::stages::StageTimes;
use std::time::Duration;

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct IndexingReport {
    /// Files that were listened to and are now in the index.
    pub indexed: usize,
    /// Songs in those files.
    pub songs: usize,
    /// Files that are in the index and have not changed since.
    pub unchanged: usize,
    /// Files that are not in the index: those of this run, and those known from earlier runs that have not changed.
    pub failed: Vec<Failure>,
    /// Seconds of music listened to.
    pub seconds: f64,
    /// Time the run took.
    pub elapsed: Duration,
    /// Where the time went.
    pub stages: StageTimes,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
}

impl IndexingReport {
    /// A report on a plan of which nothing has been done yet.
    pub fn of(plan: &IndexingPlan) -> Self {
        IndexingReport { unchanged: plan.unchanged, failed: plan.failed_before.clone(), ..IndexingReport::default() }
    }

    pub(super) fn add(&mut self, done: Done) {
        self.seconds += done.seconds;
        self.stages += done.stages;
        match done.failure {
            Some(failure) => self.failed.push(failure),
            None => {
                self.indexed += 1;
                self.songs += done.songs;
            }
        }
    }

    /// Seconds of music per second, in all.
    pub fn times_real_time(&self) -> f64 {
        self.seconds / self.elapsed.as_secs_f64().max(1e-3)
    }
}
