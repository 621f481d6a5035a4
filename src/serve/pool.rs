//! Workers: a thread for each core, each with a searcher of its own, behind a queue of stated length.

use super::catalogue::{Catalogue, Desk};
use super::limits::QUEUE_PER_WORKER;
use super::metrics::Metrics;
use super::refusal::Refusal;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

/// Threads that search. They end when the pool is dropped and its queue is empty.
pub struct Pool {
    jobs: SyncSender<Job>,
    metrics: Arc<Metrics>,
}

/// One of them.
struct Worker {
    catalogue: Arc<Catalogue>,
    desk: Option<Desk>,
}

impl Worker {
    /// Its desk, for the present state of the library.
    fn desk(&mut self) -> Result<&Desk, Refusal> {
        let now = self.catalogue.now()?;
        let desk = match self.desk.take() {
            Some(desk) if Arc::ptr_eq(&desk.opened, &now) => desk,
            _ => now.desk()?,
        };
        Ok(self.desk.insert(desk))
    }
}

impl Pool {
    /// Starts so many workers.
    pub fn start(workers: usize, catalogue: &Arc<Catalogue>, metrics: &Arc<Metrics>) -> std::io::Result<Pool> {
        let (jobs, queue) = sync_channel::<Job>(workers * QUEUE_PER_WORKER);
        let queue = Arc::new(Mutex::new(queue));
        for i in 0..workers {
            let (queue, catalogue) = (Arc::clone(&queue), Arc::clone(catalogue));
            std::thread::Builder::new().name(format!("search-{i}")).spawn(move || work(&queue, &catalogue))?;
        }
        Ok(Pool { jobs, metrics: Arc::clone(metrics) })
    }

    /// What `work` makes of a desk, on the next free worker. If the asker leaves before its turn, nothing is done.
    ///
    /// # Errors
    /// The queue is full, there is no library yet, or the work panicked.
    pub async fn ask<T: Send + 'static>(&self, work: impl FnOnce(&Desk) -> T + Send + 'static) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        let (asked, metrics) = (Instant::now(), Arc::clone(&self.metrics));
        let job = move |worker: &mut Worker| {
            if !answer.is_closed() {
                metrics.observe("wait", asked.elapsed());
                let _ = answer.send(worker.desk().map(work));
            }
        };
        if self.jobs.try_send(Box::new(job)).is_err() {
            return Err(Refusal::busy("too many hums are waiting to be searched"));
        }
        answered.await.unwrap_or_else(|_| Err(Refusal::fault("the search stumbled over this request")))
    }
}

fn work(queue: &Mutex<Receiver<Job>>, catalogue: &Arc<Catalogue>) {
    let mut worker = Worker { catalogue: Arc::clone(catalogue), desk: None };
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if catch_unwind(AssertUnwindSafe(|| job(&mut worker))).is_err() {
            // What it had at hand may be half done.
            worker.desk = None;
        }
    }
}
