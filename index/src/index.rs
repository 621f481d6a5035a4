//! An index: a folder with a sled database and what is derived from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::lock::{self, Lock};
use crate::scan::{self, ScanFile};
use crate::store::{SCHEMA, Stamp, Store};
use crate::{
    Error, FileIdentity, FileRecord, Fingerprint, Hnsw, NewSong, Result, Snapshot, Song, SongId, care, first_stage::graph,
};

/// An open index. One process at a time; within it, all methods can be called from any thread.
///
/// What `put_file` and its siblings have written survives kill -9 once [`Index::flush`] has returned; it is also called
/// every 50 changes, and when the index is dropped.
pub struct Index {
    dir: PathBuf,
    fingerprint: Fingerprint,
    // Dropped before the lock.
    store: Arc<Store>,
    _lock: Lock,
}

impl Index {
    /// Opens the index in `dir`, or makes one there, for the models and windows of `fingerprint`.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process has it open, [`Error::OtherVersion`] or [`Error::OtherModels`] if it was made
    /// differently, [`Error::InvalidFingerprint`].
    pub fn open(dir: &Path, fingerprint: &Fingerprint) -> Result<Index> {
        fingerprint.validate()?;
        std::fs::create_dir_all(dir).map_err(crate::error::io(dir))?;
        let lock = Lock::take(dir)?;
        care::finish_compaction(dir)?;
        let store = Store::open(&store_path(dir))?;
        if store.schema()?.is_none() {
            store.initialise(fingerprint)?;
        }
        let index = Index::new(dir, store, lock)?;
        index.check_models(fingerprint)?;
        Ok(index)
    }

    /// Opens an index that is there, whatever models it was made with.
    ///
    /// # Errors
    /// As for [`Index::open`]; [`Error::NotFound`] if there is none.
    pub fn open_existing(dir: &Path) -> Result<Index> {
        if !Index::exists(dir) {
            return Err(Error::NotFound(dir.to_path_buf()));
        }
        let lock = Lock::take(dir)?;
        care::finish_compaction(dir)?;
        Index::reopen(dir, lock)
    }

    /// Whether there is an index in `dir`.
    pub fn exists(dir: &Path) -> bool {
        store_path(dir).exists() || care::compaction_pending(dir)
    }

    /// Whether the last process that had the index open was cut short. Opening then recovers first, which takes seconds per GB:
    /// worth a word to the user.
    pub fn was_interrupted(dir: &Path) -> bool {
        lock::was_interrupted(dir)
    }

    fn new(dir: &Path, store: Store, lock: Lock) -> Result<Index> {
        let found = store.schema()?.ok_or_else(|| Error::NotFound(dir.to_path_buf()))?;
        if found != SCHEMA {
            return Err(Error::OtherVersion { dir: dir.to_path_buf(), found, supported: SCHEMA });
        }
        let fingerprint = store.fingerprint()?;
        Ok(Index { dir: dir.to_path_buf(), fingerprint, store: Arc::new(store), _lock: lock })
    }

    /// Refuses with [`Error::OtherModels`] unless the index was made with exactly these models and windows.
    pub fn check_models(&self, wanted: &Fingerprint) -> Result<()> {
        match self.fingerprint.difference(wanted) {
            None => Ok(()),
            Some(difference) => Err(Error::OtherModels { dir: self.dir.clone(), difference }),
        }
    }

    /// What the index was made with.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Stores a file and its songs (none, one or many) in place of what it held before, atomically. A song whose key the file
    /// held before keeps its id. Returns the ids in the order of `songs`.
    ///
    /// # Errors
    /// [`Error::InvalidSong`], and nothing is stored, if a song cannot be: two equal keys, an absurd pitch, windows of an
    /// unknown length, vectors of the wrong length or not finite.
    pub fn put_file(&self, file: &FileIdentity, songs: Vec<NewSong>) -> Result<Vec<SongId>> {
        self.store.put_file(&self.fingerprint, file, songs)
    }

    /// Remembers that a file could not be indexed, in place of what it held before.
    pub fn put_failure(&self, file: &FileIdentity, reason: impl Into<String>, remedy: impl Into<String>) -> Result<()> {
        self.store.put_failure(file, reason.into(), remedy.into())
    }

