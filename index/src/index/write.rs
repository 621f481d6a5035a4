//! What can be changed. Each change is atomic: a crash leaves the state before or after it, never half a song.

use std::collections::HashSet;

use super::Index;
use crate::change::Change;
use crate::values::{self, ParkedFile, SongBytes, SongRecord, encode_contour, encode_vectors, to_bytes};
use crate::{Error, FileIdentity, FileRecord, Fingerprint, NewSong, Outcome, Result, SongId, Sound, Tags};

impl Index {
    /// Stores a file and its songs (none, one or many) in place of what it held before. A song whose key the file
    /// held before keeps its id. Returns the ids in the order of `songs`.
    ///
    /// # Errors
    /// [`Error::InvalidSong`], and nothing is stored, if a song cannot be: two equal keys, an absurd pitch, windows of an
    /// unknown length, vectors of the wrong length or not finite.
    pub fn put_file(&self, file: &FileIdentity, songs: Vec<NewSong>) -> Result<Vec<SongId>> {
        self.put_heard(file, None, songs)
    }

    /// As [`Index::put_file`], for a file by whose sound it can be recognised later.
    ///
    /// # Errors
    /// As [`Index::put_file`].
    pub fn put_heard(&self, file: &FileIdentity, sound: Option<Sound>, songs: Vec<NewSong>) -> Result<Vec<SongId>> {
        let songs = encode_all(self.fingerprint(), file, songs)?;
        self.put(file, sound, songs, |_, change| {
            // A file that was heard again is not gone.
            change.parked.push((file.path.clone(), None));
            Ok(())
        })
    }

    /// Remembers that a file could not be indexed, in place of what it held before.
    pub fn put_failure(&self, file: &FileIdentity, reason: impl Into<String>, remedy: impl Into<String>) -> Result<()> {
        let mut publisher = self.pause();
        let mut change = self.new_change()?;
        self.forget_songs_of(&file.path, &mut change)?;
        let outcome = Outcome::Failed { reason: reason.into(), remedy: remedy.into() };
        change.files.push(record(file, outcome, None)?);
        publisher.commit(&self.store, change)
    }

    /// Forgets a file and its songs; `false` if it was not known.
    pub fn remove_file(&self, path: &str) -> Result<bool> {
        let mut publisher = self.pause();
        let mut change = self.new_change()?;
        if self.store.parked(path)?.is_some() {
            change.parked.push((path.to_string(), None));
        }
        if self.store.file(path)?.is_some() {
            self.forget_songs_of(path, &mut change)?;
            change.files.push((path.to_string(), None));
        }
        if change.files.is_empty() && change.parked.is_empty() {
            return Ok(false);
        }
        publisher.commit(&self.store, change)?;
        Ok(true)
    }

    /// Forgets a song; `false` if it was not known. Its file stays known, so that the song does not come back before the file
    /// changes.
    pub fn remove_song(&self, id: SongId) -> Result<bool> {
        let mut publisher = self.pause();
        let Some(song) = self.store.record(id)? else { return Ok(false) };
        let mut change = self.new_change()?;
        change.songs.push((id, None));
        change.counters.vectors = change.counters.generation + 1;
        if let Some(mut file) = self.store.file(&song.file)? {
            if let Outcome::Indexed { songs } = &mut file.outcome {
                songs.retain(|&other| other != id);
            }
            change.files.push((song.file, Some(to_bytes(&file)?)));
        }
        publisher.commit(&self.store, change)?;
        Ok(true)
    }

    /// Takes a file that is gone out of the index, and keeps its songs aside in case it comes back; `false` if it was not known.
    /// A file that had failed is forgotten.
    pub fn park_file(&self, path: &str) -> Result<bool> {
        let mut publisher = self.pause();
        let Some(file) = self.store.file(path)? else { return Ok(false) };
        let mut change = self.new_change()?;
        if matches!(&file.outcome, Outcome::Indexed { songs } if !songs.is_empty()) && file.sound.is_some() {
            let parked = ParkedFile { songs: self.songs_of(path)?, record: to_bytes(&file)? };
            change.parked.push((path.to_string(), Some(parked.to_bytes()?)));
        }
        self.forget_songs_of(path, &mut change)?;
        change.files.push((path.to_string(), None));
        publisher.commit(&self.store, change)?;
        Ok(true)
    }

