//! Compaction: sled gives back the space of what was overwritten only in part, a store made anew gives back all of it.

use crate::opening::{Mended, SecondCopy, put_in_place, remove, write_anew};
use crate::{Index, Result, folder};

/// What a compaction gained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Size of the database before, bytes.
    pub before: u64,
    /// And after.
    pub after: u64,
    /// Files that were kept aside because they are gone, and are now forgotten.
    pub forgotten: usize,
}

impl Index {
    /// Makes the database anew from the snapshot, without the space of what was overwritten and removed, unless that gains nothing;
    /// forgets the files that are kept aside because they are gone. Needs room for a copy; a crash at any moment leaves the index
    /// as it was or as it will be. Snapshots stay valid.
    ///
    /// # Errors
    /// After an error the index is closed; it can be opened again.
    pub fn compact(self) -> Result<(Index, Compacted)> {
        let dir = self.dir().to_path_buf();
        let forgotten = self.forget_parked()?;
        self.refresh()?;
        let before = folder::bytes(&folder::store(&dir));
        let second = SecondCopy::read(&dir);
        let copy = write_anew(&dir, Some(self.store()), &second, &mut Mended::default())?;
        let after = folder::bytes(&copy);
        if after >= before {
            remove(&copy)?;
            return Ok((self, Compacted { before, after: before, forgotten }));
        }
        let (store, lock) = self.into_parts();
        let store = put_in_place(&dir, Some(store))?;
        let index = Index::of_parts(&dir, store, lock)?;
        Ok((index, Compacted { before, after: folder::bytes(&folder::store(&dir)), forgotten }))
    }
}
