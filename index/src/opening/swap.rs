//! Putting a new store in the place of the old one.
//!
//! The new one is made beside it, then both are renamed: `sled` to `sled.old`, `sled.new` to `sled`. It is whole before anything is
//! renamed, so after a crash the names tell what to do ([`finish`]).

use std::path::{Path, PathBuf};

use crate::error::io;
use crate::failpoint;
use crate::{Result, folder};

/// Where a new store is made.
pub(crate) fn new_path(dir: &Path) -> PathBuf {
    dir.join("sled.new")
}

fn old_path(dir: &Path) -> PathBuf {
    dir.join("sled.old")
}

/// Puts the finished store in place. Neither database may be open: sled writes by name.
pub(crate) fn swap(dir: &Path) -> Result<()> {
    let (store, new, old) = (folder::store(dir), new_path(dir), old_path(dir));
    if store.exists() {
        failpoint::point("swap.old").and_then(|()| std::fs::rename(&store, &old)).map_err(io(&store))?;
    }
    failpoint::point("swap.new").and_then(|()| std::fs::rename(&new, &store)).map_err(io(&new))?;
    folder::sync(&store)?;
    failpoint::point("swap.remove").map_err(io(&old))?;
    remove(&old)
}

/// Ends what a crash during a swap left.
pub(crate) fn finish(dir: &Path) -> Result<()> {
    let (store, new, old) = (folder::store(dir), new_path(dir), old_path(dir));
    if !store.exists() && old.exists() {
        // Only a finished copy lets the old store be renamed.
        let whole = if new.exists() { &new } else { &old };
        std::fs::rename(whole, &store).map_err(io(whole))?;
    }
    // With a store in place, a copy is unfinished and an old store is done with.
    if store.exists() {
        remove(&new)?;
        remove(&old)?;
    }
    Ok(())
}

/// Removes a folder that may not be there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(path)(error)),
        _ => Ok(()),
    }
}
