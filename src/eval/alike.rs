//! Songs that are exactly alike: one song under several names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use qbh_index::{Index, SongId};

/// Which songs of an index have the same contour, to the bit. No search can tell these apart: a hit on one is a hit on all.
#[derive(Debug, Clone, Default)]
pub struct Alike {
    /// For each song, the one of them all whose key comes first.
    first: HashMap<SongId, SongId>,
}

impl Alike {
    /// Compares the songs of an index.
    ///
    /// # Errors
    /// What the index reports.
    pub fn of(index: &Index) -> Result<Self, qbh_index::Error> {
        let mut songs = BTreeMap::new();
        for song in index.songs() {
            let song = song?;
            songs.insert(song.key, song.id);
        }
        let (mut known, mut first) = (HashMap::new(), HashMap::new());
        for id in songs.into_values() {
            let contour = index.contour(id)?.unwrap_or_default();
            first.insert(id, *known.entry(fingerprint(&contour)).or_insert(id));
        }
        Ok(Alike { first })
    }

    /// The song that stands for all that are exactly like this one.
    pub fn representative(&self, song: SongId) -> SongId {
        self.first.get(&song).copied().unwrap_or(song)
    }

    /// How many songs there are, those alike counted once.
    pub fn distinct(&self) -> usize {
        self.first.values().collect::<HashSet<_>>().len()
    }

    /// All songs exactly like one of these, these included.
    pub fn all_like(&self, songs: &[SongId]) -> Vec<SongId> {
        let like: HashSet<SongId> = songs.iter().map(|&song| self.representative(song)).collect();
        let mut all: Vec<SongId> = self.first.iter().filter(|(_, first)| like.contains(first)).map(|(&song, _)| song).collect();
        all.sort_unstable();
        all
    }

    /// 1-based rank of the best-placed of the `right` songs: one more than there are distinct songs before it. `None` if it is not in the ranking.
    pub fn rank(&self, ranking: &[SongId], right: &[SongId]) -> Option<usize> {
        let right: HashSet<SongId> = right.iter().map(|&song| self.representative(song)).collect();
        let mut before = HashSet::new();
        for &song in ranking {
            let song = self.representative(song);
            if right.contains(&song) {
                return Some(before.len() + 1);
            }
            before.insert(song);
        }
        None
    }
}

/// Differs for all contours that differ: among a hundred thousand, two of 64 random bits are equal once in four billion libraries.
fn fingerprint(contour: &[f32]) -> (usize, u64) {
    let mut hasher = DefaultHasher::new();
    contour.iter().for_each(|pitch| pitch.to_bits().hash(&mut hasher));
    (contour.len(), hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Songs 1 and 4 are alike, and so are 2, 3 and 5.
    fn alike() -> Alike {
        let first = [(1, 1), (2, 2), (3, 2), (4, 1), (5, 2), (6, 6)];
        Alike { first: first.map(|(song, first)| (SongId(song), SongId(first))).into() }
    }

    fn ids<const N: usize>(songs: [u64; N]) -> [SongId; N] {
        songs.map(SongId)
    }

    #[test]
    fn songs_that_are_alike_share_their_rank() {
        for ranking in [[2, 3, 5, 1, 4, 6], [5, 2, 1, 3, 6, 4], [3, 4, 1, 2, 5, 6]] {
            assert_eq!(alike().rank(&ids(ranking), &ids([4])), Some(2), "{ranking:?}");
            assert_eq!(alike().rank(&ids(ranking), &ids([2])), Some(1), "{ranking:?}");
        }
        assert_eq!(alike().rank(&ids([2, 3, 5, 6]), &ids([4])), None);
        assert_eq!(alike().rank(&ids([2, 1, 6]), &ids([6, 4])), Some(2), "the better of two right songs");
    }

    #[test]
    fn what_is_alike_is_counted_once_and_left_out_together() {
        assert_eq!(alike().distinct(), 3);
        assert_eq!(alike().all_like(&ids([3, 6])), ids([2, 3, 5, 6]));
    }
}
