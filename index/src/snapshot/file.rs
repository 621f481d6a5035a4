//! The snapshot file: what is small is held, contours are read when they are wanted, vectors are memory-mapped.

use std::ops::Range;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::layout::{Header, Layout};
use super::source::Source;
use crate::change::Counters;
use crate::derived::Derived;
use crate::kernels::{BLOCK_ROWS, bias};
use crate::mapping::Mapping;
use crate::store::{Birth, Stamp};
use crate::values::{self, SongBytes, SongRecord};
use crate::{Error, FileRecord, Fingerprint, Result, SongId};

/// An open snapshot file.
pub(crate) struct SnapshotFile {
    source: Source,
    /// Header, tables and texts, as the file begins: they were checked, and stay as they are whatever happens to the file.
    head: Vec<u8>,
    /// The vectors of all levels; `None` if there are none.
    vectors: Option<Mapping>,
    header: Header,
    layout: Layout,
    fingerprint: Fingerprint,
}

impl SnapshotFile {
    /// Opens the file if its header, tables and records are whole; otherwise says what is wrong.
    pub(crate) fn open(path: &Path) -> std::result::Result<SnapshotFile, Derived> {
        let damaged = |reason: &str| Derived::Damaged(reason.to_string());
        let unreadable = |error: Error| Derived::Damaged(error.to_string());
        let source = Source::open(path)?;
        let len = usize::try_from(source.len()).map_err(|_| damaged("it is too large for this machine"))?;
        let header = Header::parse(&source.bytes(0..len.min(Header::LONGEST)).map_err(unreadable)?).map_err(Derived::Damaged)?;
        // Before anything is allocated by what the header says.
        let layout = Layout::new(&header).filter(|l| l.len == len).ok_or_else(|| damaged("it has the wrong length"))?;
        let head = source.bytes(0..layout.texts.end).map_err(unreadable)?;
        if xxh3_64(&head[layout.tables.clone()]) != header.tables_sum {
            return Err(damaged("its tables have another checksum"));
        }
        if xxh3_64(&head[layout.texts.clone()]) != header.texts_sum {
            return Err(damaged("its records have another checksum"));
        }
        let fingerprint: Fingerprint =
            values::from_bytes(&head[layout.fingerprint.clone()], "fingerprint").map_err(|e| Derived::Damaged(e.to_string()))?;
        let levels_fit = header.levels.iter().map(|l| l.steps).eq(fingerprint.levels.iter().map(|l| u64::from(l.steps)));
        if header.dimension != u64::from(fingerprint.dimension) || !levels_fit || fingerprint.validate().is_err() {
            return Err(damaged("its windows are not those of its models"));
        }
        let vectors = Some(layout.vectors()).filter(|vectors| !vectors.is_empty());
        let vectors = vectors.map(|vectors| source.map(vectors)).transpose().map_err(unreadable)?;
        let snapshot = SnapshotFile { source, head, vectors, header, layout, fingerprint };
        if !snapshot.tables_fit() {
            return Err(damaged("its tables do not fit together"));
        }
        Ok(snapshot)
    }

    /// The identity and the generation that the header of a file tells.
    pub(crate) fn stamp(path: &Path) -> Option<u128> {
        let source = Source::open(path).ok()?;
        let len = usize::try_from(source.len()).ok()?;
        let header = Header::parse(&source.bytes(0..len.min(Header::LONGEST)).ok()?).ok()?;
        Some(u128::from(header.identity) << 64 | u128::from(header.counters.generation))
    }

    /// Whether the tables lead to places inside the sections, and nowhere else.
    fn tables_fit(&self) -> bool {
        let ends_fit = |ends: &Range<usize>, section: &Range<usize>| {
            let ends = self.numbers(ends);
            ends.is_sorted_by_key(|e| u64::from_le_bytes(*e))
                && ends.last().map_or(0, |e| u64::from_le_bytes(*e)) == section.len() as u64
        };
        let l = &self.layout;
        let rows_fit = self.header.levels.iter().enumerate().all(|(level, header)| {
            let offsets = self.row_offsets(level);
            let read = |o: &[u8; 4]| u32::from_le_bytes(*o);
            offsets.is_sorted_by_key(read)
                && offsets.first().map(read) == Some(0)
                && offsets.last().map(|o| u64::from(read(o))) == Some(header.rows)
        });
        ends_fit(&l.record_ends, &l.records)
            && ends_fit(&l.contour_ends, &l.contours)
            && ends_fit(&l.file_ends, &l.files)
            && ends_fit(&l.parked_ends, &l.parked)
            && rows_fit
            && self.numbers(&l.song_ids).is_sorted_by_key(|id| u64::from_le_bytes(*id))
    }