    /// Knows the file `from`, which may be gone, from now on as `to`: it has moved, or its tags have changed, or both; its songs
    /// keep their ids, and nothing is heard again. `tags` replaces title, artist and album where the file is one song; without it
    /// a title that was the old file's name becomes the new one's. `false` if `from` is not known or had failed.
    pub fn retell_file(&self, from: &str, to: &FileIdentity, tags: Option<&Tags>) -> Result<bool> {
        let mut publisher = self.pause();
        let mut change = self.new_change()?;
        let (file, songs) = match self.store.parked(from)? {
            Some(bytes) => {
                let parked = ParkedFile::parse(&bytes)?;
                change.parked.push((from.to_string(), None));
                change.counters.vectors = change.counters.generation + 1;
                (values::from_bytes::<FileRecord>(&parked.record, from)?, parked.songs)
            }
            None => match self.store.file(from)? {
                Some(file) if matches!(file.outcome, Outcome::Indexed { .. }) => (file, self.songs_of(from)?),
                _ => return Ok(false),
            },
        };
        if from != to.path {
            // Where another file lay before, its songs go.
            self.forget_songs_of(&to.path, &mut change)?;
            change.files.push((from.to_string(), None));
        }
        let mut ids = Vec::with_capacity(songs.len());
        for (id, song) in songs {
            ids.push(id);
            change.songs.push((id, Some(retold(id, song, from, &to.path, tags)?)));
        }
        change.files.push(record(to, Outcome::Indexed { songs: ids }, file.sound)?);
        publisher.commit(&self.store, change)?;
        Ok(true)
    }

    /// Knows the file `to`, which sounds as the file `from` does, without hearing it: its songs are copies of that one's, under
    /// ids of their own. `tags` as for [`Index::retell_file`]. `false` if `from` is not known or had failed.
    pub fn copy_file(&self, from: &str, to: &FileIdentity, tags: Option<&Tags>) -> Result<bool> {
        let (file, songs) = match self.store.file(from)? {
            Some(file) if matches!(file.outcome, Outcome::Indexed { .. }) => (file, self.songs_of(from)?),
            _ => return Ok(false),
        };
        let songs = songs.into_iter().map(|(id, song)| retold(id, song, from, &to.path, tags)).collect::<Result<Vec<_>>>()?;
        self.put(to, file.sound, songs, |_, _| Ok(()))?;
        Ok(true)
    }

    /// Remembers what a file sounds like that was indexed without that; `false` if the file is not known.
    pub fn set_sound(&self, path: &str, sound: Sound) -> Result<bool> {
        let mut publisher = self.pause();
        let Some(file) = self.store.file(path)? else { return Ok(false) };
        let mut change = self.new_change()?;
        change.files.push(record(&file.identity, file.outcome, Some(sound))?);
        publisher.commit(&self.store, change)?;
        Ok(true)
    }

    /// Forgets all files that are kept aside because they are gone; how many these were.
    pub fn forget_parked(&self) -> Result<usize> {
        let mut publisher = self.pause();
        let mut change = self.new_change()?;
        for entry in self.store.all_parked() {
            change.parked.push((entry?.0, None));
        }
        let count = change.parked.len();
        if count > 0 {
            publisher.commit(&self.store, change)?;
        }
        Ok(count)
    }

