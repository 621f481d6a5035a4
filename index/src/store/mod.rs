//! The truth: a sled database.
//!
//! - `values`: how songs, contours and vectors look as bytes
//! - `change`: one atomic change over all trees
//! - this file: opening, reading

mod change;
mod values;

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::error::io;
use crate::{Error, FileRecord, Fingerprint, Result, Song, SongId, space};

pub(crate) use values::{LevelBytes, parse_vectors};

/// Format of what is stored; raised with every change that older versions could not read.
pub(crate) const SCHEMA: u32 = 2;

/// Size of sled's cache, as sled counts: a page kept in a file of its own, as those with vectors are, counts a few bytes
/// whatever its size. A larger cache would end up holding the whole database.
const CACHE_BYTES: u64 = 4096;

/// Size of a segment of sled's log. sled keeps 9 to 16 songs to a page and writes it anew as it fills; a page, or a song, of more than
/// a quarter of a segment goes to a file of its own, which is gone when the page is rewritten. In the log the dead pages of vectors
/// would stay: with segments of 256 kB a store takes 1.47 times the raw size (3000 full songs of 128 values a window), with 64 kB
/// 1.13 times, and smaller ones gain nothing more.
const SEGMENT_BYTES: usize = 64 << 10;

/// Which truth a derived file was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Drawn when the index is made: a derived file left behind by another index never fits.
    pub identity: u64,
    /// Raised with every change of songs.
    pub generation: u64,
}

/// The trees. `values` and `change` say what is in them.
pub(crate) struct Store {
    db: sled::Db,
    meta: sled::Tree,
    files: sled::Tree,
    songs: sled::Tree,
    contours: sled::Tree,
    vectors: sled::Tree,
    /// Changes are made one at a time.
    writer: Mutex<()>,
    unflushed: AtomicU32,
    /// Set when a write failed: sled would wait for ever for what never reaches the disk.
    broken: AtomicBool,
    path: PathBuf,
}

