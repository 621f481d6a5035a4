//! Where things are in the scan file, and its header.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::store::Stamp;

/// Rows that are interleaved with one another.
pub(crate) const BLOCK_ROWS: usize = 16;

const MAGIC: &[u8; 8] = b"qbh-scan";
const VERSION: u32 = 1;
/// Alignment of sections: a cache line, and one AVX-512 register.
const ALIGN: usize = 64;
/// Header without levels: magic, version, dimension, identity, generation, songs, levels, checksum of the tables.
const FIXED: usize = 8 + 4 + 4 + 8 + 8 + 4 + 4 + 8;
/// Per level: steps, rows, checksum of its vectors.
const PER_LEVEL: usize = 4 + 4 + 8;

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub stamp: Stamp,
    pub dimension: u32,
    pub songs: u32,
    pub levels: Vec<LevelHeader>,
    pub tables_checksum: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LevelHeader {
    pub steps: u32,
    pub rows: u32,
    pub vectors_checksum: u64,
}

impl Header {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.dimension.to_le_bytes());
        bytes.extend_from_slice(&self.stamp.identity.to_le_bytes());
        bytes.extend_from_slice(&self.stamp.generation.to_le_bytes());
        bytes.extend_from_slice(&self.songs.to_le_bytes());
        bytes.extend_from_slice(&(self.levels.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.tables_checksum.to_le_bytes());
        for level in &self.levels {
            bytes.extend_from_slice(&level.steps.to_le_bytes());
            bytes.extend_from_slice(&level.rows.to_le_bytes());
            bytes.extend_from_slice(&level.vectors_checksum.to_le_bytes());
        }
        let checksum = xxh3_64(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the header at the start of `file`; an error says what is wrong with it.
    pub(super) fn parse(file: &[u8]) -> Result<Header, String> {
        let cut = || "it is cut short".to_string();
        let mut rest = file;
        if rest.split_off(..8) != Some(MAGIC) {
            return Err("it does not begin like a scan file".to_string());
        }
        let version = take_u32(&mut rest).ok_or_else(cut)?;
        if version != VERSION {
            return Err(format!("it has format {version} instead of {VERSION}"));
        }
        let dimension = take_u32(&mut rest).ok_or_else(cut)?;
        let identity = take_u64(&mut rest).ok_or_else(cut)?;
        let generation = take_u64(&mut rest).ok_or_else(cut)?;
        let songs = take_u32(&mut rest).ok_or_else(cut)?;
        let level_count = take_u32(&mut rest).ok_or_else(cut)?;
        let tables_checksum = take_u64(&mut rest).ok_or_else(cut)?;
        if level_count as usize > rest.len() / PER_LEVEL {
            return Err(cut());
        }
        let mut levels = Vec::with_capacity(level_count as usize);
        for _ in 0..level_count {
            levels.push(LevelHeader {
                steps: take_u32(&mut rest).ok_or_else(cut)?,
                rows: take_u32(&mut rest).ok_or_else(cut)?,
                vectors_checksum: take_u64(&mut rest).ok_or_else(cut)?,
            });
        }
        let covered = file.len() - rest.len();
        if take_u64(&mut rest) != Some(xxh3_64(&file[..covered])) {
            return Err("its header is damaged".to_string());
        }
        Ok(Header { stamp: Stamp { identity, generation }, dimension, songs, levels, tables_checksum })
    }

    fn len(&self) -> usize {
        FIXED + PER_LEVEL * self.levels.len() + 8
    }
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.split_off(..4)?.first_chunk()?))
}

fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.split_off(..8)?.first_chunk()?))
}

/// Byte ranges of all sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// All tables, with the padding between them: what the tables' checksum covers.
    pub tables: Range<usize>,
    pub song_ids: Range<usize>,
    pub levels: Vec<LevelLayout>,
    /// Length of the file.
    pub len: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LevelLayout {
    pub row_offsets: Range<usize>,
    pub scales: Range<usize>,
    pub positions: Range<usize>,
    pub vectors: Range<usize>,
}

impl Layout {
    /// `None` if the sizes are too large for this machine.
    pub(super) fn new(header: &Header) -> Option<Layout> {
        let mut end = align(header.len())?;
        let mut section = |len: usize| -> Option<Range<usize>> {
            let range = end..end.checked_add(len)?;
            end = align(range.end)?;
            Some(range)
        };
        let songs = header.songs as usize;
        let song_ids = section(songs.checked_mul(8)?)?;
        let mut levels = Vec::with_capacity(header.levels.len());
        for level in &header.levels {
            let rows = level.rows as usize;
            levels.push(LevelLayout {
                row_offsets: section(songs.checked_add(1)?.checked_mul(4)?)?,
                scales: section(rows.checked_mul(4)?)?,
                positions: section(rows.checked_mul(2)?)?,
                vectors: 0..0,
            });
        }
        let tables_end = section(0)?.start;
        for (layout, level) in levels.iter_mut().zip(&header.levels) {
            let padded = (level.rows as usize).checked_next_multiple_of(BLOCK_ROWS)?;
            layout.vectors = section(padded.checked_mul(header.dimension as usize)?)?;
        }
        let len = section(0)?.start;
        Some(Layout { tables: song_ids.start..tables_end, song_ids, levels, len })
    }
}

fn align(offset: usize) -> Option<usize> {
    offset.checked_next_multiple_of(ALIGN)
}
