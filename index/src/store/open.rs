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
                path: path.to_path_buf(),
            })
        };
        match catch_unwind(AssertUnwindSafe(open)) {
            Ok(Ok(store)) => Ok(store),
            Ok(Err(sled::Error::Io(error))) if is_full(&error) => Err(crate::error::full(path, space::TO_OPEN)),
            Ok(Err(sled::Error::Io(cause))) if is_denied(&cause) => Err(Error::Io { path: path.to_path_buf(), cause }),
            Ok(Err(error)) => Err(Error::Damaged(format!("its database cannot be opened: {}", in_words(error)))),
            Err(_) => Err(Error::Damaged("its database cannot be read".to_string())),
        }
    }
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
    const PATIENCE: Duration = Duration::from_secs(10);
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
            Err(TryLockError::WouldBlock) => {
                let holder = "another part of this process".to_string();
                return Err(Error::Locked { dir: path.to_path_buf(), holder });
            }
        }
    }
}