    fn put(
        &self,
        file: &FileIdentity,
        sound: Option<Sound>,
        songs: Vec<SongBytes>,
        more: impl FnOnce(&Index, &mut Change) -> Result<()>,
    ) -> Result<Vec<SongId>> {
        let mut publisher = self.pause();
        let mut change = self.new_change()?;
        let mut known = self.forget_songs_of(&file.path, &mut change)?;
        let mut ids = Vec::with_capacity(songs.len());
        for song in songs {
            let key = SongRecord::parse(SongId(0), &song.record)?.key;
            let id = match known.iter().position(|(_, old)| *old == key) {
                Some(at) => known.swap_remove(at).0,
                None => {
                    change.counters.next_song += 1;
                    SongId(change.counters.next_song - 1)
                }
            };
            change.songs.push((id, Some(song)));
            ids.push(id);
        }
        if !change.songs.is_empty() {
            change.counters.vectors = change.counters.generation + 1;
        }
        change.files.push(record(file, Outcome::Indexed { songs: ids.clone() }, sound)?);
        more(self, &mut change)?;
        // What is not there need not be forgotten.
        let mut there = Vec::new();
        for (path, bytes) in std::mem::take(&mut change.parked) {
            if bytes.is_some() || self.store.parked(&path)?.is_some() {
                there.push((path, bytes));
            }
        }
        change.parked = there;
        publisher.commit(&self.store, change)?;
        Ok(ids)
    }

    fn new_change(&self) -> Result<Change> {
        Ok(Change { counters: self.store.counters()?, ..Change::default() })
    }

    /// Adds the removal of all songs of a file to `change` and returns their ids and keys.
    fn forget_songs_of(&self, path: &str, change: &mut Change) -> Result<Vec<(SongId, String)>> {
        let mut songs = Vec::new();
        if let Some(FileRecord { outcome: Outcome::Indexed { songs: ids }, .. }) = self.store.file(path)? {
            for id in ids {
                change.songs.push((id, None));
                change.counters.vectors = change.counters.generation + 1;
                songs.extend(self.store.record(id)?.map(|record| (id, record.key)));
            }
        }
        Ok(songs)
    }

    fn songs_of(&self, path: &str) -> Result<Vec<(SongId, SongBytes)>> {
        let mut songs = Vec::new();
        if let Some(FileRecord { outcome: Outcome::Indexed { songs: ids }, .. }) = self.store.file(path)? {
            for id in ids {
                songs.extend(self.store.song_bytes(id)?.map(|song| (id, song)));
            }
        }
        Ok(songs)
    }
}

fn record(file: &FileIdentity, outcome: Outcome, sound: Option<Sound>) -> Result<(String, Option<Vec<u8>>)> {
    let bytes = to_bytes(&FileRecord { identity: file.clone(), outcome, sound })?;
    Ok((file.path.clone(), Some(bytes)))
}

/// A song of a file that is called otherwise now.
fn retold(id: SongId, song: SongBytes, from: &str, to: &str, tags: Option<&Tags>) -> Result<SongBytes> {
    let mut record = SongRecord::parse(id, &song.record)?;
    let whole_file = record.key == from;
    if let Some(rest) = record.key.strip_prefix(from) {
        record.key = format!("{to}{rest}");
    }
    record.file = to.to_string();
    match tags {
        Some(tags) if whole_file => {
            let duration = record.tags.duration;
            record.tags = Tags { duration, ..tags.clone() };
        }
        _ => {
            if let Some(rest) = record.tags.title.as_deref().and_then(|title| title.strip_prefix(&stem(from))) {
                record.tags.title = Some(format!("{}{rest}", stem(to)));
            }
        }
    }
    SongBytes::new(record, song.contour, song.vectors)
}

/// The name of a file without folder and extension.
fn stem(path: &str) -> String {
    std::path::Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Validates and encodes the songs of a file; their ids are still to be given.
fn encode_all(fingerprint: &Fingerprint, identity: &FileIdentity, songs: Vec<NewSong>) -> Result<Vec<SongBytes>> {
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
        let record = SongRecord {
            tags,
            file: identity.path.clone(),
            steps: contour.len() as u32,
            windows: windows.collect(),
            key,
            contour_sum: 0,
            vectors_sum: 0,
        };
        encoded.push(SongBytes::new(record, contour_bytes, vectors)?);
    }
    Ok(encoded)
}
