//! Durability: every change goes to the journal, then to the store; now and then both are flushed, and the snapshot is published.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Index;
use crate::change::Change;
use crate::journal::Journal;
use crate::opening::{self, SecondCopy};
use crate::snapshot::{self, SnapshotFile};
use crate::store::Store;
use crate::{Error, Result, Snapshot, folder, space};

/// Flushing each change would cost more than making it.
const FLUSH_AFTER: usize = 50;
/// A snapshot is published after so many changed songs, or so long after the last one.
const PUBLISH_AFTER: (usize, Duration) = (1000, Duration::from_secs(60));
/// But not so often that publishing takes more than one part in so many of the time.
const SHARE: u32 = 20;
/// sled writes a value again when its neighbours change, and the journal holds it once more.
const SPACE_PER_BYTE: u64 = 5;

/// What has not been flushed, and not been published.
pub(crate) struct Publisher {
    dir: PathBuf,
    journal: Journal,
    unflushed: usize,
    /// Songs changed since the last snapshot.
    songs: usize,
    published: Instant,
    took: Duration,
    /// Set when a write failed: what follows in the journal might not be read.
    broken: bool,
}

impl Publisher {
    /// Of a store that was just opened; publishes it unless `published` says that its snapshot is there.
    pub(super) fn new(dir: &Path, store: &Store, published: bool) -> Result<Publisher> {
        let begin = Instant::now();
        if !published {
            snapshot::write(store, &folder::snapshot(dir))?;
        }
        let journal = Journal::start(&folder::journal(dir), store.birth()?.identity, store.counters()?.generation)?;
        let now = Instant::now();
        let took = if published { Duration::ZERO } else { now - begin };
        Ok(Publisher { dir: dir.to_path_buf(), journal, unflushed: 0, songs: 0, published: now, took, broken: false })
    }

    /// Makes a change, which need not be flushed yet. The generation is counted here.
    pub(super) fn commit(&mut self, store: &Store, mut change: Change) -> Result<()> {
        if self.broken {
            return Err(Error::Broken);
        }
        space::ask_for(&self.dir, crate::error::RESERVE + SPACE_PER_BYTE * change.bytes())?;
        change.counters.generation = store.counters()?.generation + 1;
        let made = self.journal.append(&change).and_then(|()| store.apply(&change));
        self.broken |= made.is_err();
        made?;
        self.unflushed += 1;
        self.songs += change.songs.len();
        if self.unflushed >= FLUSH_AFTER {
            self.flush(store)?;
        }
        let (songs, time) = PUBLISH_AFTER;
        let since = self.published.elapsed();
        if (self.songs >= songs || since >= time) && since >= self.took * SHARE {
            self.publish(store)?;
        }
        Ok(())
    }

    /// The journal first: the store must never be ahead of it.
    pub(super) fn flush(&mut self, store: &Store) -> Result<()> {
        if self.broken {
            return Err(Error::Broken);
        }
        if self.unflushed > 0 {
            let flushed = self.journal.sync().and_then(|()| store.flush());
            self.broken |= flushed.is_err();
            flushed?;
            self.unflushed = 0;
        }
        Ok(())
    }

    /// Writes a snapshot of the present state, unless there is one.
    pub(super) fn publish(&mut self, store: &Store) -> Result<bool> {
        if self.journal.entries() == 0 && folder::snapshot(&self.dir).exists() {
            return Ok(false);
        }
        self.publish_anyway(store)?;
        Ok(true)
    }

    /// Writes a snapshot of the present state in place of the one that is there, and begins a new journal.
    pub(crate) fn publish_anyway(&mut self, store: &Store) -> Result<()> {
        self.flush(store)?;
        let begin = Instant::now();
        let path = folder::snapshot(&self.dir);
        match snapshot::write(store, &path) {
            Err(Error::Damaged(reason)) => {
                tracing::warn!(reason, "the store is damaged: mending it from the last snapshot and the journal");
                opening::mend_songs(store, &SecondCopy::read(&self.dir))?;
                snapshot::write(store, &path)?;
            }
            written => drop(written?),
        }
        self.journal = Journal::start(&folder::journal(&self.dir), store.birth()?.identity, store.counters()?.generation)?;
        self.songs = 0;
        self.published = Instant::now();
        self.took = self.published - begin;
        Ok(())
    }
}

impl Index {
    /// Makes everything that was stored so far survive kill -9 and a loss of power.
    pub fn flush(&self) -> Result<()> {
        self.pause().flush(&self.store)
    }

    /// Publishes the present state to readers; `false` if they see it already. Reads all of the store once.
    pub fn refresh(&self) -> Result<bool> {
        self.pause().publish(&self.store)
    }

    /// A picture of the present state for searching; publishes it first if need be.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut publisher = self.pause();
        publisher.publish(&self.store)?;
        let path = folder::snapshot(&self.dir);
        let state = match SnapshotFile::open(&path) {
            Ok(file) if file.counters() == self.store.counters()? && file.birth() == self.birth => {
                return Ok(Snapshot::new(file));
            }
            Ok(_) => "of another state".to_string(),
            Err(state) => state.to_string(),
        };
        // It was there when the index was opened: somebody else has been at it.
        tracing::warn!(%state, "the snapshot was damaged meanwhile, and is written anew");
        publisher.publish_anyway(&self.store)?;
        SnapshotFile::open(&path)
            .map(Snapshot::new)
            .map_err(|state| Error::Damaged(format!("the snapshot was just written, and is {state}")))
    }
}