    /// Compares contours, parked files and vectors with their checksums: reads the whole file.
    pub(crate) fn check_deep(&self) -> Derived {
        let contours = (&self.layout.contours, self.header.contours_sum, "its contours have".to_string());
        let parked = (&self.layout.parked, self.header.parked_sum, "what it keeps of files that are gone has".to_string());
        let levels = self.layout.levels.iter().zip(&self.header.levels);
        let levels = levels.map(|(l, h)| (&l.vectors, h.vectors_sum, format!("its vectors of {} steps have", h.steps)));
        for (section, sum, what) in [contours, parked].into_iter().chain(levels) {
            match self.source.checksum(section) {
                Ok(found) if found == sum => {}
                Ok(_) => return Derived::Damaged(format!("{what} another checksum")),
                Err(Error::SnapshotChanged(_)) => return Derived::Damaged("another program has changed it".to_string()),
                Err(error) => return Derived::Damaged(error.to_string()),
            }
        }
        Derived::Current
    }

    /// Refuses to vouch for the vectors that were read if another program has changed the file since it was opened. Nothing else
    /// needs it: contours have checksums, and what is small was read at opening.
    ///
    /// # Errors
    /// [`Error::SnapshotChanged`].
    pub(crate) fn unchanged(&self) -> Result<()> {
        match &self.vectors {
            Some(vectors) if !vectors.is_whole() => Err(Error::SnapshotChanged(self.path().to_path_buf())),
            _ => self.source.unchanged(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.source.path()
    }

    /// Its length, bytes.
    pub(crate) fn len(&self) -> u64 {
        self.source.len()
    }

    pub(crate) fn birth(&self) -> Birth {
        Birth { identity: self.header.identity, fingerprint: self.fingerprint.clone() }
    }

    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    pub(crate) fn counters(&self) -> Counters {
        self.header.counters
    }

    /// What a graph of these vectors is made from.
    pub(crate) fn vectors_stamp(&self) -> Stamp {
        Stamp { identity: self.header.identity, generation: self.header.counters.vectors }
    }

    pub(crate) fn dimension(&self) -> usize {
        self.header.dimension as usize
    }

    pub(crate) fn songs(&self) -> u32 {
        self.header.songs as u32
    }

    pub(crate) fn files(&self) -> usize {
        self.header.files as usize
    }

    pub(crate) fn parked(&self) -> usize {
        self.header.parked as usize
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
        self.header.levels[level].rows as u32
    }

    fn numbers(&self, section: &Range<usize>) -> &[[u8; 8]] {
        self.head[section.clone()].as_chunks().0
    }

    /// Where the `at`-th part of a section lies that is cut at `ends`, which were found to lead nowhere else.
    fn place(&self, section: &Range<usize>, ends: &Range<usize>, at: usize) -> Option<Range<usize>> {
        let ends = self.numbers(ends);
        let end = u64::from_le_bytes(*ends.get(at)?) as usize;
        let begin = if at == 0 { 0 } else { u64::from_le_bytes(ends[at - 1]) as usize };
        Some(section.start + begin..section.start + end)
    }

    /// A part of a section that is held.
    fn held(&self, section: &Range<usize>, ends: &Range<usize>, at: usize) -> Option<&[u8]> {
        self.head.get(self.place(section, ends, at)?)
    }

    pub(crate) fn song_id(&self, ordinal: u32) -> Option<SongId> {
        self.numbers(&self.layout.song_ids).get(ordinal as usize).map(|id| SongId(u64::from_le_bytes(*id)))
    }

    /// The ordinal of a song; ids ascend with ordinals.
    pub(crate) fn ordinal(&self, id: SongId) -> Option<u32> {
        let ids = self.numbers(&self.layout.song_ids);
        ids.binary_search_by_key(&id.0, |bytes| u64::from_le_bytes(*bytes)).ok().map(|at| at as u32)
    }

    /// The record of a song as bytes.
    pub(crate) fn record_bytes(&self, ordinal: u32) -> Option<&[u8]> {
        self.held(&self.layout.records, &self.layout.record_ends, ordinal as usize)
    }

    pub(crate) fn record(&self, ordinal: u32) -> Result<(SongId, SongRecord)> {
        let id = self.song_id(ordinal).ok_or_else(|| no_song(ordinal))?;
        Ok((id, SongRecord::parse(id, self.record_bytes(ordinal).unwrap_or_default())?))
    }

    /// The key of a song.
    pub(crate) fn key(&self, ordinal: u32) -> Result<&str> {
        let id = self.song_id(ordinal).ok_or_else(|| no_song(ordinal))?;
        SongRecord::key_of(id, self.record_bytes(ordinal).unwrap_or_default())
    }

    fn contour_bytes(&self, ordinal: u32) -> Result<Vec<u8>> {
        let place = self.place(&self.layout.contours, &self.layout.contour_ends, ordinal as usize);
        self.source.bytes(place.ok_or_else(|| no_song(ordinal))?)
    }

    /// The contour of a song, compared with its checksum.
    pub(crate) fn contour(&self, ordinal: u32) -> Result<Vec<f32>> {
        let (id, record) = self.record(ordinal)?;
        let bytes = self.contour_bytes(ordinal)?;
        if xxh3_64(&bytes) != record.contour_sum {
            self.unchanged()?;
            return Err(Error::SnapshotDamaged {
                path: self.path().to_path_buf(),
                what: format!("the contour of {}", record.key),
            });
        }
        values::decode_contour(id, &bytes)
    }

    /// All of a song as the store has it, compared with its checksums.
    pub(crate) fn song_bytes(&self, ordinal: u32) -> Result<SongBytes> {
        let id = self.song_id(ordinal).ok_or_else(|| no_song(ordinal))?;
        let song = SongBytes {
            record: self.record_bytes(ordinal).unwrap_or_default().to_vec(),
            contour: self.contour_bytes(ordinal)?,
            vectors: self.vectors_bytes(ordinal),
        };
        self.unchanged()?;
        song.check(id)?;
        Ok(song)
    }

    /// The vectors of a song as [`values::encode_vectors`] lays them out.
    fn vectors_bytes(&self, ordinal: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut vector = vec![0i8; self.dimension()];
        for level in 0..self.levels() {
            let rows = self.song_rows(level, ordinal..ordinal + 1);
            bytes.extend_from_slice(&self.steps(level).to_le_bytes());
            bytes.extend_from_slice(&(rows.len() as u32).to_le_bytes());
            bytes.extend_from_slice(self.positions(level, rows.clone()).as_flattened());
            bytes.extend_from_slice(self.scales(level, rows.clone()).as_flattened());
            for row in rows {
                self.vector(level, row, &mut vector);
                bytes.extend(vector.iter().map(|&x| x as u8));
            }
        }
        bytes
    }

    /// The record of a file as bytes.
    pub(crate) fn file_bytes(&self, at: usize) -> Option<&[u8]> {
        self.held(&self.layout.files, &self.layout.file_ends, at)
    }

    pub(crate) fn file(&self, at: usize) -> Result<FileRecord> {
        values::from_bytes(self.file_bytes(at).unwrap_or_default(), "a file's record")
    }

    /// A file that is gone, with its songs, as bytes.
    pub(crate) fn parked_bytes(&self, at: usize) -> Option<Vec<u8>> {
        self.source.bytes(self.place(&self.layout.parked, &self.layout.parked_ends, at)?).ok()
    }

    fn row_offsets(&self, level: usize) -> &[[u8; 4]] {
        self.head[self.layout.levels[level].row_offsets.clone()].as_chunks().0
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
        &self.head[self.layout.levels[level].scales.clone()].as_chunks().0[rows.start as usize..rows.end as usize]
    }

    /// Positions of rows, little-endian u16.
    pub(crate) fn positions(&self, level: usize, rows: Range<u32>) -> &[[u8; 2]] {
        &self.head[self.layout.levels[level].positions.clone()].as_chunks().0[rows.start as usize..rows.end as usize]
    }

    /// Interleaved blocks of a level. What another program has cut off is zeros: ask [`SnapshotFile::unchanged`] afterwards.
    pub(crate) fn blocks(&self, level: usize, blocks: Range<usize>) -> &[u8] {
        let block = BLOCK_ROWS * self.dimension();
        let begin = self.layout.levels[level].vectors.start - self.layout.vectors().start;
        let mapped = self.vectors.as_ref().map_or(&[][..], Mapping::bytes);
        &mapped[begin + blocks.start * block..begin + blocks.end * block]
    }

    /// Copies one vector out of its block, of which the same is to be said.
    pub(crate) fn vector(&self, level: usize, row: u32, out: &mut [i8]) {
        let (block, lane) = (row as usize / BLOCK_ROWS, row as usize % BLOCK_ROWS);
        let bytes = self.blocks(level, block..block + 1);
        for (to, group) in out.chunks_exact_mut(4).zip(bytes.chunks_exact(BLOCK_ROWS * 4)) {
            for (to, &from) in to.iter_mut().zip(&group[lane * 4..lane * 4 + 4]) {
                *to = bias(from) as i8;
            }
        }
    }
}

fn no_song(ordinal: u32) -> Error {
    Error::InvalidQuery(format!("there is no song {ordinal}"))
}
