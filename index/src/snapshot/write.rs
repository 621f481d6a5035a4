//! Writing a snapshot from the store, song by song: memory grows with tables and records only (some hundred bytes a song).

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::layout::{Header, Layout, LevelHeader};
use crate::error::io;
use crate::failpoint;
use crate::kernels::{BLOCK_ROWS, bias};
use crate::store::Store;
use crate::values::{self, LevelBytes, SongRecord, parse_vectors};
use crate::{Error, Result, SongId, folder, space};

/// Writes the snapshot of everything in `store` beside `path` and renames it to `path`. Returns its length.
///
/// The store must not change meanwhile. A crash, or an error, leaves the snapshot that was there.
pub(crate) fn write(store: &Store, path: &Path) -> Result<u64> {
    let temporary = path.with_extension("new");
    let written = write_beside(store, &temporary);
    if written.is_err() {
        // The room it took is wanted elsewhere.
        let _ = std::fs::remove_file(&temporary);
    }
    let length = written?;
    failpoint::point("snapshot.rename").and_then(|()| std::fs::rename(&temporary, path)).map_err(io(path))?;
    folder::sync(path)?;
    Ok(length)
}

fn write_beside(store: &Store, temporary: &Path) -> Result<u64> {
    let birth = store.birth()?;
    let dimension = birth.fingerprint.dimension as usize;
    let tables = Tables::read(store, birth.fingerprint.levels.len())?;
    let fingerprint = values::to_bytes(&birth.fingerprint)?;
    let level_header = |(offsets, level): (&Vec<u32>, &crate::Level)| LevelHeader {
        steps: u64::from(level.steps),
        rows: u64::from(offsets.last().copied().unwrap_or(0)),
        vectors_sum: 0,
    };
    let mut header = Header {
        identity: birth.identity,
        counters: store.counters()?,
        dimension: u64::from(birth.fingerprint.dimension),
        songs: tables.ids.len() as u64,
        files: tables.file_ends.len() as u64,
        parked: tables.parked_ends.len() as u64,
        fingerprint_bytes: fingerprint.len() as u64,
        record_bytes: tables.records.len() as u64,
        file_bytes: tables.files.len() as u64,
        contour_bytes: tables.contour_ends.last().copied().unwrap_or(0),
        parked_bytes: tables.parked_ends.last().copied().unwrap_or(0),
        levels: tables.row_offsets.iter().zip(&birth.fingerprint.levels).map(level_header).collect(),
        ..Header::default()
    };
    let layout = Layout::new(&header).ok_or_else(too_large)?;

    // Not beside the reserve, which is there so that what was stored can still be published.
    space::ask_for(temporary.parent().unwrap_or(temporary), space::TO_OPEN + layout.len as u64)?;
    let mut file = File::create(temporary).map_err(io(temporary))?;
    file.set_len(layout.len as u64).map_err(io(temporary))?;

    // What is large goes from the store to its place, value by value.
    let mut levels = Vec::with_capacity(layout.levels.len());
    for level in &layout.levels {
        levels.push(LevelWriter::new(temporary, &level.vectors, dimension)?);
    }
    let mut contours = SectionWriter::new(temporary, &layout.contours)?;
    for (ordinal, &id) in tables.ids.iter().enumerate() {
        let song = store.song_bytes(id)?.ok_or_else(|| Error::Damaged(format!("song {id} is gone")))?;
        let windows = parse_vectors(&birth.fingerprint, &song.vectors)
            .filter(|w| w.iter().zip(&tables.row_offsets).all(|(l, o)| l.positions.len() as u32 == o[ordinal + 1] - o[ordinal]))
            .ok_or_else(|| Error::Damaged(format!("the vectors of song {id} do not fit its record")))?;
        let room = tables.contour_ends[ordinal] - ordinal.checked_sub(1).map_or(0, |before| tables.contour_ends[before]);
        if song.contour.len() as u64 != room {
            return Err(Error::Damaged(format!("the contour of song {id} does not fit its record")));
        }
        failpoint::point("snapshot.song").map_err(io(temporary))?;
        contours.add(&song.contour).map_err(io(temporary))?;
        for (writer, windows) in levels.iter_mut().zip(&windows) {
            writer.add(windows).map_err(io(temporary))?;
        }
    }
    header.contours_sum = contours.finish().map_err(io(temporary))?;
    let mut parked = SectionWriter::new(temporary, &layout.parked)?;
    for entry in store.all_parked() {
        parked.add(&entry?.1).map_err(io(temporary))?;
    }
    header.parked_sum = parked.finish().map_err(io(temporary))?;

    let mut table_bytes = vec![0u8; layout.tables.len()];
    let mut put = |range: &Range<usize>, bytes: &mut dyn Iterator<Item = u8>| {
        let at = range.start - layout.tables.start..range.end - layout.tables.start;
        table_bytes[at].iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    };
    put(&layout.song_ids, &mut tables.ids.iter().flat_map(|id| id.0.to_le_bytes()));
    let ends = [
        (&layout.record_ends, &tables.record_ends),
        (&layout.contour_ends, &tables.contour_ends),
        (&layout.file_ends, &tables.file_ends),
        (&layout.parked_ends, &tables.parked_ends),
    ];
    for (section, ends) in ends {
        put(section, &mut ends.iter().flat_map(|end| end.to_le_bytes()));
    }
    for (i, writer) in levels.into_iter().enumerate() {
        let level = writer.finish().map_err(io(temporary))?;
        header.levels[i].vectors_sum = level.checksum;
        put(&layout.levels[i].row_offsets, &mut tables.row_offsets[i].iter().flat_map(|o| o.to_le_bytes()));
        put(&layout.levels[i].scales, &mut level.scales.into_iter());
        put(&layout.levels[i].positions, &mut level.positions.into_iter());
    }
    header.tables_sum = xxh3_64(&table_bytes);
    let mut texts = vec![0u8; layout.texts.len()];
    for (section, bytes) in
        [(&layout.fingerprint, &fingerprint), (&layout.records, &tables.records), (&layout.files, &tables.files)]
    {
        texts[section.start - layout.texts.start..section.end - layout.texts.start].copy_from_slice(bytes);
    }
    header.texts_sum = xxh3_64(&texts);
    let mut write_out = || {
        failpoint::point("snapshot.header")?;
        file.write_all(&header.to_bytes())?;
        for (section, bytes) in [(&layout.tables, &table_bytes), (&layout.texts, &texts)] {
            file.seek(SeekFrom::Start(section.start as u64))?;
            file.write_all(bytes)?;
        }
        file.sync_all()
    };
    write_out().map_err(io(temporary))?;
    Ok(layout.len as u64)
}

