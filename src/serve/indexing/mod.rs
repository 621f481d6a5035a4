//! Folders that are indexed in the background while hums are answered, as `qbh index` would do it.
//!
//! The index is open for writing during a run only, so that the command line works beside the server.
//!
//! - `round`: one run; `watch`: when there is something new; this file: the thread that waits for the one to do the other

mod round;
mod watch;

use super::app::App;
use super::catalogue::Models;
use super::refusal::Refusal;
use super::status::{Board, StatusJson};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use round::Round;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Nothing must have changed for so long before a run begins: files are copied in pieces.
const QUIET: Duration = Duration::from_secs(2);

/// But a folder that never rests is looked at all the same.
const RESTLESS: Duration = Duration::from_secs(30);

/// When a run that could not begin is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// What is indexed.
pub struct Folders {
    /// Files and folders of music.
    pub paths: Vec<PathBuf>,
    /// Where the index is.
    pub index: PathBuf,
    /// Whether to begin a run when something in them changes.
    pub watch: bool,
    /// Files to listen to at a time.
    pub jobs: usize,
}

/// Indexing, as a thread.
pub struct Indexing {
    wake: SyncSender<()>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Indexing {
    /// Begins with a run.
    pub fn start(folders: Folders, models: Arc<dyn Models>, board: Arc<Board>) -> std::io::Result<Indexing> {
        let (wake, woken) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (wake, stop) = (wake.clone(), Arc::clone(&stop));
            std::thread::Builder::new().name("indexing".into()).spawn(move || {
                let watcher = folders.watch.then(|| watch::watch(&folders.paths, &folders.index, wake));
                if let Some(Err(problem)) = &watcher {
                    tracing::warn!(problem, "folders are not watched");
                }
                rounds(&Round { folders: &folders, models: &*models, board: &board, stop: &stop }, &woken);
            })?
        };
        Ok(Indexing { wake, stop, thread })
    }

    /// What has it look for new files.
    pub fn bell(&self) -> Bell {
        Bell(self.wake.clone())
    }

    /// Finishes the files at hand, for at most so long.
    pub fn end(self, time: Duration) {
        let begin = Instant::now();
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.wake.try_send(());
        while !self.thread.is_finished() && begin.elapsed() < time {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Has the thread look for new files.
pub struct Bell(SyncSender<()>);

impl Bell {
    /// One who has been woken already need not be woken again.
    pub fn ring(&self) {
        let _ = self.0.try_send(());
    }
}

/// One run after the other, until it is to stop.
fn rounds(round: &Round<'_>, woken: &Receiver<()>) {
    let stopped = || round.stop.load(Ordering::Relaxed);
    let mut again = true;
    loop {
        if !again && woken.recv().is_err() {
            return;
        }
        if stopped() {
            return;
        }
        again = false;
        if let Err(problem) = round.run() {
            tracing::warn!(problem, "indexing");
            round.board.indexing(|status| status.problem = Some(problem));
            // A wake-up is a reason to try at once, and so is time.
            again = !matches!(woken.recv_timeout(AGAIN), Err(RecvTimeoutError::Disconnected));
        } else if !stopped() {
            again = wait_for_change(woken);
        }
        if stopped() {
            return;
        }
    }
}

/// Waits until something has changed, and then until nothing does any more.
fn wait_for_change(woken: &Receiver<()>) -> bool {
    if woken.recv().is_err() {
        return false;
    }
    let begin = Instant::now();
    while begin.elapsed() < RESTLESS && woken.recv_timeout(QUIET).is_ok() {}
    true
}

/// Looks for new files now.
#[utoipa::path(post, path = "/v1/scan", responses(
    (status = 202, description = "It is being looked", body = StatusJson),
    (status = 401, body = Refusal),
    (status = 409, description = "The server was started without --library", body = Refusal),
))]
pub async fn scan(State(app): State<Arc<App>>) -> Result<(StatusCode, Json<StatusJson>), Refusal> {
    let Some(bell) = &app.bell else {
        let (reason, remedy) = ("no folder of music was named", "start the server with --library DIR, or run qbh index");
        return Err(Refusal::new(StatusCode::CONFLICT, reason, remedy));
    };
    bell.ring();
    Ok((StatusCode::ACCEPTED, Json(app.board.now())))
}
