//! The truth: a sled database.
//!
//! - `open`: opening it, whatever state it is in
//! - this file: one atomic change over all trees, reading

mod open;

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sled::Batch;
use sled::transaction::{TransactionError, Transactional};

use crate::change::{Change, Counters};
use crate::failpoint;
use crate::values::{self, SongBytes, SongRecord, id_key};
use crate::{Error, FileRecord, Fingerprint, Result, SongId};

pub(crate) use open::{remove_side_files, wait_until_closed};

/// Format of what is stored; raised with every change that older versions could not read.
pub(crate) const SCHEMA: u32 = 3;

/// Which truth a derived file was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Drawn when the index is made: a derived file left behind by another index never fits.
    pub identity: u64,
    /// [`Counters::generation`], or for a graph [`Counters::vectors`].
    pub generation: u64,
}

/// The trees. `values` says what is in them.
pub(crate) struct Store {
    db: sled::Db,
    meta: sled::Tree,
    files: sled::Tree,
    songs: sled::Tree,
    contours: sled::Tree,
    vectors: sled::Tree,
    parked: sled::Tree,
    /// Set when a write failed: sled would wait for ever for what never reaches the disk.
    broken: AtomicBool,
    /// Whether something was written since the last flush.
    unflushed: AtomicBool,
    path: PathBuf,
}

/// What goes with an index from copy to copy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Birth {
    pub identity: u64,
    pub fingerprint: Fingerprint,
}

impl Birth {
    /// Of an index that is made now.
    pub(crate) fn now(fingerprint: &Fingerprint) -> Birth {
        // Two indexes made in the same nanosecond in the same folder are no concern.
        let identity = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
        Birth { identity, fingerprint: fingerprint.clone() }
    }
}

impl Store {
    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what every copy of the index has in common. The schema goes last: without it a database is recognisably unfinished.
    pub(crate) fn initialise(&self, birth: &Birth, counters: Counters) -> Result<()> {
        let mut batch = Batch::default();
        batch.insert("fingerprint", values::to_bytes(&birth.fingerprint)?);
        batch.insert("identity", &birth.identity.to_le_bytes());
        batch.insert("counters", values::to_bytes(&counters)?);
        batch.insert("schema", &SCHEMA.to_le_bytes());
        self.written(|| self.meta.apply_batch(batch))?;
        self.flush()
    }

    /// Schema version; `None` if the index was never initialised.
    pub(crate) fn schema(&self) -> Result<Option<u32>> {
        let Some(bytes) = self.get(&self.meta, b"schema")? else { return Ok(None) };
        let bytes = bytes.as_ref().try_into().map_err(|_| Error::Damaged("its format version is unreadable".into()))?;
        Ok(Some(u32::from_le_bytes(bytes)))
    }

    /// What it was made with.
    pub(crate) fn birth(&self) -> Result<Birth> {
        let bytes = self.get(&self.meta, b"fingerprint")?.ok_or_else(|| Error::Damaged("it does not say what made it".into()))?;
        let fingerprint: Fingerprint = values::from_bytes(&bytes, "fingerprint")?;
        fingerprint.validate()?;
        Ok(Birth { identity: self.number("identity")?, fingerprint })
    }

    /// A number that is alone under its key; 0 until it is written.
    pub(crate) fn number(&self, key: &str) -> Result<u64> {
        match self.get(&self.meta, key.as_bytes())? {
            None => Ok(0),
            Some(bytes) => {
                let bytes = bytes.as_ref().try_into().map_err(|_| Error::Damaged(format!("its {key} is unreadable")))?;
                Ok(u64::from_le_bytes(bytes))
            }
        }
    }

    pub(crate) fn counters(&self) -> Result<Counters> {
        self.get(&self.meta, b"counters")?.map_or(Ok(Counters::default()), |bytes| values::from_bytes(&bytes, "counters"))
    }

