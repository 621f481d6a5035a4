//! Making the store what it should be.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::swap::{new_path, remove, swap};
use super::{Mended, SecondCopy};
use crate::change::Change;
use crate::derived::Derived;
use crate::store::{Store, wait_until_closed};
use crate::values::SongRecord;
use crate::{Error, FileRecord, Outcome, Result, SongId, folder, space};

/// Bytes of songs that are put back in one change.
const CHANGE_BYTES: u64 = 4 << 20;

/// Makes the store agree with the second copy, whichever of the two is right. A store that turns out to be unreadable is made anew.
pub(super) fn agree(dir: &Path, store: Store, second: &SecondCopy, mended: &mut Mended) -> Result<Store> {
    let outcome = if second.is_complete() && store.counters()?.generation <= second.counters().generation {
        differences(&store, second).and_then(|differences| differences.carry_out(&store, second, mended))
    } else {
        catch_up(&store, second, mended)
    };
    match outcome {
        Ok(()) => Ok(store),
        Err(Error::Damaged(reason)) if second.birth().is_some() => {
            mended.found.push(format!("the store could not be read: {reason}"));
            rebuild(dir, Some(store), second, mended)
        }
        Err(error) => Err(error),
    }
}

/// Where the store differs from a second copy that is right.
struct Differences {
    /// Songs that the store lacks or has otherwise.
    lost: Vec<SongId>,
    /// Songs that the store should not have.
    extra: Vec<SongId>,
    files: Vec<(String, Option<Vec<u8>>)>,
    parked: Vec<(String, Option<Vec<u8>>)>,
}

fn differences(store: &Store, second: &SecondCopy) -> Result<Differences> {
    let mut stored: HashMap<SongId, u64> = HashMap::new();
    for entry in store.records() {
        let (id, bytes) = entry?;
        stored.insert(id, xxh3_64(&bytes));
    }
    let mut lost = Vec::new();
    for (id, record) in second.records() {
        if stored.remove(&id) != Some(xxh3_64(record)) {
            lost.push(id);
        }
    }
    let mut extra: Vec<SongId> = stored.into_keys().collect();
    extra.sort_unstable();
    Ok(Differences {
        lost,
        extra,
        files: differing(store.file_bytes(), second.files()?)?,
        parked: differing(store.all_parked(), second.parked())?,
    })
}

/// What has to be put, or forgotten, for `stored` to be as `wanted`.
fn differing(
    stored: impl Iterator<Item = Result<(String, Vec<u8>)>>,
    mut wanted: BTreeMap<String, Vec<u8>>,
) -> Result<Vec<(String, Option<Vec<u8>>)>> {
    let mut changes = Vec::new();
    for entry in stored {
        let (path, bytes) = entry?;
        match wanted.remove(&path) {
            None => changes.push((path, None)),
            Some(other) if other != bytes => changes.push((path, Some(other))),
            Some(_) => {}
        }
    }
    changes.extend(wanted.into_iter().map(|(path, bytes)| (path, Some(bytes))));
    Ok(changes)
}

impl Differences {
    fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.extra.is_empty() && self.files.is_empty() && self.parked.is_empty()
    }

    fn carry_out(self, store: &Store, second: &SecondCopy, mended: &mut Mended) -> Result<()> {
        // What a run that was cut short had written down, and not yet put into the store, is no loss.
        let cut: HashSet<SongId> = second.changes.iter().flat_map(|c| c.songs.iter().map(|(id, _)| *id)).collect();
        let behind = store.counters()?;
        if self.is_empty() && behind == second.counters() {
            return Ok(());
        }
        if self.lost.iter().any(|id| !cut.contains(id)) {
            mended.found.push("the store had lost songs".to_string());
        }
        let mut unreadable = Vec::new();
        let mut change = Change { counters: behind, ..Change::default() };
        for id in self.lost {
            match second.song(id) {
                Ok(Some(song)) => {
                    if !cut.contains(&id) {
                        mended.restored.push(SongRecord::parse(id, &song.record)?.key);
                    }
                    change.songs.push((id, Some(song)));
                    put_if_large(store, &mut change)?;
                }
                _ => unreadable.push(id),
            }
        }
        change.songs.extend(self.extra.into_iter().map(|id| (id, None)));
        change.files.extend(self.files);
        change.parked.extend(self.parked);
        change.counters = second.counters();
        store.apply(&change)?;
        store.flush()?;
        forget_songs(store, &unreadable, mended)
    }
}

fn put_if_large(store: &Store, change: &mut Change) -> Result<()> {
    if change.bytes() > CHANGE_BYTES {
        space::ask_for(store.path(), crate::error::RESERVE + 4 * change.bytes())?;
        store.apply(change)?;
        store.flush()?;
        *change = Change { counters: change.counters, ..Change::default() };
    }
    Ok(())
}

/// Gives a store that is right, as far as it goes, the changes beyond it.
fn catch_up(store: &Store, second: &SecondCopy, mended: &mut Mended) -> Result<()> {
    let at = store.counters()?.generation;
    for change in second.changes.iter().filter(|change| change.counters.generation > at) {
        store.apply(change)?;
    }
    let lost = second.unreadable.iter().filter(|head| head.generation > at);
    for path in lost.flat_map(|head| head.paths.clone()) {
        if store.file(&path)?.is_none() {
            mended.to_hear.push(path);
        }
    }
    // A store that is behind even the snapshot has lost what it had, whatever the journal says.
    if second.snapshot.as_ref().is_some_and(|snapshot| snapshot.counters().generation > at) {
        differences(store, second)?.carry_out(store, second, mended)?;
    }
    store.flush()
}

