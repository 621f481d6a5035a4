//! Batches, drawn ahead of time by worker threads.
//!
//! A batch is a function of its step, so that a training sees the same data whatever the number of threads, and goes on
//! with the same data after a resume.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;
use std::time::Instant;

use qbh_models::ModelError;

/// Draws the batch of a step. Equal steps give equal batches.
pub type DrawBatch<'a, Batch> = dyn Fn(u64) -> Result<Batch, ModelError> + Sync + 'a;

/// Batches that each worker keeps in store.
const AHEAD: usize = 2;

/// The batch of one step, and the seconds that one thread took to draw it.
pub(crate) struct Drawn<Batch> {
    pub(crate) batch: Batch,
    pub(crate) seconds: f64,
}

/// Hands out batches in the order of their steps.
pub(crate) struct Feeder<Batch> {
    workers: Vec<Receiver<Result<Drawn<Batch>, ModelError>>>,
    next: usize,
}

impl<Batch: Send> Feeder<Batch> {
    /// Starts the worker threads: of `n` workers, each draws every `n`-th batch.
    pub(crate) fn start<'scope, 'env: 'scope>(
        scope: &'scope Scope<'scope, 'env>,
        threads: usize,
        first_step: u64,
        draw: &'env DrawBatch<Batch>,
    ) -> Self
    where
        Batch: 'scope,
    {
        let count = threads.max(1);
        let start = |worker: usize| {
            let (sender, receiver) = sync_channel(AHEAD);
            scope.spawn(move || {
                for step in (first_step + worker as u64..).step_by(count) {
                    let began = Instant::now();
                    let drawn = draw(step).map(|batch| Drawn { batch, seconds: began.elapsed().as_secs_f64() });
                    let failed = drawn.is_err();
                    // The training has ended when nobody listens any more.
                    if sender.send(drawn).is_err() || failed {
                        break;
                    }
                }
            });
            receiver
        };
        Feeder { workers: (0..count).map(start).collect(), next: 0 }
    }

    /// The next step's batch.
    ///
    /// # Errors
    /// What drawing it reported, or that its worker has died.
    pub(crate) fn next(&mut self) -> Result<Drawn<Batch>, ModelError> {
        let worker = self.next;
        self.next = (worker + 1) % self.workers.len();
        let stopped = || ModelError::Training("the threads that draw batches have stopped".into());
        self.workers[worker].recv().map_err(|_| stopped())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_come_in_order_whatever_the_number_of_threads() {
        let draw = |step: u64| {
            if step == 40 { Err(ModelError::Training("there are forty".into())) } else { Ok(step * step) }
        };
        let take = |threads: usize| {
            std::thread::scope(|scope| {
                let mut feeder = Feeder::start(scope, threads, 3, &draw);
                let mut taken = Vec::new();
                loop {
                    match feeder.next() {
                        Ok(drawn) => taken.push(drawn.batch),
                        Err(error) => return (taken, error.to_string()),
                    }
                }
            })
        };
        let expected: Vec<u64> = (3..40u64).map(|step| step * step).collect();
        for threads in [1, 3] {
            assert_eq!(take(threads), (Vec::clone(&expected), "there are forty".to_string()));
        }
    }
}
