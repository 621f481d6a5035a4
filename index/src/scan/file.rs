//! The scan file, memory-mapped.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;
use xxhash_rust::xxh3::xxh3_64;

use super::layout::{BLOCK_ROWS, Header, Layout};
use crate::derived::Derived;
use crate::store::Stamp;
use crate::{Fingerprint, SongId};

/// An open scan file. Every access is inside the mapping, whatever the bytes are.
pub(crate) struct ScanFile {
    map: Mmap,
    header: Header,
    layout: Layout,
}

impl ScanFile {
    /// Opens the file if it is whole and made from the truth `stamp`; otherwise says what is wrong.
    pub(crate) fn open(path: &Path, fingerprint: &Fingerprint, stamp: Stamp) -> Result<ScanFile, Derived> {
        let damaged = |reason: &str| Derived::Damaged(reason.to_string());
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Derived::Missing),
            Err(error) => return Err(Derived::Damaged(error.to_string())),
        };
        // SAFETY: the folder is locked by this process, and this crate replaces a scan file by renaming another one over it;
        // it never changes or cuts one in place, so the mapped bytes stay as they are.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Derived::Damaged(e.to_string()))?;
        let header = Header::parse(&map).map_err(Derived::Damaged)?;
        if header.stamp != stamp {
            return Err(Derived::Stale);
        }
        let levels_fit = header.levels.iter().map(|l| l.steps).eq(fingerprint.levels.iter().map(|l| u32::from(l.steps)));
        if header.dimension != fingerprint.dimension || !levels_fit {
            return Err(damaged("it belongs to other windows"));
        }
        let layout = Layout::new(&header).filter(|l| l.len == map.len()).ok_or_else(|| damaged("it has the wrong length"))?;
        if xxh3_64(&map[layout.tables.clone()]) != header.tables_checksum {
            return Err(damaged("its tables are damaged"));
        }
        let scan = ScanFile { map, header, layout };
        for (level, l) in scan.header.levels.iter().enumerate() {
            let offsets = scan.row_offsets(level);
            let read = |o: &[u8; 4]| u32::from_le_bytes(*o);
            if !offsets.is_sorted_by_key(read) || offsets.first().map(read) != Some(0) || offsets.last().map(read) != Some(l.rows)
            {
                return Err(damaged("its songs overlap"));
            }
        }
        Ok(scan)
    }

    /// Compares the vectors with their checksums: reads the whole file.
    pub(crate) fn check_vectors(&self) -> Derived {
        for (layout, header) in self.layout.levels.iter().zip(&self.header.levels) {
            if xxh3_64(&self.map[layout.vectors.clone()]) != header.vectors_checksum {
                return Derived::Damaged(format!("vectors of {} steps are damaged", header.steps));
            }
        }
        Derived::Current
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.header.stamp
    }

    pub(crate) fn dimension(&self) -> usize {
        self.header.dimension as usize
    }

    pub(crate) fn songs(&self) -> u32 {
        self.header.songs
    }

    pub(crate) fn levels(&self) -> usize {
        self.header.levels.len()
    }

    /// Length in steps of the windows of a level.
    pub(crate) fn steps(&self, level: usize) -> u16 {
        // The header's levels were compared with the fingerprint's, which are u16.
        self.header.levels[level].steps as u16
    }

    pub(crate) fn rows(&self, level: usize) -> u32 {
        self.header.levels[level].rows
    }

    pub(crate) fn song_id(&self, ordinal: u32) -> Option<SongId> {
        let ids = self.map[self.layout.song_ids.clone()].as_chunks::<8>().0;
        ids.get(ordinal as usize).map(|id| SongId(u64::from_le_bytes(*id)))
    }

    /// The ordinal of a song; ids ascend with ordinals.
    pub(crate) fn ordinal(&self, id: SongId) -> Option<u32> {
        let ids = self.map[self.layout.song_ids.clone()].as_chunks::<8>().0;
        ids.binary_search_by_key(&id.0, |bytes| u64::from_le_bytes(*bytes)).ok().map(|at| at as u32)
    }

    fn row_offsets(&self, level: usize) -> &[[u8; 4]] {
        self.map[self.layout.levels[level].row_offsets.clone()].as_chunks().0
    }

    /// Rows of a level that belong to the songs of a range of ordinals.
    pub(crate) fn song_rows(&self, level: usize, songs: Range<u32>) -> Range<u32> {
        let offsets = self.row_offsets(level);
        let at = |ordinal: u32| u32::from_le_bytes(offsets[ordinal as usize]);
        at(songs.start)..at(songs.end)
    }

    /// The song a row belongs to.
    pub(crate) fn song_of_row(&self, level: usize, row: u32) -> u32 {
        let offsets = self.row_offsets(level);
        (offsets.partition_point(|o| u32::from_le_bytes(*o) <= row) as u32).saturating_sub(1)
    }

    /// Scales of rows, little-endian f32.
    pub(crate) fn scales(&self, level: usize, rows: Range<u32>) -> &[[u8; 4]] {
        &self.map[self.layout.levels[level].scales.clone()].as_chunks().0[rows.start as usize..rows.end as usize]
    }

    /// Positions of rows, little-endian u16.
    pub(crate) fn positions(&self, level: usize, rows: Range<u32>) -> &[[u8; 2]] {
        &self.map[self.layout.levels[level].positions.clone()].as_chunks().0[rows.start as usize..rows.end as usize]
    }

    /// Interleaved blocks of a level.
    pub(crate) fn blocks(&self, level: usize, blocks: Range<usize>) -> &[u8] {
        let block = BLOCK_ROWS * self.dimension();
        &self.map[self.layout.levels[level].vectors.clone()][blocks.start * block..blocks.end * block]
    }

    /// Copies one vector out of its block and returns its scale.
    pub(crate) fn vector(&self, level: usize, row: u32, out: &mut [i8]) -> f32 {
        let (block, lane) = (row as usize / BLOCK_ROWS, row as usize % BLOCK_ROWS);
        let bytes = self.blocks(level, block..block + 1);
        for (to, group) in out.chunks_exact_mut(4).zip(bytes.chunks_exact(BLOCK_ROWS * 4)) {
            for (to, &from) in to.iter_mut().zip(&group[lane * 4..lane * 4 + 4]) {
                *to = super::bias(from) as i8;
            }
        }
        self.scales(level, row..row + 1).first().map_or(0.0, |s| f32::from_le_bytes(*s))
    }
}
