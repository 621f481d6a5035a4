//! An index, open for writing: a folder with a database, a snapshot of it that readers open, and the journal of what changed since.
//!
//! - `write`: what can be changed
//! - `publish`: durability, and the snapshot
//! - this file: opening, reading

mod publish;
#[cfg(test)]
mod tests;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use publish::Publisher;

use crate::lock::{self, Lock};
use crate::opening::{self, Mended, Opened};
use crate::store::{Birth, Store};
use crate::values::{self, ParkedFile};
use crate::{Error, FileRecord, Fingerprint, Result, Song, SongId, folder};

/// An index that is open for writing. One process at a time; within it, all methods can be called from any thread. Readers open
/// a [`crate::Snapshot`] instead, beside it.
///
/// What `put_file` and its siblings have written survives kill -9 and a loss of power once [`Index::flush`] has returned; it is
/// also called every 50 changes, and when the index is dropped. The snapshot is published after 1000 songs or a minute of changes,
/// and by [`Index::refresh`].
pub struct Index {
    dir: PathBuf,
    birth: Birth,
    mended: Mended,
    publisher: Mutex<Publisher>,
    // Dropped before the lock.
    store: Store,
    lock: Lock,
}

impl Index {
    /// Opens the index in `dir`, or makes one there, for the models and windows of `fingerprint`. What one of its copies has lost
    /// is put back from the other: see [`Index::mended`].
    ///
    /// # Errors
    /// [`Error::Locked`] if another process has it open, [`Error::OtherVersion`] or [`Error::OtherModels`] if it was made
    /// differently, [`Error::InvalidFingerprint`], [`Error::DiskFull`], [`Error::Lost`] if none of its copies can be read.
    pub fn open(dir: &Path, fingerprint: &Fingerprint) -> Result<Index> {
        fingerprint.validate()?;
        folder::create(dir)?;
        let lock = Lock::take(dir)?;
        let opened = match opening::open(dir, false)? {
            Some(opened) => opened,
            None => opening::create(dir, fingerprint)?,
        };
        let birth = opened.store.birth()?;
        birth.fingerprint.check(fingerprint, dir)?;
        Index::new(dir, birth, opened, lock)
    }

    /// Opens an index that is there, whatever models it was made with.
    ///
    /// # Errors
    /// As for [`Index::open`]; [`Error::NotFound`] if there is none.
    pub fn open_existing(dir: &Path) -> Result<Index> {
        Index::open_checked(dir, false)
    }

    /// As [`Index::open_existing`]; with `deep`, every song of the store is compared with its checksums.
    pub(crate) fn open_checked(dir: &Path, deep: bool) -> Result<Index> {
        if !Index::exists(dir) {
            return Err(Error::NotFound(dir.to_path_buf()));
        }
        let lock = Lock::take(dir)?;
        let opened = opening::open(dir, deep)?.ok_or_else(|| Error::NotFound(dir.to_path_buf()))?;
        Index::new(dir, opened.store.birth()?, opened, lock)
    }

    /// Whether there is an index in `dir`.
    pub fn exists(dir: &Path) -> bool {
        folder::holds_index(dir)
    }

    /// Whether the last process that had the index open was cut short. Opening then recovers first, which takes seconds per GB:
    /// worth a word to the user.
    pub fn was_interrupted(dir: &Path) -> bool {
        lock::was_interrupted(dir)
    }

    fn new(dir: &Path, birth: Birth, opened: Opened, lock: Lock) -> Result<Index> {
        let Opened { store, mended, published } = opened;
        let publisher = Mutex::new(Publisher::new(dir, &store, published)?);
        Ok(Index { dir: dir.to_path_buf(), birth, mended, publisher, store, lock })
    }

    /// What was found wrong, and put right, when the index was opened.
    pub fn mended(&self) -> &Mended {
        &self.mended
    }

    /// Refuses with [`Error::OtherModels`] unless the index was made with exactly these models and windows.
    pub fn check_models(&self, wanted: &Fingerprint) -> Result<()> {
        self.fingerprint().check(wanted, &self.dir)
    }

    /// What the index was made with.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.birth.fingerprint
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is known about a file.
    pub fn file(&self, path: &str) -> Result<Option<FileRecord>> {
        self.store.file(path)
    }

    /// All files, in order of path.
    pub fn files(&self) -> impl Iterator<Item = Result<FileRecord>> + use<> {
        self.store.file_bytes().map(|entry| {
            let (path, bytes) = entry?;
            values::from_bytes(&bytes, &path)
        })
    }

    /// Files that are gone and whose songs are kept in case they come back, in order of path.
    pub fn parked(&self) -> impl Iterator<Item = Result<FileRecord>> + use<> {
        self.store.all_parked().map(|entry| {
            let (path, bytes) = entry?;
            values::from_bytes(&ParkedFile::parse(&bytes)?.record, &path)
        })
    }

    /// A song.
    pub fn song(&self, id: SongId) -> Result<Option<Song>> {
        Ok(self.store.record(id)?.map(|record| record.into_song(id)))
    }

    /// All songs, in order of id.
    pub fn songs(&self) -> impl Iterator<Item = Result<Song>> + use<> {
        self.store.records().map(|entry| {
            let (id, bytes) = entry?;
            Ok(values::SongRecord::parse(id, &bytes)?.into_song(id))
        })
    }

    /// The contour of a song: MIDI pitch per 100 ms, 0 = unvoiced.
    pub fn contour(&self, id: SongId) -> Result<Option<Vec<f32>>> {
        self.store.contour(id)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Keeps changes waiting until the guard is dropped.
    pub(crate) fn pause(&self) -> MutexGuard<'_, Publisher> {
        self.publisher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its database and the lock of its folder.
    pub(crate) fn into_parts(self) -> (Store, Lock) {
        (self.store, self.lock)
    }

    /// Of a store whose snapshot has been published.
    pub(crate) fn of_parts(dir: &Path, store: Store, lock: Lock) -> Result<Index> {
        let opened = Opened { store, mended: Mended::default(), published: true };
        Index::new(dir, opened.store.birth()?, opened, lock)
    }
}