/// Makes the store anew from the second copy, and from what can still be read of the `old` one where that is damaged too.
pub(super) fn rebuild(dir: &Path, old: Option<Store>, second: &SecondCopy, mended: &mut Mended) -> Result<Store> {
    write_anew(dir, old.as_ref(), second, mended)?;
    for (id, record) in second.records() {
        let record = SongRecord::parse(id, record)?;
        if !mended.to_hear.contains(&record.file) {
            mended.restored.push(record.key);
        }
    }
    mended.to_hear.extend(second.unreadable.iter().flat_map(|head| head.paths.clone()));
    if second.journal_state != Derived::Current {
        mended.found.push("what was indexed after the last snapshot, if anything, has to be heard again".to_string());
    }
    put_in_place(dir, old)
}

/// Writes a store from the second copy beside the present one; files of which a song is nowhere are left out, and named as to be
/// heard again. Returns its path.
pub(crate) fn write_anew(
    dir: &Path,
    old: Option<&Store>,
    second: &SecondCopy,
    mended: &mut Mended,
) -> Result<std::path::PathBuf> {
    let birth = second.birth().ok_or_else(|| Error::Damaged("there is no snapshot to mend it from".into()))?;
    let path = new_path(dir);
    remove(&path)?;
    let raw = second.snapshot.as_ref().map_or(0, |snapshot| snapshot.len());
    space::ask_for(dir, crate::error::RESERVE + raw + raw / 2)?;
    let mut lost_files = HashSet::new();
    {
        let store = Store::open(&path)?;
        let mut change = Change::default();
        for (id, record) in second.records() {
            let from_old = || old.and_then(|old| old.song_bytes(id).ok().flatten());
            match second.song(id).ok().flatten().or_else(from_old) {
                Some(song) => {
                    change.songs.push((id, Some(song)));
                    put_if_large(&store, &mut change)?;
                }
                None => {
                    lost_files.insert(SongRecord::parse(id, record)?.file);
                }
            }
        }
        let files = second.files()?.into_iter();
        change.files.extend(files.filter(|(path, _)| !lost_files.contains(path)).map(|(path, bytes)| (path, Some(bytes))));
        change.parked.extend(second.parked().into_iter().map(|(path, bytes)| (path, Some(bytes))));
        store.apply(&change)?;
        // Songs of a file of which another song is lost come back with it.
        for (id, record) in second.records() {
            if lost_files.contains(&SongRecord::parse(id, record)?.file) {
                store.apply(&Change { songs: vec![(id, None)], ..Change::default() })?;
            }
        }
        // Last, because it makes the store whole.
        let mut counters = second.counters();
        if !lost_files.is_empty() {
            counters.generation += 1;
            counters.vectors = counters.generation;
        }
        store.initialise(&birth, counters)?;
    }
    wait_until_closed(&path)?;
    mended.to_hear.extend(lost_files);
    Ok(path)
}

/// Puts what [`write_anew`] wrote in the place of the present store.
pub(crate) fn put_in_place(dir: &Path, old: Option<Store>) -> Result<Store> {
    let store_path = folder::store(dir);
    // A database that failed stays open until the process ends, and writes no more.
    let closes = old.as_ref().is_some_and(|old| !old.is_broken());
    drop(old);
    if closes {
        wait_until_closed(&store_path)?;
    }
    swap(dir)?;
    Store::open(&store_path)
}

/// Compares every song of the store with its checksums; one that is damaged is put back from the second copy, or forgotten with its
/// file where that has lost it too.
pub(crate) fn mend_songs(store: &Store, second: &SecondCopy) -> Result<Mended> {
    let mut mended = Mended::default();
    let mut lost = Vec::new();
    let mut ids = Vec::new();
    for entry in store.records() {
        ids.push(entry?.0);
    }
    for id in ids {
        let Err(error) = store.song_bytes(id) else { continue };
        if !matches!(error, Error::Damaged(_)) {
            return Err(error);
        }
        mended.found.push(format!("in the store, {}", error.reason()));
        let record = store.record(id)?;
        match second.song(id) {
            Ok(Some(song)) if SongRecord::parse(id, &song.record).ok() == record => {
                mended.restored.extend(record.map(|record| record.key));
                store.apply(&Change { counters: store.counters()?, songs: vec![(id, Some(song))], ..Change::default() })?;
            }
            _ => lost.push(id),
        }
    }
    forget_songs(store, &lost, &mut mended)?;
    store.flush()?;
    Ok(mended)
}

/// Forgets songs that are nowhere any more, and all of their files, so that these are heard again.
fn forget_songs(store: &Store, ids: &[SongId], mended: &mut Mended) -> Result<()> {
    let mut change = Change::default();
    for &id in ids {
        let Some(record) = store.record(id)? else { continue };
        let file: Option<FileRecord> = store.file(&record.file)?;
        let songs = match file.map(|file| file.outcome) {
            Some(Outcome::Indexed { songs }) => songs,
            _ => vec![id],
        };
        change.songs.extend(songs.into_iter().chain([id]).map(|id| (id, None)));
        change.files.push((record.file.clone(), None));
        mended.to_hear.push(record.file);
    }
    if change.songs.is_empty() {
        return Ok(());
    }
    change.counters = store.counters()?;
    change.counters.generation += 1;
    change.counters.vectors = change.counters.generation;
    store.apply(&change)?;
    store.flush()
}
