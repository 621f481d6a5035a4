//! Opening the database, and knowing when it is closed.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::Store;
use crate::error::{in_words, io, is_denied, is_full};
use crate::{Error, Result, space};

/// Size of sled's cache, as sled counts: a page kept in a file of its own, as those with vectors are, counts a few bytes
/// whatever its size. A larger cache would end up holding the whole database.
const CACHE_BYTES: u64 = 4096;

/// Size of a segment of sled's log. sled keeps 9 to 16 songs to a page and writes it anew as it fills; a page, or a song, of more than
/// a quarter of a segment goes to a file of its own, which is gone when the page is rewritten. In the log the dead pages of vectors
/// would stay: with segments of 256 kB a store takes 1.47 times the raw size (3000 full songs of 128 values a window), with 64 kB
/// 1.13 times, and smaller ones gain nothing more.
const SEGMENT_BYTES: usize = 64 << 10;

/// How long to wait for a database to be closed.
const PATIENCE: Duration = Duration::from_secs(10);

impl Store {
    /// Opens or makes the database; it may still lack a fingerprint.
    ///
    /// # Errors
    /// [`Error::Damaged`] if sled cannot read it, [`Error::DiskFull`] if there is no room to open it.
    pub(crate) fn open(path: &Path) -> Result<Store> {
        wait_until_closed(path)?;
        std::fs::create_dir_all(path).map_err(io(path))?;
        space::ask_for(path, space::TO_OPEN)?;
        // It is flushed when the journal was: the store never runs ahead of it.
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES).segment_size(SEGMENT_BYTES).flush_every_ms(None);
        // sled panics where its files are not as it left them.
        let open = || -> sled::Result<Store> {
            let db = config.open()?;
            Ok(Store {
                meta: db.open_tree("meta")?,
                files: db.open_tree("files")?,
                songs: db.open_tree("songs")?,
                contours: db.open_tree("contours")?,
                vectors: db.open_tree("vectors")?,
                parked: db.open_tree("parked")?,
                db,
                broken: AtomicBool::new(false),
                // Its trees may just have been made.
                unflushed: AtomicBool::new(true),
                path: path.to_path_buf(),
            })
        };
        let begin = Instant::now();
        let mut opened = catch_unwind(AssertUnwindSafe(open));
        while opened.as_ref().is_ok_and(|opened| opened.as_ref().is_err_and(is_locked)) {
            if begin.elapsed() > PATIENCE {
                return Err(still_open(path));
            }
            std::thread::sleep(Duration::from_millis(5));
            opened = catch_unwind(AssertUnwindSafe(open));
        }
        match opened {
            Ok(Ok(store)) => Ok(store),
            Ok(Err(sled::Error::Io(error))) if is_full(&error) => Err(crate::error::full(path, space::TO_OPEN)),
            Ok(Err(sled::Error::Io(cause))) if is_denied(&cause) => Err(Error::Io { path: path.to_path_buf(), cause }),
            Ok(Err(error)) => Err(Error::Damaged(format!("its database cannot be opened: {}", in_words(error)))),
            Err(_) => Err(Error::Damaged("its database cannot be read".to_string())),
        }
    }
}

/// Whether sled could not lock its file, which it says in words only. Nobody else has it open; but a child process that this one has
/// just begun holds what this one held, for a moment.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().starts_with("could not acquire lock"))
}

fn still_open(path: &Path) -> Error {
    Error::Locked { dir: path.to_path_buf(), holder: "another part of this process".to_string() }
}

/// Removes the files of sled that it makes anew from its log: its settings and its table of pages.
pub(crate) fn remove_side_files(path: &Path) -> Result<()> {
    for entry in std::fs::read_dir(path).map_err(io(path))?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == "conf" || name.starts_with("snap.") {
            std::fs::remove_file(entry.path()).map_err(io(&entry.path()))?;
        }
    }
    Ok(())
}

/// Waits until the threads of a database that this process has just dropped have let go of its files.
///
/// # Errors
/// [`Error::Locked`] after some seconds: something (an iterator over songs, say) still holds it.
pub(crate) fn wait_until_closed(path: &Path) -> Result<()> {
    let begin = Instant::now();
    let file = match File::open(path.join("db")) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(path)(error)),
    };
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(io(path)(error)),
            Err(TryLockError::WouldBlock) if begin.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
            Err(TryLockError::WouldBlock) => return Err(still_open(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was taken for damage, and all of the store made anew.
    #[test]
    fn a_lock_that_is_held_for_a_moment_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sled");
        drop(Store::open(&path).unwrap());
        wait_until_closed(&path).unwrap();
        let held = sled::Config::new().path(&path).segment_size(SEGMENT_BYTES).open().unwrap();
        assert!(is_locked(&sled::Config::new().path(&path).segment_size(SEGMENT_BYTES).open().unwrap_err()));
        let opened = std::thread::scope(|scope| {
            let opening = scope.spawn(|| Store::open(&path));
            std::thread::sleep(Duration::from_millis(50));
            drop(held);
            opening.join().unwrap()
        });
        assert!(opened.is_ok(), "{:?}", opened.err());
    }
}
