//! Every hum window against every song window, int8, as one matrix product per level and shard of songs.

use std::ops::Range;

use rayon::prelude::*;

use super::file::SnapshotFile;
use super::{PairScores, QueryWindow, Snapshot, comparable};
use crate::kernels::{BLOCK_ROWS, ProductKernel, QueryMatrix};
use crate::quantize::quantize;
use crate::{Error, Result};

/// Rows that are worth a task of their own; the products of 60 hum windows with them still fit a core's second-level cache.
const SHARD_ROWS: u32 = 2048;

impl Snapshot {
    /// Computes the dot product of every hum window with every window of the songs (all, or the listed ones) whose level `L`
    /// and hum length `l` satisfy `0.5 <= L / l <= 2`, and calls `visit` once per song, in parallel, with its pairs: by level,
    /// then hum length, both ascending. A song without any comparable window is visited with no pairs.
    ///
    /// Returns what `visit` returned, by ascending ordinal; a song that is listed twice is visited once.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] if a vector has the wrong length or is not finite, or a listed ordinal does not exist;
    /// [`Error::SnapshotChanged`] if another program has changed the file.
    pub fn score<R: Send>(
        &self,
        queries: &[QueryWindow<'_>],
        songs: Option<&[u32]>,
        visit: impl Fn(u32, &[PairScores<'_>]) -> R + Sync,
    ) -> Result<Vec<(u32, R)>> {
        self.validate(queries)?;
        let scan = self.opened();
        let hum = HumWindows::new(scan, queries);
        let shards = shards(scan, songs)?;
        let scored: Vec<Vec<(u32, R)>> = shards
            .into_par_iter()
            .map_init(Buffers::default, |buffers, shard| score_shard(scan, &hum, shard, buffers, &visit))
            .collect();
        scan.unchanged()?;
        Ok(scored.into_iter().flatten().collect())
    }
}

/// The hum windows, sorted by length, and for each level those it is compared with, quantised.
struct HumWindows {
    groups: Vec<HumGroup>,
    levels: Vec<HumLevel>,
}

/// HumWindows windows of one length.
struct HumGroup {
    steps: u16,
    positions: Vec<u16>,
}

struct HumLevel {
    /// Comparable lengths: groups of [`HumWindows`]. Sorted by length, they are neighbours.
    groups: Range<usize>,
    /// Their windows, group by group.
    matrix: QueryMatrix,
    scales: Vec<f32>,
}

impl HumWindows {
    fn new(scan: &SnapshotFile, queries: &[QueryWindow<'_>]) -> HumWindows {
        let mut sorted: Vec<&QueryWindow<'_>> = queries.iter().collect();
        sorted.sort_by_key(|q| q.steps);
        let by_length: Vec<&[&QueryWindow<'_>]> = sorted.chunk_by(|a, b| a.steps == b.steps).collect();
        let groups: Vec<HumGroup> = by_length
            .iter()
            .map(|windows| HumGroup { steps: windows[0].steps, positions: windows.iter().map(|q| q.position).collect() })
            .collect();
        let level = |level: usize| {
            let steps = scan.steps(level);
            let first = groups.iter().position(|g| comparable(g.steps, steps)).unwrap_or(0);
            let count = groups.iter().filter(|g| comparable(g.steps, steps)).count();
            let windows = by_length[first..first + count].concat();
            let dimension = scan.dimension();
            let mut values = vec![0i8; windows.len() * dimension];
            let scales =
                values.chunks_exact_mut(dimension).zip(&windows).map(|(out, window)| quantize(window.vector, out)).collect();
            HumLevel { groups: first..first + count, matrix: QueryMatrix::new(dimension, values), scales }
        };
        let levels = (0..scan.levels()).map(level).collect();
        HumWindows { groups, levels }
    }
}

/// Ranges of neighbouring songs, each about [`SHARD_ROWS`] rows.
fn shards(scan: &SnapshotFile, songs: Option<&[u32]>) -> Result<Vec<Range<u32>>> {
    let rows = |song: u32| (0..scan.levels()).map(|level| scan.song_rows(level, song..song + 1).len() as u32).sum::<u32>();
    let mut shards: Vec<Range<u32>> = Vec::new();
    let mut filled = 0;
    let mut add = |song: u32| {
        match shards.last_mut() {
            Some(last) if last.end == song && filled < SHARD_ROWS => last.end = song + 1,
            _ => {
                shards.push(song..song + 1);
                filled = 0;
            }
        }
        filled += rows(song);
    };
    match songs {
        None => (0..scan.songs()).for_each(add),
        Some(listed) => {
            let mut sorted = listed.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            if let Some(&last) = sorted.last().filter(|&&last| last >= scan.songs()) {
                return Err(Error::InvalidQuery(format!("there is no song {last} among {}", scan.songs())));
            }
            sorted.into_iter().for_each(&mut add);
        }
    }
    Ok(shards)
}

/// What a thread keeps from shard to shard.
#[derive(Default)]
struct Buffers {
    /// Per level: products with the rows of the shard, rounded outwards to whole blocks.
    products: Vec<Vec<i32>>,
    positions: Vec<u16>,
    scores: Vec<f32>,
}

fn score_shard<R>(
    scan: &SnapshotFile,
    hum: &HumWindows,
    shard: Range<u32>,
    buffers: &mut Buffers,
    visit: &impl Fn(u32, &[PairScores<'_>]) -> R,
) -> Vec<(u32, R)> {
    let Buffers { products, positions, scores } = buffers;
    products.resize_with(scan.levels(), Vec::new);
    let block_ranges: Vec<Range<usize>> = (0..scan.levels())
        .map(|level| {
            let rows = scan.song_rows(level, shard.clone());
            if rows.is_empty() || hum.levels[level].groups.is_empty() {
                return 0..0;
            }
            let blocks = rows.start as usize / BLOCK_ROWS..(rows.end as usize).div_ceil(BLOCK_ROWS);
            let matrix = &hum.levels[level].matrix;
            products[level].resize(matrix.padded_rows() * blocks.len() * BLOCK_ROWS, 0);
            ProductKernel::best().products(matrix, scan.blocks(level, blocks.clone()), &mut products[level]);
            blocks
        })
        .collect();

    let mut results = Vec::with_capacity(shard.len());
    for song in shard {
        positions.clear();
        scores.clear();
        // Where each level's positions and each pair's scores lie in the buffers, which may still move while they grow.
        let mut pairs: Vec<(usize, usize, Range<usize>, Range<usize>)> = Vec::new();
        for (level, blocks) in block_ranges.iter().enumerate() {
            let rows = scan.song_rows(level, song..song + 1);
            if blocks.is_empty() || rows.is_empty() {
                continue;
            }
            let columns = blocks.len() * BLOCK_ROWS;
            let first_column = rows.start as usize - blocks.start * BLOCK_ROWS;
            let song_positions = positions.len()..positions.len() + rows.len();
            positions.extend(scan.positions(level, rows.clone()).iter().map(|p| u16::from_le_bytes(*p)));
            let song_scales = scan.scales(level, rows);
            let mut window = 0;
            for group in hum.levels[level].groups.clone() {
                let begin = scores.len();
                for _ in &hum.groups[group].positions {
                    let hum_scale = hum.levels[level].scales[window];
                    let row = &products[level][window * columns + first_column..][..song_scales.len()];
                    scores.extend(row.iter().zip(song_scales).map(|(&p, s)| p as f32 * (hum_scale * f32::from_le_bytes(*s))));
                    window += 1;
                }
                pairs.push((level, group, song_positions.clone(), begin..scores.len()));
            }
        }
        let pairs: Vec<PairScores<'_>> = pairs
            .into_iter()
            .map(|(level, group, song_positions, range)| PairScores {
                hum_steps: hum.groups[group].steps,
                level,
                hum_positions: &hum.groups[group].positions,
                song_positions: &positions[song_positions],
                scores: &scores[range],
            })
            .collect();
        results.push((song, visit(song, &pairs)));
    }
    results
}
