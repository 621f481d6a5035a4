//! What came of a run.

use super::hear::Done;
use super::plan::{Failure, IndexingPlan};
use super::recognise::Fate;
use super::stages::StageTimes;
use std::time::Duration;

/// What a run did. Everything that it counts survives kill -9 and a loss of power.
#[derive(Debug, Clone, Default)]
pub struct IndexingReport {
    /// Files that were listened to and are now in the index.
    pub indexed: usize,
    /// Those of them that the index knew with another sound.
    pub changed: usize,
    /// Songs in the files that were listened to.
    pub songs: usize,
    /// Files that are in the index and have not changed since.
    pub unchanged: usize,
    /// Files that have moved: from, to.
    pub moved: Vec<(String, String)>,
    /// Files of which only the tags have changed.
    pub retagged: Vec<String>,
    /// Files that have come back.
    pub returned: Vec<String>,
    /// Files that hold the same recording as another: the file, the other.
    pub copies: Vec<(String, String)>,
    /// Files that are gone. Their songs are kept aside, in case they come back.
    pub gone: Vec<String>,
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

    pub(super) fn add(&mut self, path: &str, done: Done) {
        self.seconds += done.seconds;
        self.stages += done.stages;
        let path = path.to_owned();
        match done.fate {
            Err(failure) => self.failed.push(failure),
            Ok(Fate::Moved(from)) => self.moved.push((from, path)),
            Ok(Fate::Retagged) => self.retagged.push(path),
            Ok(Fate::Returned) => self.returned.push(path),
            Ok(Fate::Copied(of)) => self.copies.push((path, of)),
            Ok(heard @ (Fate::New | Fate::Changed)) => {
                self.indexed += 1;
                self.changed += usize::from(heard == Fate::Changed);
                self.songs += done.songs;
            }
        }
    }

    pub(super) fn sort(&mut self) {
        self.failed.sort_by(|a, b| a.path.cmp(&b.path));
        [&mut self.moved, &mut self.copies].into_iter().for_each(|list| list.sort());
        [&mut self.retagged, &mut self.returned, &mut self.gone].into_iter().for_each(|list| list.sort());
    }

    /// Files that are in the index now.
    pub fn present(&self) -> usize {
        self.indexed + self.unchanged + self.moved.len() + self.retagged.len() + self.returned.len() + self.copies.len()
    }

    /// Seconds of music per second, in all.
    pub fn times_real_time(&self) -> f64 {
        self.seconds / self.elapsed.as_secs_f64().max(1e-3)
    }
}
