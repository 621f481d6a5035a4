//! Writing the scan file from the store, song by song: memory grows with the tables only (a few bytes per vector).

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::bias;
use super::layout::{BLOCK_ROWS, Header, Layout, LevelHeader};
use crate::error::io;
use crate::store::{LevelBytes, Stamp, Store, parse_vectors};
use crate::{Error, Fingerprint, Result, SongId, space};

/// Writes the scan file of everything in `store` beside `path` and renames it to `path`.
///
/// The store must not change meanwhile.
pub(crate) fn write(store: &Store, fingerprint: &Fingerprint, stamp: Stamp, path: &Path) -> Result<()> {
    let (ids, row_offsets) = count(store, fingerprint)?;
    let level_header = |(offsets, level): (&Vec<u32>, &crate::Level)| LevelHeader {
        steps: u32::from(level.steps),
        rows: offsets.last().copied().unwrap_or(0),
        vectors_checksum: 0,
    };
    let mut header = Header {
        stamp,
        dimension: fingerprint.dimension,
        songs: ids.len() as u32,
        levels: row_offsets.iter().zip(&fingerprint.levels).map(level_header).collect(),
        tables_checksum: 0,
    };
    let layout = Layout::new(&header).ok_or_else(too_large)?;

    let temporary = path.with_extension("new");
    space::ask_for(path.parent().unwrap_or(path), space::RESERVE + layout.len as u64)?;
    let mut file = File::create(&temporary).map_err(io(&temporary))?;
    file.set_len(layout.len as u64).map_err(io(&temporary))?;
    let mut levels = Vec::with_capacity(layout.levels.len());
    for level in &layout.levels {
        levels.push(LevelWriter::new(&temporary, &level.vectors, fingerprint.dimension as usize)?);
    }
    for (ordinal, &id) in ids.iter().enumerate() {
        let bytes = store.vectors(id)?.ok_or_else(|| Error::Damaged(format!("song {id} has no vectors")))?;
        let song = parse_vectors(fingerprint, &bytes)
            .filter(|song| song.iter().zip(&row_offsets).all(|(l, o)| l.positions.len() as u32 == o[ordinal + 1] - o[ordinal]))
            .ok_or_else(|| Error::Damaged(format!("the vectors of song {id} do not fit its record")))?;
        for (writer, windows) in levels.iter_mut().zip(&song) {
            writer.add(windows).map_err(io(&temporary))?;
        }
    }

    let mut tables = vec![0u8; layout.tables.len()];
    let mut put = |range: &Range<usize>, bytes: &mut dyn Iterator<Item = u8>| {
        let at = range.start - layout.tables.start..range.end - layout.tables.start;
        tables[at].iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    };
    put(&layout.song_ids, &mut ids.iter().flat_map(|id| id.0.to_le_bytes()));
    for (i, writer) in levels.into_iter().enumerate() {
        let tables = writer.finish().map_err(io(&temporary))?;
        header.levels[i].vectors_checksum = tables.checksum;
        put(&layout.levels[i].row_offsets, &mut row_offsets[i].iter().flat_map(|o| o.to_le_bytes()));
        put(&layout.levels[i].scales, &mut tables.scales.into_iter());
        put(&layout.levels[i].positions, &mut tables.positions.into_iter());
    }
    header.tables_checksum = xxh3_64(&tables);
    let mut write_out = || {
        file.write_all(&header.to_bytes())?;
        file.seek(SeekFrom::Start(layout.tables.start as u64))?;
        file.write_all(&tables)?;
        file.sync_all()
    };
    write_out().map_err(io(&temporary))?;
    std::fs::rename(&temporary, path).map_err(io(path))
}

/// Song ids in order, and for each level where each song's rows begin (one entry more than songs).
fn count(store: &Store, fingerprint: &Fingerprint) -> Result<(Vec<SongId>, Vec<Vec<u32>>)> {
    let mut ids = Vec::new();
    let mut row_offsets = vec![vec![0u32]; fingerprint.levels.len()];
    for song in store.songs() {
        let song = song?;
        if song.windows.len() != row_offsets.len() {
            return Err(Error::Damaged(format!("song {} has windows of {} lengths", song.id, song.windows.len())));
        }
        for (offsets, &rows) in row_offsets.iter_mut().zip(&song.windows) {
            // Room for padding to whole blocks is kept.
            let begin = offsets.last().copied().unwrap_or(0);
            offsets.push(begin.checked_add(rows).filter(|&end| end < u32::MAX - 64).ok_or_else(too_large)?);
        }
        ids.push(song.id);
    }
    if ids.len() >= u32::MAX as usize {
        return Err(too_large());
    }
    Ok((ids, row_offsets))
}

fn too_large() -> Error {
    Error::Damaged("it claims more windows than a scan file can hold".into())
}

/// Writes one level's vectors, interleaved, and collects its tables.
struct LevelWriter {
    out: BufWriter<File>,
    dimension: usize,
    block: Vec<u8>,
    rows_in_block: usize,
    hasher: Xxh3Default,
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
        let mut file = File::options().write(true).open(path).map_err(io(path))?;
        file.seek(SeekFrom::Start(range.start as u64)).map_err(io(path))?;
        Ok(LevelWriter {
            out: BufWriter::with_capacity(1 << 18, file),
            dimension,
            block: vec![bias(0); BLOCK_ROWS * dimension],
            rows_in_block: 0,
            hasher: Xxh3Default::new(),
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
        self.hasher.update(&self.block);
        self.out.write_all(&self.block)?;
        self.block.fill(bias(0));
        self.rows_in_block = 0;
        Ok(())
    }

    fn finish(mut self) -> std::io::Result<LevelTables> {
        if self.rows_in_block > 0 {
            self.write_block()?;
        }
        self.out.flush()?;
        self.tables.checksum = self.hasher.digest();
        Ok(self.tables)
    }
}
