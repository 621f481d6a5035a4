//! One process at a time: a locked file, and beside it a note that says who has it.
//!
//! The note is removed when the index is closed. One that is still there although nobody holds the lock tells that the last
//! process was cut short.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, io};

/// Holds the lock of an index folder until it is dropped.
pub(crate) struct Lock {
    file: File,
    note: PathBuf,
}

impl Lock {
    /// Takes the lock or says who has it.
    pub(crate) fn take(dir: &Path) -> Result<Lock> {
        let path = dir.join("lock");
        let note = dir.join("holder");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = std::fs::read_to_string(&note).unwrap_or_default();
                let holder = if holder.is_empty() { "another process".to_string() } else { holder };
                return Err(Error::Locked { dir: dir.to_path_buf(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(io(&path)(error)),
        }
        let command: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
        // Held without a note is held all the same: a full disk has no room for one.
        if std::fs::write(&note, format!("process {} ({})", std::process::id(), command.join(" "))).is_err() {
            let _ = std::fs::remove_file(&note);
        }
        Ok(Lock { file, note })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nothing more can be done about a failure here: the system frees the lock with the process.
        let _ = std::fs::remove_file(&self.note);
        let _ = self.file.unlock();
    }
}

/// Whether the last process that had the index open was cut short; sled then recovers at opening, which takes seconds per GB.
pub(crate) fn was_interrupted(dir: &Path) -> bool {
    if !dir.join("holder").exists() {
        return false;
    }
    let held = File::options().write(true).open(dir.join("lock")).is_ok_and(|file| file.try_lock().is_err());
    !held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_without_a_note_too() {
        let dir = tempfile::tempdir().unwrap();
        // Nothing can be written where a folder is.
        std::fs::create_dir(dir.path().join("holder")).unwrap();
        let lock = Lock::take(dir.path()).unwrap();
        let Err(Error::Locked { holder, .. }) = Lock::take(dir.path()) else { panic!("it is held") };
        assert_eq!(holder, "another process");
        drop(lock);
    }
}
