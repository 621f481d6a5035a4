//! What all handlers share.

use super::catalogue::{Catalogue, Opened};
use super::gate::Gate;
use super::hums::Keeper;
use super::indexing::Bell;
use super::limits::BODIES_BYTES;
use super::metrics::Metrics;
use super::pool::Pool;
use super::refusal::Refusal;
use super::status::Board;
use qbh_index::{Song, SongId};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// What all handlers share.
pub struct App {
    /// What is searched.
    pub catalogue: Arc<Catalogue>,
    /// By whom.
    pub pool: Pool,
    /// Who may ask.
    pub gate: Gate,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What goes on.
    pub board: Arc<Board>,
    /// Room for bodies, KiB.
    pub bodies: Arc<Semaphore>,
    /// What has new files looked for, if there are folders to look in.
    pub bell: Option<Bell>,
    /// Where hums are kept, if they are.
    pub keeper: Option<Arc<Keeper>>,
    /// Room for hums that are listened to live.
    pub listeners: Arc<Semaphore>,
    /// True when the server is being stopped.
    pub stopping: watch::Receiver<bool>,
}

impl App {
    /// Room for so much of bodies at once.
    pub fn room() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(BODIES_BYTES >> 10))
    }

    /// A song of the present state, its ordinal, and that state.
    ///
    /// # Errors
    /// There is no library, or no such song.
    pub fn song(&self, id: u64) -> Result<(Arc<Opened>, u32, Song), Refusal> {
        let opened = self.catalogue.now()?;
        let Some(ordinal) = opened.snapshot.ordinal(SongId(id)) else {
            return Err(Refusal::not_found(format!("there is no song {id}"), "GET /v1/songs lists all"));
        };
        let song = opened.snapshot.song(ordinal)?;
        Ok((opened, ordinal, song))
    }
}

/// Waits until the server is being stopped.
pub async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