    /// Forgets a file and its songs; `false` if it was not known.
    pub fn remove_file(&self, path: &str) -> Result<bool> {
        self.store.remove_file(path)
    }

    /// Forgets a song; `false` if it was not known. Its file stays known, so that the song does not come back before the file
    /// changes.
    pub fn remove_song(&self, id: SongId) -> Result<bool> {
        self.store.remove_song(id)
    }

    /// Makes everything that was stored so far survive kill -9 and a loss of power.
    pub fn flush(&self) -> Result<()> {
        self.store.flush()
    }

    /// What is known about a file.
    pub fn file(&self, path: &str) -> Result<Option<FileRecord>> {
        self.store.file(path)
    }

    /// All files, in order of path.
    pub fn files(&self) -> impl Iterator<Item = Result<FileRecord>> + use<> {
        self.store.files()
    }

    /// A song.
    pub fn song(&self, id: SongId) -> Result<Option<Song>> {
        self.store.song(id)
    }

    /// All songs, in order of id.
    pub fn songs(&self) -> impl Iterator<Item = Result<Song>> + use<> {
        self.store.songs()
    }

    /// The contour of a song: MIDI pitch per 100 ms, 0 = unvoiced.
    pub fn contour(&self, id: SongId) -> Result<Option<Vec<f32>>> {
        self.store.contour(id)
    }

    /// Rebuilds the scan file if it is missing, damaged or older than the truth; `true` if it had to. Reads all vectors once.
    pub fn refresh(&self) -> Result<bool> {
        Ok(self.open_scan()?.1)
    }

    /// A picture of the index for searching; refreshes the scan file first if need be.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot::new(self.open_scan()?.0, Arc::clone(&self.store)))
    }

    /// The scan file of the present truth, and whether it had to be written.
    fn open_scan(&self) -> Result<(ScanFile, bool)> {
        let _still = self.store.pause();
        let path = self.scan_path();
        let state = match ScanFile::open(&path, &self.fingerprint, self.store.stamp()?) {
            Ok(scan) => return Ok((scan, false)),
            Err(state) => state,
        };
        // Flushed first: a crash must not take the truth back to an earlier state whose next change gets the same generation.
        self.store.flush()?;
        let stamp = self.store.stamp()?;
        tracing::debug!(%state, generation = stamp.generation, "writing the scan file");
        scan::write(&self.store, &self.fingerprint, stamp, &path)?;
        let scan = ScanFile::open(&path, &self.fingerprint, stamp)
            .map_err(|state| Error::Damaged(format!("the scan file was just written, and is {state}")))?;
        Ok((scan, true))
    }

    /// The HNSW graph of `snapshot`, if there is one that is whole and was built from just these vectors. Loading it takes
    /// seconds per 100 000 vectors.
    pub fn open_graph(&self, snapshot: &Snapshot) -> Result<Option<Hnsw>> {
        match graph::load(&self.graph_path(), snapshot) {
            Ok(hnsw) => Ok(Some(hnsw)),
            Err(state) => {
                tracing::debug!(%state, "the HNSW graph cannot be used");
                Ok(None)
            }
        }
    }

    /// Builds the HNSW graph of `snapshot` and stores it for [`Index::open_graph`]; `progress` gets the vectors done and in all.
    /// Takes milliseconds of CPU per vector.
    pub fn build_graph(&self, snapshot: &Snapshot, progress: impl FnMut(usize, usize)) -> Result<Hnsw> {
        graph::build(&self.graph_path(), snapshot, progress)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Closes the database and keeps the lock.
    pub(crate) fn into_lock(self) -> Lock {
        self._lock
    }

    pub(crate) fn reopen(dir: &Path, lock: Lock) -> Result<Index> {
        Index::new(dir, Store::open(&store_path(dir))?, lock)
    }

    pub(crate) fn stamp(&self) -> Result<Stamp> {
        self.store.stamp()
    }

    pub(crate) fn scan_path(&self) -> PathBuf {
        self.dir.join(scan::FILE_NAME)
    }

    pub(crate) fn graph_path(&self) -> PathBuf {
        self.dir.join(graph::FOLDER_NAME)
    }
}

pub(crate) fn store_path(dir: &Path) -> PathBuf {
    dir.join("sled")
}