impl Store {
    /// Opens or makes the database; it may still lack a fingerprint.
    pub(crate) fn open(path: &Path) -> Result<Store> {
        wait_until_closed(path)?;
        std::fs::create_dir_all(path).map_err(io(path))?;
        space::ask_for(path, space::TO_OPEN)?;
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES).segment_size(SEGMENT_BYTES);
        // sled panics when its file is shorter than it says.
        let db = catch_unwind(AssertUnwindSafe(|| config.open()))
            .map_err(|_| Error::Damaged("its database cannot be read".to_string()))?;
        // The segments of format 1 were larger, and sled opens a database with its own size of segment only.
        if let Err(sled::Error::Unsupported(_)) = db {
            let dir = path.parent().unwrap_or(path).to_path_buf();
            return Err(Error::OtherVersion { dir, found: SCHEMA - 1, supported: SCHEMA });
        }
        let db = db?;
        Ok(Store {
            meta: db.open_tree("meta")?,
            files: db.open_tree("files")?,
            songs: db.open_tree("songs")?,
            contours: db.open_tree("contours")?,
            vectors: db.open_tree("vectors")?,
            db,
            writer: Mutex::new(()),
            unflushed: AtomicU32::new(0),
            broken: AtomicBool::new(false),
            path: path.to_path_buf(),
        })
    }

    /// Writes schema version, fingerprint and identity of a new index.
    pub(crate) fn initialise(&self, fingerprint: &Fingerprint) -> Result<()> {
        // Two indexes made in the same nanosecond in the same folder are no concern.
        let identity = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        let mut batch = sled::Batch::default();
        batch.insert("schema", &SCHEMA.to_le_bytes());
        batch.insert("fingerprint", values::to_bytes(fingerprint)?);
        batch.insert("identity", &identity.to_le_bytes());
        self.written(|| self.meta.apply_batch(batch))?;
        self.flush()
    }

    /// Schema version; `None` if the index was never initialised.
    pub(crate) fn schema(&self) -> Result<Option<u32>> {
        let Some(bytes) = self.meta.get("schema")? else { return Ok(None) };
        let bytes = bytes.as_ref().try_into().map_err(|_| Error::Damaged("its format version is unreadable".into()))?;
        Ok(Some(u32::from_le_bytes(bytes)))
    }

    pub(crate) fn fingerprint(&self) -> Result<Fingerprint> {
        let bytes = self.meta.get("fingerprint")?.ok_or_else(|| Error::Damaged("it does not say what made it".into()))?;
        let fingerprint: Fingerprint = values::from_bytes(&bytes, "fingerprint")?;
        fingerprint.validate()?;
        Ok(fingerprint)
    }

    pub(crate) fn stamp(&self) -> Result<Stamp> {
        Ok(Stamp { identity: self.number("identity")?, generation: self.number("generation")? })
    }

    /// A counter of the meta tree; 0 until it is written.
    fn number(&self, key: &str) -> Result<u64> {
        match self.meta.get(key)? {
            None => Ok(0),
            Some(bytes) => {
                let bytes = bytes.as_ref().try_into().map_err(|_| Error::Damaged(format!("its {key} is unreadable")))?;
                Ok(u64::from_le_bytes(bytes))
            }
        }
    }

    /// Makes everything that was put so far survive kill -9 and a loss of power.
    pub(crate) fn flush(&self) -> Result<()> {
        self.unflushed.store(0, Ordering::Relaxed);
        self.written(|| self.db.flush().map(|_| ()))
    }

    /// Runs something that writes, unless an earlier write failed.
    fn written<T>(&self, write: impl FnOnce() -> sled::Result<T>) -> Result<T> {
        if self.broken.load(Ordering::Acquire) {
            return Err(Error::Broken);
        }
        write().map_err(|error| {
            self.broken.store(true, Ordering::Release);
            error.into()
        })
    }

    /// Keeps changes waiting until the guard is dropped.
    pub(crate) fn pause(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn file(&self, path: &str) -> Result<Option<FileRecord>> {
        self.files.get(path)?.map(|bytes| values::from_bytes(&bytes, path)).transpose()
    }

    /// All files in order of path.
    pub(crate) fn files(&self) -> impl Iterator<Item = Result<FileRecord>> + use<> {
        self.files.iter().map(|entry| {
            let (key, bytes) = entry?;
            values::from_bytes(&bytes, &String::from_utf8_lossy(&key))
        })
    }

    pub(crate) fn song(&self, id: SongId) -> Result<Option<Song>> {
        self.songs.get(values::id_key(id))?.map(|bytes| values::decode_song(id, &bytes)).transpose()
    }

    /// All songs in order of id.
    pub(crate) fn songs(&self) -> impl Iterator<Item = Result<Song>> + use<> {
        self.songs.iter().map(|entry| {
            let (key, bytes) = entry?;
            values::decode_song(values::id_of(&key)?, &bytes)
        })
    }

    pub(crate) fn contour(&self, id: SongId) -> Result<Option<Vec<f32>>> {
        self.contours.get(values::id_key(id))?.map(|bytes| values::decode_contour(id, &bytes)).transpose()
    }

    /// The vectors of a song as bytes, for [`parse_vectors`].
    pub(crate) fn vectors(&self, id: SongId) -> Result<Option<sled::IVec>> {
        let bytes = self.vectors.get(values::id_key(id))?;
        settle(&self.vectors, &values::id_key(id))?;
        Ok(bytes)
    }

    /// Ids in the trees of contours and vectors: those of the songs, unless something is damaged.
    pub(crate) fn attached_ids(&self) -> impl Iterator<Item = Result<SongId>> + use<> {
        let trees = [self.contours.clone(), self.vectors.clone()];
        trees.into_iter().flat_map(|tree| {
            tree.iter().keys().map(move |key| {
                let key = key?;
                settle(&tree, &key)?;
                values::id_of(&key)
            })
        })
    }

    /// Copies every tree into the empty database `to`.
    pub(crate) fn copy_into(&self, to: &Store) -> Result<()> {
        const FLUSH_BYTES: usize = 32 << 20;
        let pairs = [
            (&self.files, &to.files),
            (&self.songs, &to.songs),
            (&self.contours, &to.contours),
            (&self.vectors, &to.vectors),
            // Last: a copy without its schema version is recognisably unfinished.
            (&self.meta, &to.meta),
        ];
        let mut pending = 0;
        for (from, to_tree) in pairs {
            for entry in from {
                let (key, value) = entry?;
                pending += value.len();
                to.written(|| to_tree.insert(&key, value))?;
                settle(from, &key)?;
                settle(to_tree, &key)?;
                if pending > FLUSH_BYTES {
                    to.flush()?;
                    pending = 0;
                }
            }
        }
        to.flush()
    }
}

/// Lets sled's cache shrink to its size after the page of `key` was read or written.
///
/// The cache looks at its size only after 64 accesses to one of its 256 parts; with pages of megabytes that is too late.
fn settle(tree: &sled::Tree, key: &[u8]) -> sled::Result<()> {
    const ACCESSES: usize = 64;
    for _ in 0..ACCESSES {
        tree.get(key)?;
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

impl Drop for Store {
    fn drop(&mut self) {
        match self.flush() {
            Ok(()) => {}
            // Closing would flush too; the database stays open until the process ends.
            Err(Error::Broken) => std::mem::forget(self.db.clone()),
            Err(error) => {
                tracing::error!(%error, "the last changes of the index may be lost");
                std::mem::forget(self.db.clone());
            }
        }
    }
}
