//! Changes, each atomic: a crash leaves the state before or after it, never half a song.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::atomic::Ordering;

use sled::Batch;
use sled::transaction::{TransactionError, Transactional};

use super::values::{encode_contour, encode_song, encode_vectors, id_key, to_bytes};
use super::{Store, settle};
use crate::{Error, FileIdentity, FileRecord, Fingerprint, NewSong, Outcome, Result, Song, SongId, space};

/// Flushing each file would cost more than storing it.
const FLUSH_AFTER: u32 = 50;

/// sled writes a value again when its neighbours change.
const SPACE_PER_BYTE: u64 = 4;

/// What is going to be written, tree by tree.
#[derive(Default)]
struct Change {
    files: Batch,
    songs: Batch,
    contours: Batch,
    vectors: Batch,
    meta: Batch,
    /// Whether songs change, not only the record of a file.
    songs_differ: bool,
}

/// A song as bytes; its record follows when its id is known.
struct Encoded {
    song: Song,
    contour: Vec<u8>,
    vectors: Vec<u8>,
}

impl Store {
    /// Stores a file and its songs in place of what it held before; songs whose key it held before keep their id.
    pub(crate) fn put_file(
        &self,
        fingerprint: &Fingerprint,
        identity: &FileIdentity,
        songs: Vec<NewSong>,
    ) -> Result<Vec<SongId>> {
        let encoded = encode_all(fingerprint, identity, songs)?;
        let bytes: usize = encoded.iter().map(|song| song.contour.len() + song.vectors.len()).sum();
        space::ask_for(&self.path, space::RESERVE + SPACE_PER_BYTE * bytes as u64)?;
        let _writing = self.pause();
        let mut change = Change::default();
        let mut known = self.forget_songs_of(&identity.path, &mut change)?;
        let first_new = self.number("next_song")?;
        let mut next = first_new;
        let mut ids = Vec::with_capacity(encoded.len());
        for Encoded { mut song, contour, vectors } in encoded {
            song.id = match known.iter().position(|old| old.key == song.key) {
                Some(at) => known.swap_remove(at).id,
                None => {
                    next += 1;
                    SongId(next - 1)
                }
            };
            change.songs.insert(&id_key(song.id), encode_song(&song)?);
            change.contours.insert(&id_key(song.id), contour);
            change.vectors.insert(&id_key(song.id), vectors);
            change.songs_differ = true;
            ids.push(song.id);
        }
        if next != first_new {
            change.meta.insert("next_song", &next.to_le_bytes());
        }
        let record = FileRecord { identity: identity.clone(), outcome: Outcome::Indexed { songs: ids.clone() } };
        change.files.insert(identity.path.as_bytes(), to_bytes(&record)?);
        self.commit(change)?;
        for &id in &ids {
            settle(&self.vectors, &id_key(id))?;
        }
        Ok(ids)
    }

    /// Remembers that a file could not be indexed; whatever it held before goes.
    pub(crate) fn put_failure(&self, identity: &FileIdentity, reason: String, remedy: String) -> Result<()> {
        let _writing = self.pause();
        let mut change = Change::default();
        self.forget_songs_of(&identity.path, &mut change)?;
        let record = FileRecord { identity: identity.clone(), outcome: Outcome::Failed { reason, remedy } };
        change.files.insert(identity.path.as_bytes(), to_bytes(&record)?);
        self.commit(change)
    }

    /// Forgets a file and its songs; `false` if it was not known.
    pub(crate) fn remove_file(&self, path: &str) -> Result<bool> {
        let _writing = self.pause();
        if !self.files.contains_key(path)? {
            return Ok(false);
        }
        let mut change = Change::default();
        self.forget_songs_of(path, &mut change)?;
        change.files.remove(path);
        self.commit(change)?;
        Ok(true)
    }

    /// Forgets a song but not its file; `false` if it was not known.
    pub(crate) fn remove_song(&self, id: SongId) -> Result<bool> {
        let _writing = self.pause();
        let Some(song) = self.song(id)? else { return Ok(false) };
        let mut change = Change::default();
        change.remove_song(id);
        if let Some(mut record) = self.file(&song.file)? {
            if let Outcome::Indexed { songs } = &mut record.outcome {
                songs.retain(|&other| other != id);
            }
            change.files.insert(song.file.as_bytes(), to_bytes(&record)?);
        }
        self.commit(change)?;
        Ok(true)
    }

    /// Adds the removal of all songs of a file to `change` and returns those songs.
    fn forget_songs_of(&self, path: &str, change: &mut Change) -> Result<Vec<Song>> {
        let mut songs = Vec::new();
        if let Some(FileRecord { outcome: Outcome::Indexed { songs: ids }, .. }) = self.file(path)? {
            for id in ids {
                change.remove_song(id);
                songs.extend(self.song(id)?);
            }
        }
        Ok(songs)
    }

    fn commit(&self, mut change: Change) -> Result<()> {
        if change.songs_differ {
            change.meta.insert("generation", &(self.number("generation")? + 1).to_le_bytes());
        }
        let trees = (&self.files, &self.songs, &self.contours, &self.vectors, &self.meta);
        let transaction = || {
            trees.transaction(|(files, songs, contours, vectors, meta)| {
                files.apply_batch(&change.files)?;
                songs.apply_batch(&change.songs)?;
                contours.apply_batch(&change.contours)?;
                vectors.apply_batch(&change.vectors)?;
                meta.apply_batch(&change.meta)?;
                Ok(())
            })
        };
        self.written(|| {
            transaction().map_err(|error| match error {
                TransactionError::Abort::<Infallible>(never) => match never {},
                TransactionError::Storage(error) => error,
            })
        })?;
        if self.unflushed.fetch_add(1, Ordering::Relaxed) + 1 >= FLUSH_AFTER {
            self.flush()?;
        }
        Ok(())
    }
}

impl Change {
    fn remove_song(&mut self, id: SongId) {
        self.songs.remove(&id_key(id));
        self.contours.remove(&id_key(id));
        self.vectors.remove(&id_key(id));
        self.songs_differ = true;
    }
}

/// Validates and encodes the songs of a file; their ids are still to be given.
fn encode_all(fingerprint: &Fingerprint, identity: &FileIdentity, songs: Vec<NewSong>) -> Result<Vec<Encoded>> {
    let mut keys = HashSet::new();
    let mut encoded = Vec::with_capacity(songs.len());
    for NewSong { key, tags, contour, levels } in songs {
        let refuse = |reason: String| Error::InvalidSong { key: key.clone(), reason };
        if !keys.insert(key.clone()) {
            return Err(refuse("its file holds another song of that key".into()));
        }
        let contour_bytes = encode_contour(&contour).map_err(refuse)?;
        let vectors = encode_vectors(fingerprint, &levels).map_err(refuse)?;
        let windows = fingerprint
            .levels
            .iter()
            .map(|level| levels.iter().find(|w| w.steps == level.steps).map_or(0, |w| w.positions.len() as u32));
        let song = Song {
            id: SongId(0),
            tags,
            file: identity.path.clone(),
            steps: contour.len() as u32,
            windows: windows.collect(),
            key,
        };
        encoded.push(Encoded { song, contour: contour_bytes, vectors });
    }
    Ok(encoded)
}
