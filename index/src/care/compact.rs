//! Compaction: sled gives back the space of what was overwritten only in part, a copy gives back all of it.
//!
//! The copy is made beside the database, then both are renamed: `sled` to `sled.old`, `sled.new` to `sled`. A copy is whole
//! before anything is renamed, so after a crash the names tell what to do ([`finish`]).

use std::path::{Path, PathBuf};

use super::stats::folder_bytes;
use crate::error::io;
use crate::index::store_path;
use crate::store::{Store, wait_until_closed};
use crate::{Index, Result, space};

/// What a compaction gained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Size of the database before, bytes.
    pub before: u64,
    /// And after.
    pub after: u64,
}

fn new_path(dir: &Path) -> PathBuf {
    dir.join("sled.new")
}

fn old_path(dir: &Path) -> PathBuf {
    dir.join("sled.old")
}

impl Index {
    /// Rewrites the database without the space of what was overwritten and removed, unless that gains nothing. Needs room for a
    /// copy; a crash at any moment leaves the index as it was or as it will be. Views stay valid.
    ///
    /// # Errors
    /// After an error the index is closed; it can be opened again.
    pub fn compact(self) -> Result<(Index, Compacted)> {
        let dir = self.dir().to_path_buf();
        self.flush()?;
        let before = folder_bytes(&store_path(&dir));
        space::ask_for(&dir, space::RESERVE + before + before / 2)?;
        {
            let copy = Store::open(&new_path(&dir))?;
            self.store().copy_into(&copy)?;
        }
        wait_until_closed(&new_path(&dir))?;
        if folder_bytes(&new_path(&dir)) >= before {
            std::fs::remove_dir_all(new_path(&dir)).map_err(io(&dir))?;
            return Ok((self, Compacted { before, after: before }));
        }
        let lock = self.into_lock();
        // sled writes by name: no database may be open while names change.
        wait_until_closed(&store_path(&dir))?;
        swap(&dir)?;
        let index = Index::reopen(&dir, lock)?;
        Ok((index, Compacted { before, after: folder_bytes(&store_path(&dir)) }))
    }
}

/// Puts the finished copy in place.
fn swap(dir: &Path) -> Result<()> {
    let (store, new, old) = (store_path(dir), new_path(dir), old_path(dir));
    std::fs::rename(&store, &old).map_err(io(&store))?;
    std::fs::rename(&new, &store).map_err(io(&new))?;
    std::fs::remove_dir_all(&old).map_err(io(&old))
}

/// Whether a compaction was cut between the two renamings, so that only the copy and the old database are there.
pub(crate) fn pending(dir: &Path) -> bool {
    !store_path(dir).exists() && old_path(dir).exists() && new_path(dir).exists()
}

/// Ends what a crash during a compaction left.
pub(crate) fn finish(dir: &Path) -> Result<()> {
    let (store, new, old) = (store_path(dir), new_path(dir), old_path(dir));
    if pending(dir) {
        std::fs::rename(&new, &store).map_err(io(&new))?;
    }
    // With a database in place, a copy is unfinished and an old database is done with.
    if store.exists() {
        for leftover in [new, old] {
            if leftover.exists() {
                std::fs::remove_dir_all(&leftover).map_err(io(&leftover))?;
            }
        }
    }
    Ok(())
}
