//! Where things are in the snapshot file, and its header.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::change::Counters;
use crate::kernels::BLOCK_ROWS;

const MAGIC: &[u8; 8] = b"qbh-snap";
const VERSION: u64 = 1;
/// Alignment of sections: a cache line, and one AVX-512 register.
const ALIGN: usize = 64;
/// Numbers of the header before those of the levels, version and count of levels included.
const FIXED: usize = 18;
const PER_LEVEL: usize = 3;
/// More than a fingerprint may have.
const MAX_LEVELS: u64 = 64;

/// What the header says. Nothing in the file is an offset: all places follow from these sizes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub identity: u64,
    pub counters: Counters,
    pub dimension: u64,
    pub songs: u64,
    pub files: u64,
    pub parked: u64,
    /// Bytes of the variable parts.
    pub fingerprint_bytes: u64,
    pub record_bytes: u64,
    pub file_bytes: u64,
    pub contour_bytes: u64,
    pub parked_bytes: u64,
    /// Checksums of the sections.
    pub tables_sum: u64,
    pub texts_sum: u64,
    pub contours_sum: u64,
    pub parked_sum: u64,
    pub levels: Vec<LevelHeader>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LevelHeader {
    pub steps: u64,
    pub rows: u64,
    pub vectors_sum: u64,
}

impl Header {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Counters { generation, vectors, next_song } = self.counters;
        let fixed: [u64; FIXED] = [
            VERSION,
            self.levels.len() as u64,
            self.identity,
            generation,
            vectors,
            next_song,
            self.dimension,
            self.songs,
            self.files,
            self.parked,
            self.fingerprint_bytes,
            self.record_bytes,
            self.file_bytes,
            self.contour_bytes,
            self.parked_bytes,
            self.tables_sum,
            self.texts_sum,
            self.contours_sum,
        ];
        let levels = self.levels.iter().flat_map(|l| [l.steps, l.rows, l.vectors_sum]);
        let numbers = fixed.into_iter().chain([self.parked_sum]).chain(levels);
        let mut bytes = MAGIC.to_vec();
        numbers.for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        let sum = xxh3_64(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads the header at the start of `file`, of which [`Header::LONGEST`] bytes are enough; an error says what is wrong with it.
    pub(super) fn parse(file: &[u8]) -> Result<Header, String> {
        let cut = || "it is cut short".to_string();
        let mut rest = file.strip_prefix(MAGIC).ok_or("it does not begin like a snapshot")?;
        let mut next = || -> Result<u64, String> {
            let bytes = rest.split_off(..8).and_then(|b| b.first_chunk().copied()).ok_or_else(cut)?;
            Ok(u64::from_le_bytes(bytes))
        };
        let version = next()?;
        if version != VERSION {
            return Err(format!("it has format {version} instead of {VERSION}"));
        }
        let level_count = next()?;
        if level_count > MAX_LEVELS {
            return Err("its header is damaged".to_string());
        }
        let mut header = Header {
            identity: next()?,
            counters: Counters { generation: next()?, vectors: next()?, next_song: next()? },
            dimension: next()?,
            songs: next()?,
            files: next()?,
            parked: next()?,
            fingerprint_bytes: next()?,
            record_bytes: next()?,
            file_bytes: next()?,
            contour_bytes: next()?,
            parked_bytes: next()?,
            tables_sum: next()?,
            texts_sum: next()?,
            contours_sum: next()?,
            parked_sum: next()?,
            levels: Vec::new(),
        };
        for _ in 0..level_count {
            header.levels.push(LevelHeader { steps: next()?, rows: next()?, vectors_sum: next()? });
        }
        let sum = next()?;
        if sum != xxh3_64(&file[..header.len() - 8]) {
            return Err("its header is damaged".to_string());
        }
        Ok(header)
    }

    /// No header is longer, bytes.
    pub(super) const LONGEST: usize = MAGIC.len() + 8 * (FIXED + 1 + PER_LEVEL * MAX_LEVELS as usize + 1);

    fn len(&self) -> usize {
        MAGIC.len() + 8 * (FIXED + 1 + PER_LEVEL * self.levels.len() + 1)
    }
}

/// Byte ranges of all sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// All tables, with the padding between them: what their checksum covers.
    pub tables: Range<usize>,
    pub song_ids: Range<usize>,
    /// Where each song's record ends among the records, and so on: one entry a song, a file.
    pub record_ends: Range<usize>,
    pub contour_ends: Range<usize>,
    pub file_ends: Range<usize>,
    pub parked_ends: Range<usize>,
    pub levels: Vec<LevelLayout>,
    /// Fingerprint, records of songs and of files: one checksum.
    pub texts: Range<usize>,
    pub fingerprint: Range<usize>,
    pub records: Range<usize>,
    pub files: Range<usize>,
    pub contours: Range<usize>,
    pub parked: Range<usize>,
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
    /// Where the vectors of all levels lie: the end of the file.
    pub(super) fn vectors(&self) -> Range<usize> {
        self.levels.first().map_or(self.len, |level| level.vectors.start)..self.len
    }

    /// `None` if the sizes are too large for this machine.
    pub(super) fn new(header: &Header) -> Option<Layout> {
        let mut end = align(header.len())?;
        let mut section = |count: u64, width: usize| -> Option<Range<usize>> {
            let range = end..end.checked_add(usize::try_from(count).ok()?.checked_mul(width)?)?;
            end = align(range.end)?;
            Some(range)
        };
        let song_ids = section(header.songs, 8)?;
        let record_ends = section(header.songs, 8)?;
        let contour_ends = section(header.songs, 8)?;
        let file_ends = section(header.files, 8)?;
        let parked_ends = section(header.parked, 8)?;
        let mut levels = Vec::with_capacity(header.levels.len());
        for level in &header.levels {
            // Rows and ordinals are u32 elsewhere; padding to whole blocks must not go over.
            if level.rows > u64::from(u32::MAX) - 64 || header.songs >= u64::from(u32::MAX) {
                return None;
            }
            levels.push(LevelLayout {
                row_offsets: section(header.songs + 1, 4)?,
                scales: section(level.rows, 4)?,
                positions: section(level.rows, 2)?,
                vectors: 0..0,
            });
        }
        let texts_start = section(0, 0)?.start;
        let fingerprint = section(header.fingerprint_bytes, 1)?;
        let records = section(header.record_bytes, 1)?;
        let files = section(header.file_bytes, 1)?;
        let texts_end = section(0, 0)?.start;
        let contours = section(header.contour_bytes, 1)?;
        let parked = section(header.parked_bytes, 1)?;
        for (layout, level) in levels.iter_mut().zip(&header.levels) {
            let padded = level.rows.checked_next_multiple_of(BLOCK_ROWS as u64)?;
            layout.vectors = section(padded, usize::try_from(header.dimension).ok()?)?;
        }
        let len = section(0, 0)?.start;
        Some(Layout {
            tables: song_ids.start..texts_start,
            song_ids,
            record_ends,
            contour_ends,
            file_ends,
            parked_ends,
            levels,
            texts: texts_start..texts_end,
            fingerprint,
            records,
            files,
            contours,
            parked,
            len,
        })
    }
}

fn align(offset: usize) -> Option<usize> {
    offset.checked_next_multiple_of(ALIGN)
}