/// What is small: it is gathered before anything is written, because all places follow from it.
#[derive(Default)]
struct Tables {
    ids: Vec<SongId>,
    records: Vec<u8>,
    record_ends: Vec<u64>,
    contour_ends: Vec<u64>,
    files: Vec<u8>,
    file_ends: Vec<u64>,
    parked_ends: Vec<u64>,
    /// For each level where each song's rows begin, one entry more than songs.
    row_offsets: Vec<Vec<u32>>,
}

impl Tables {
    fn read(store: &Store, levels: usize) -> Result<Tables> {
        let mut tables = Tables { row_offsets: vec![vec![0u32]; levels], ..Tables::default() };
        let (mut contour_end, mut parked_end) = (0, 0);
        for entry in store.records() {
            let (id, bytes) = entry?;
            let record = SongRecord::parse(id, &bytes)?;
            if record.windows.len() != levels {
                return Err(Error::Damaged(format!("song {id} has windows of {} lengths", record.windows.len())));
            }
            for (offsets, &rows) in tables.row_offsets.iter_mut().zip(&record.windows) {
                // Room for padding to whole blocks is kept.
                let begin = offsets.last().copied().unwrap_or(0);
                offsets.push(begin.checked_add(rows).filter(|&end| end < u32::MAX - 64).ok_or_else(too_large)?);
            }
            tables.records.extend_from_slice(&bytes);
            tables.record_ends.push(tables.records.len() as u64);
            contour_end += 2 * u64::from(record.steps);
            tables.contour_ends.push(contour_end);
            tables.ids.push(id);
        }
        for entry in store.file_bytes() {
            tables.files.extend_from_slice(&entry?.1);
            tables.file_ends.push(tables.files.len() as u64);
        }
        for entry in store.all_parked() {
            parked_end += entry?.1.len() as u64;
            tables.parked_ends.push(parked_end);
        }
        Ok(tables)
    }
}

fn too_large() -> Error {
    Error::Damaged("it claims more windows than a snapshot can hold".into())
}

/// Writes a section from its beginning on.
struct SectionWriter {
    out: BufWriter<File>,
    hasher: Xxh3Default,
}

impl SectionWriter {
    fn new(path: &Path, range: &Range<usize>) -> Result<SectionWriter> {
        let mut file = File::options().write(true).open(path).map_err(io(path))?;
        file.seek(SeekFrom::Start(range.start as u64)).map_err(io(path))?;
        Ok(SectionWriter { out: BufWriter::with_capacity(1 << 18, file), hasher: Xxh3Default::new() })
    }

    fn add(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }

    /// Its checksum.
    fn finish(mut self) -> std::io::Result<u64> {
        self.out.flush()?;
        Ok(self.hasher.digest())
    }
}

/// Writes one level's vectors, interleaved, and collects its tables.
struct LevelWriter {
    out: SectionWriter,
    dimension: usize,
    block: Vec<u8>,
    rows_in_block: usize,
    tables: LevelTables,
}

#[derive(Default)]
struct LevelTables {
    scales: Vec<u8>,
    positions: Vec<u8>,
    checksum: u64,
}

impl LevelWriter {
    fn new(path: &Path, range: &Range<usize>, dimension: usize) -> Result<LevelWriter> {
        Ok(LevelWriter {
            out: SectionWriter::new(path, range)?,
            dimension,
            block: vec![bias(0); BLOCK_ROWS * dimension],
            rows_in_block: 0,
            tables: LevelTables::default(),
        })
    }

    fn add(&mut self, windows: &LevelBytes<'_>) -> std::io::Result<()> {
        self.tables.scales.extend_from_slice(windows.scales.as_flattened());
        self.tables.positions.extend_from_slice(windows.positions.as_flattened());
        for vector in windows.vectors.chunks_exact(self.dimension) {
            let row = self.rows_in_block;
            for (group, four) in self.block.chunks_exact_mut(BLOCK_ROWS * 4).zip(vector.chunks_exact(4)) {
                for (to, &from) in group[row * 4..row * 4 + 4].iter_mut().zip(four) {
                    *to = bias(from);
                }
            }
            self.rows_in_block += 1;
            if self.rows_in_block == BLOCK_ROWS {
                self.write_block()?;
            }
        }
        Ok(())
    }

    fn write_block(&mut self) -> std::io::Result<()> {
        self.out.add(&self.block)?;
        self.block.fill(bias(0));
        self.rows_in_block = 0;
        Ok(())
    }

    fn finish(mut self) -> std::io::Result<LevelTables> {
        if self.rows_in_block > 0 {
            self.write_block()?;
        }
        self.tables.checksum = self.out.finish()?;
        Ok(self.tables)
    }
}