    /// Carries out a change, all of it or nothing.
    pub(crate) fn apply(&self, change: &Change) -> Result<()> {
        let [mut files, mut songs, mut contours, mut vectors, mut parked, mut meta]: [Batch; 6] = Default::default();
        let put = |batch: &mut Batch, (path, bytes): &(String, Option<Vec<u8>>)| match bytes {
            Some(bytes) => batch.insert(path.as_bytes(), &bytes[..]),
            None => batch.remove(path.as_bytes()),
        };
        change.files.iter().for_each(|file| put(&mut files, file));
        change.parked.iter().for_each(|file| put(&mut parked, file));
        for (id, song) in &change.songs {
            let key = id_key(*id);
            match song {
                Some(song) => {
                    songs.insert(&key, &song.record[..]);
                    contours.insert(&key, &song.contour[..]);
                    vectors.insert(&key, &song.vectors[..]);
                }
                None => [&mut songs, &mut contours, &mut vectors].into_iter().for_each(|batch| batch.remove(&key)),
            }
        }
        meta.insert("counters", values::to_bytes(&change.counters)?);
        let trees = (&self.files, &self.songs, &self.contours, &self.vectors, &self.parked, &self.meta);
        let transaction = || {
            trees.transaction(|(in_files, in_songs, in_contours, in_vectors, in_parked, in_meta)| {
                in_files.apply_batch(&files)?;
                in_songs.apply_batch(&songs)?;
                in_contours.apply_batch(&contours)?;
                in_vectors.apply_batch(&vectors)?;
                in_parked.apply_batch(&parked)?;
                in_meta.apply_batch(&meta)?;
                Ok(())
            })
        };
        self.written(|| {
            failpoint::point("store.apply")?;
            transaction().map_err(|error| match error {
                TransactionError::Abort::<Infallible>(never) => match never {},
                TransactionError::Storage(error) => error,
            })
        })?;
        for (id, _) in change.songs.iter().filter(|(_, song)| song.is_some()) {
            settle(&self.vectors, &id_key(*id))?;
        }
        Ok(())
    }

    /// Makes everything that was put so far survive kill -9 and a loss of power.
    pub(crate) fn flush(&self) -> Result<()> {
        self.written(|| {
            failpoint::point("store.flush")?;
            self.db.flush().map(|_| ())
        })?;
        self.unflushed.store(false, Ordering::Release);
        Ok(())
    }

    /// Runs something that writes, unless an earlier write failed.
    fn written<T>(&self, write: impl FnOnce() -> sled::Result<T>) -> Result<T> {
        if self.broken.load(Ordering::Acquire) {
            return Err(Error::Broken);
        }
        self.unflushed.store(true, Ordering::Release);
        self.guarded(write).inspect_err(|_| self.broken.store(true, Ordering::Release))
    }

