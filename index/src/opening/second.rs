//! The second copy of everything: the snapshot, and the journal of what changed since.

use std::collections::BTreeMap;
use std::path::Path;

use crate::change::{Change, Counters};
use crate::derived::Derived;
use crate::journal::{self, Entry, EntryHead};
use crate::snapshot::SnapshotFile;
use crate::store::Birth;
use crate::values::{self, SongBytes};
use crate::{FileRecord, Result, SongId, folder};

/// A snapshot with the journal laid over it.
pub(crate) struct SecondCopy {
    /// `None` if there is none that can be read; `snapshot_state` says why.
    pub snapshot: Option<SnapshotFile>,
    /// What is wrong with the snapshot; [`Derived::Current`] if nothing.
    pub snapshot_state: Derived,
    /// What is wrong with the journal, if it cannot be read.
    pub journal_state: Derived,
    /// Changes after the snapshot, in order.
    pub changes: Vec<Change>,
    /// Changes after the snapshot of which the journal knows only the heads, in order.
    pub unreadable: Vec<EntryHead>,
    /// Whether the changes follow the snapshot, and one another, without a gap.
    pub unbroken: bool,
    songs: BTreeMap<SongId, Option<SongBytes>>,
    files: BTreeMap<String, Option<Vec<u8>>>,
    parked: BTreeMap<String, Option<Vec<u8>>>,
}

impl SecondCopy {
    /// Reads what there is in the folder of an index, all of it: the checksums of the snapshot too.
    pub(crate) fn read(dir: &Path) -> SecondCopy {
        let (snapshot, snapshot_state) = match SnapshotFile::open(&folder::snapshot(dir)) {
            Ok(file) => {
                let state = file.check_deep();
                (Some(file), state)
            }
            Err(state) => (None, state),
        };
        let (contents, journal_state) = match journal::read(&folder::journal(dir)) {
            Ok(Some(contents)) => (Some(contents), Derived::Current),
            Ok(None) => (None, Derived::Missing),
            Err(reason) => (None, Derived::Damaged(reason)),
        };
        let since = snapshot.as_ref().map(SnapshotFile::counters).unwrap_or_default().generation;
        let identity = snapshot.as_ref().map(|s| s.birth().identity);
        let mut second = SecondCopy {
            snapshot,
            snapshot_state,
            journal_state,
            changes: Vec::new(),
            unreadable: Vec::new(),
            unbroken: true,
            songs: BTreeMap::new(),
            files: BTreeMap::new(),
            parked: BTreeMap::new(),
        };
        if let Some(contents) = contents {
            if identity.is_some_and(|identity| identity != contents.identity) {
                second.journal_state = Derived::Damaged("it belongs to another index".to_string());
            } else {
                second.unbroken = contents.base <= since;
                second.lay_over(contents.entries, since);
            }
        }
        second
    }

    fn lay_over(&mut self, entries: Vec<Entry>, since: u64) {
        let mut last = since;
        for Entry { head, change } in entries {
            if head.generation <= since {
                continue;
            }
            self.unbroken &= head.generation == last + 1 && change.is_some();
            last = head.generation;
            let Some(change) = change else {
                self.unreadable.push(head);
                continue;
            };
            self.songs.extend(change.songs.iter().cloned());
            self.files.extend(change.files.iter().cloned());
            self.parked.extend(change.parked.iter().cloned());
            self.changes.push(change);
        }
    }

    /// Whether there is none, nor what is left of one.
    pub(crate) fn is_missing(&self) -> bool {
        self.snapshot_state == Derived::Missing && self.changes.is_empty() && !matches!(self.journal_state, Derived::Damaged(_))
    }

    /// Whether it holds the state that it claims to, nothing left out.
    pub(crate) fn is_complete(&self) -> bool {
        self.snapshot.is_some() && self.unbroken && self.journal_state == Derived::Current
    }

    /// What the index was made with, if there is a snapshot to say so.
    pub(crate) fn birth(&self) -> Option<Birth> {
        self.snapshot.as_ref().map(SnapshotFile::birth)
    }

    /// Its newest state.
    pub(crate) fn counters(&self) -> Counters {
        let of_snapshot = self.snapshot.as_ref().map(SnapshotFile::counters).unwrap_or_default();
        self.changes.last().map_or(of_snapshot, |change| change.counters)
    }

    /// Whether nothing has changed since the snapshot.
    pub(crate) fn is_published(&self) -> bool {
        self.changes.is_empty() && self.unreadable.is_empty()
    }

    /// Records of all songs as bytes, in order of id.
    pub(crate) fn records(&self) -> Vec<(SongId, &[u8])> {
        let mut records: BTreeMap<SongId, &[u8]> = BTreeMap::new();
        if let Some(snapshot) = &self.snapshot {
            let song = |ordinal| Some((snapshot.song_id(ordinal)?, snapshot.record_bytes(ordinal)?));
            records.extend((0..snapshot.songs()).filter_map(song));
        }
        for (id, song) in &self.songs {
            match song {
                Some(song) => records.insert(*id, &song.record),
                None => records.remove(id),
            };
        }
        records.into_iter().collect()
    }

    /// All of a song, as its checksums say; `None` if it is not there.
    pub(crate) fn song(&self, id: SongId) -> Result<Option<SongBytes>> {
        if let Some(song) = self.songs.get(&id) {
            return Ok(song.clone());
        }
        let Some((snapshot, ordinal)) = self.snapshot.as_ref().and_then(|s| Some((s, s.ordinal(id)?))) else { return Ok(None) };
        snapshot.song_bytes(ordinal).map(Some)
    }

    /// Records of all files as bytes, by path.
    pub(crate) fn files(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut files = BTreeMap::new();
        if let Some(snapshot) = &self.snapshot {
            for at in 0..snapshot.files() {
                files.insert(snapshot.file(at)?.identity.path, snapshot.file_bytes(at).unwrap_or_default().to_vec());
            }
        }
        overlay(&mut files, &self.files);
        Ok(files)
    }

    /// Files that are gone, with their songs, as bytes, by path. What is damaged is left out: it is kept in case it comes back only.
    pub(crate) fn parked(&self) -> BTreeMap<String, Vec<u8>> {
        let mut parked = BTreeMap::new();
        if let Some(snapshot) = &self.snapshot {
            for bytes in (0..snapshot.parked()).filter_map(|at| snapshot.parked_bytes(at)) {
                if let Ok(entry) = values::ParkedFile::parse(&bytes) {
                    let record: Result<FileRecord> = values::from_bytes(&entry.record, "a parked file");
                    parked.extend(record.ok().map(|record| (record.identity.path, bytes)));
                }
            }
        }
        overlay(&mut parked, &self.parked);
        parked
    }
}

fn overlay(files: &mut BTreeMap<String, Vec<u8>>, changes: &BTreeMap<String, Option<Vec<u8>>>) {
    for (path, bytes) in changes {
        match bytes {
            Some(bytes) => files.insert(path.clone(), bytes.clone()),
            None => files.remove(path),
        };
    }
}
