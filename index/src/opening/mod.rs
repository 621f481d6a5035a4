//! Opening an index for writing: store and second copy are compared, and what one has lost is put back from the other.
//!
//! The journal is written before the store, and the store is flushed after the journal. So the second copy is never behind, unless
//! something is damaged, and the comparison is simple:
//! - a second copy without gaps that is not behind the store is right, wherever the two differ;
//! - else the store is right, and gets what the second copy has beyond it;
//! - a store that cannot be read is made anew.
//!
//! Parts: `second` (the second copy), `mend` (making the store what it should be), `legacy` (what older versions stored).

mod legacy;
mod mend;
mod second;
mod swap;

use std::path::Path;

use crate::change::Counters;
use crate::derived::Derived;
use crate::store::{Birth, SCHEMA, Store, remove_side_files};
use crate::{Error, Fingerprint, Result, folder};

pub(crate) use mend::{mend_songs, put_in_place, write_anew};
pub(crate) use second::SecondCopy;
pub(crate) use swap::remove;

use swap::finish as finish_swap;

/// What was found and put right when an index was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mended {
    /// What was wrong, one sentence each.
    pub found: Vec<String>,
    /// Keys of songs that one copy had lost and got back from the other.
    pub restored: Vec<String>,
    /// Files whose songs both copies have lost: they have to be heard again, and the index has forgotten them, so that they are.
    pub to_hear: Vec<String>,
}

impl Mended {
    /// Whether there was nothing to do.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty() && self.restored.is_empty() && self.to_hear.is_empty()
    }

    pub(crate) fn add(&mut self, other: Mended) {
        self.found.extend(other.found);
        self.restored.extend(other.restored);
        self.to_hear.extend(other.to_hear);
        for list in [&mut self.restored, &mut self.to_hear] {
            list.sort();
            list.dedup();
        }
    }
}

/// An opened store.
pub(crate) struct Opened {
    pub store: Store,
    pub mended: Mended,
    /// Whether the snapshot shows the store as it is; otherwise one has to be published.
    pub published: bool,
}

/// Opens the store in `dir`, mended from the second copy; `None` if there is no index. The folder must be locked. With `deep`, every
/// song of the store is compared with its checksums.
pub(crate) fn open(dir: &Path, deep: bool) -> Result<Option<Opened>> {
    finish_swap(dir)?;
    if !folder::holds_index(dir) {
        return Ok(None);
    }
    let second = SecondCopy::read(dir);
    let path = folder::store(dir);
    let mut mended = Mended::default();
    if let Derived::Damaged(reason) = &second.snapshot_state {
        mended.found.push(format!("the snapshot was damaged: {reason}"));
    }
    if let Derived::Damaged(reason) = &second.journal_state {
        mended.found.push(format!("the journal was damaged: {reason}"));
    }
    let missing = !path.exists();
    let store = match open_store(dir, &second) {
        Ok(Some(store)) => store,
        Ok(None) if second.is_missing() => return Ok(None),
        Ok(None) if second.birth().is_none() => {
            let store = if missing { "it is missing" } else { "it is empty" };
            return Err(lost(dir, store.to_string(), &second));
        }
        Ok(None) => {
            mended.found.push(format!("the store was {}", if missing { "missing" } else { "empty" }));
            mend::rebuild(dir, None, &second, &mut mended)?
        }
        Err(error @ Error::Damaged(_)) => {
            mended.found.push(format!("the store could not be read: {}", error.reason()));
            match second.birth() {
                Some(_) => mend::rebuild(dir, None, &second, &mut mended)?,
                None => salvage(dir, &second, error)?,
            }
        }
        Err(error) => return Err(error),
    };
    let mut store = mend::agree(dir, store, &second, &mut mended)?;
    // What is to replace a damaged snapshot must be whole.
    if deep || second.snapshot_state != Derived::Current {
        match mend_songs(&store, &second) {
            Ok(more) => mended.add(more),
            Err(Error::Damaged(reason)) if second.birth().is_some() => {
                mended.found.push(format!("the store could not be read: {reason}"));
                store = mend::rebuild(dir, Some(store), &second, &mut mended)?;
            }
            Err(error) => return Err(error),
        }
    }
    let published = second.snapshot_state == Derived::Current
        && second.journal_state == Derived::Current
        && second.is_published()
        && second.counters() == store.counters()?;
    Ok(Some(Opened { store, mended, published }))
}

/// Makes an index of nothing.
pub(crate) fn create(dir: &Path, fingerprint: &Fingerprint) -> Result<Opened> {
    let store = Store::open(&folder::store(dir))?;
    store.initialise(&Birth::now(fingerprint), Counters::default())?;
    Ok(Opened { store, mended: Mended::default(), published: false })
}

/// The store, brought to the present format; `None` if it is empty.
fn open_store(dir: &Path, second: &SecondCopy) -> Result<Option<Store>> {
    let path = folder::store(dir);
    if !path.exists() {
        return Ok(None);
    }
    let store = match Store::open(&path) {
        // Of an older version whose settings of sled were others: nothing of ours is beside it.
        Err(Error::Damaged(_)) if legacy::is_first_format(&path) && second.birth().is_none() => {
            return Err(Error::OtherVersion { dir: dir.to_path_buf(), found: 1, supported: SCHEMA });
        }
        other => other?,
    };
    match store.schema()? {
        None => Ok(None),
        Some(SCHEMA) => {
            let birth = store.birth()?;
            match second.birth() {
                Some(other) if other.identity != birth.identity => Err(Error::Mixed(dir.to_path_buf())),
                _ => Ok(Some(store)),
            }
        }
        Some(legacy::SCHEMA) => legacy::convert(dir, store).map(Some),
        Some(found) => Err(Error::OtherVersion { dir: dir.to_path_buf(), found, supported: SCHEMA }),
    }
}

/// The last attempt, without a snapshot: sled makes its settings and its table of pages anew from its log.
fn salvage(dir: &Path, second: &SecondCopy, error: Error) -> Result<Store> {
    let path = folder::store(dir);
    remove_side_files(&path)?;
    match Store::open(&path).and_then(|store| Ok(store.schema()?.map(|_| store))) {
        Ok(Some(store)) => Ok(store),
        _ => Err(lost(dir, error.reason(), second)),
    }
}

fn lost(dir: &Path, store: String, second: &SecondCopy) -> Error {
    Error::Lost { dir: dir.to_path_buf(), store, snapshot: second.snapshot_state.to_string() }
}