    /// Whether a write has failed, after which the database cannot be closed.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    fn get(&self, tree: &sled::Tree, key: &[u8]) -> Result<Option<sled::IVec>> {
        self.guarded(|| tree.get(key))
    }

    /// Runs something of sled, which panics where its files are not as it left them.
    fn guarded<T>(&self, run: impl FnOnce() -> sled::Result<T>) -> Result<T> {
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(outcome) => outcome.map_err(|error| Error::of_store(error, &self.path)),
            Err(_) => {
                self.broken.store(true, Ordering::Release);
                Err(Error::Damaged("its database cannot be read".to_string()))
            }
        }
    }

    pub(crate) fn file(&self, path: &str) -> Result<Option<FileRecord>> {
        self.get(&self.files, path.as_bytes())?.map(|bytes| values::from_bytes(&bytes, path)).transpose()
    }

    /// Records of all files as bytes, in order of path.
    pub(crate) fn file_bytes(&self) -> impl Iterator<Item = Result<(String, Vec<u8>)>> + use<> {
        texts(&self.files)
    }

    /// A file that is gone, with its songs, as bytes.
    pub(crate) fn parked(&self, path: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.get(&self.parked, path.as_bytes())?.map(|bytes| bytes.to_vec()))
    }

    /// All files that are gone, as bytes, in order of path.
    pub(crate) fn all_parked(&self) -> impl Iterator<Item = Result<(String, Vec<u8>)>> + use<> {
        texts(&self.parked)
    }

    pub(crate) fn record(&self, id: SongId) -> Result<Option<SongRecord>> {
        self.get(&self.songs, &id_key(id))?.map(|bytes| SongRecord::parse(id, &bytes)).transpose()
    }

    /// Records of all songs as bytes, in order of id.
    pub(crate) fn records(&self) -> impl Iterator<Item = Result<(SongId, sled::IVec)>> + use<> {
        entries(&self.songs).map(|entry| {
            let (key, bytes) = entry?;
            Ok((values::id_of(&key)?, bytes))
        })
    }

    pub(crate) fn contour(&self, id: SongId) -> Result<Option<Vec<f32>>> {
        self.get(&self.contours, &id_key(id))?.map(|bytes| values::decode_contour(id, &bytes)).transpose()
    }

    /// All of a song, as its checksums say; `None` if there is no record of it.
    pub(crate) fn song_bytes(&self, id: SongId) -> Result<Option<SongBytes>> {
        let key = id_key(id);
        let Some(record) = self.get(&self.songs, &key)? else { return Ok(None) };
        let missing = |what: &str| Error::Damaged(format!("the {what} of song {id} are missing"));
        let contour = self.get(&self.contours, &key)?.ok_or_else(|| missing("pitches"))?;
        let vectors = self.get(&self.vectors, &key)?.ok_or_else(|| missing("vectors"))?;
        self.guarded(|| settle(&self.vectors, &key))?;
        let song = SongBytes { record: record.to_vec(), contour: contour.to_vec(), vectors: vectors.to_vec() };
        song.check(id)?;
        Ok(Some(song))
    }

    /// Ids in the trees of contours and vectors: those of the songs, unless something is damaged.
    pub(crate) fn attached_ids(&self) -> impl Iterator<Item = Result<SongId>> + use<> {
        let trees = [self.contours.clone(), self.vectors.clone()];
        trees.into_iter().flat_map(|tree| {
            entries(&tree).map(move |entry| {
                let (key, _) = entry?;
                settle(&tree, &key)?;
                values::id_of(&key)
            })
        })
    }

    /// The raw trees of files, songs, contours and vectors, for what older versions stored.
    pub(crate) fn trees(&self) -> [&sled::Tree; 4] {
        [&self.files, &self.songs, &self.contours, &self.vectors]
    }
}

/// All entries of a tree up to the first that cannot be read, that one included.
fn entries(tree: &sled::Tree) -> impl Iterator<Item = Result<(sled::IVec, sled::IVec)>> + use<> {
    let mut entries = Some(tree.iter());
    std::iter::from_fn(move || {
        let next = catch_unwind(AssertUnwindSafe(|| entries.as_mut().and_then(Iterator::next)));
        let entry = match next {
            Ok(entry) => entry?.map_err(Error::from),
            Err(_) => Err(Error::Damaged("its database cannot be read".to_string())),
        };
        if entry.is_err() {
            // Dropping an iterator that has panicked may panic again.
            std::mem::forget(entries.take());
        }
        Some(entry)
    })
}

fn texts(tree: &sled::Tree) -> impl Iterator<Item = Result<(String, Vec<u8>)>> + use<> {
    entries(tree).map(|entry| {
        let (key, bytes) = entry?;
        let path = String::from_utf8(key.to_vec()).map_err(|_| Error::Damaged("a file's path is unreadable".into()))?;
        Ok((path, bytes.to_vec()))
    })
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

impl Drop for Store {
    fn drop(&mut self) {
        if !self.unflushed.load(Ordering::Acquire) && !self.is_broken() {
            return;
        }
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
