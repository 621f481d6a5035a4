//! Songs by their nearest windows, from an HNSW graph (Malkov and Yashunin 2018).

use std::collections::HashMap;

use hnsw_rs::prelude::{Distance, Hnsw as Graph};
use rayon::prelude::*;

use super::FirstStage;
use super::distance::{Int8Cosine, point};
use crate::quantize::quantize;
use crate::snapshot::comparable;
use crate::{QueryWindow, Result, Snapshot};

/// Windows asked for per hum window.
const NEIGHBOURS: usize = 100;
/// Windows looked at per hum window; recall@10 is .997 at 100 000 clustered vectors.
const EF_SEARCH: usize = 128;

/// Proposes the songs whose windows are nearest to the hum's. Earns its place in a process that stays up, with very many songs:
/// see [`crate::Index::open_graph`].
pub struct Hnsw {
    pub(super) snapshot: Snapshot,
    /// `None` if there is no vector.
    pub(super) graph: Option<Graph<'static, i8, Int8Cosine>>,
    pub(super) extra: Extra,
}

/// What the graph itself leaves out. A window is known by its number: its row, counted through all levels.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Extra {
    /// Equal vectors hide one another in a graph, so only one of them is in it: (the one, the other), sorted.
    pub duplicates: Vec<(u32, u32)>,
    /// Points to which no path leads; they are compared one by one. Usually none.
    pub unreachable: Vec<u32>,
}

impl Hnsw {
    /// Number of distinct vectors in the graph.
    pub fn points(&self) -> usize {
        self.graph.as_ref().map_or(0, Graph::get_nb_point)
    }

    /// The picture of the index in which the candidates are ordinals.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Nearest windows as (number, distance), nearest first.
    pub(super) fn nearest(&self, vector: &[f32], count: usize) -> Vec<(u32, f32)> {
        let mut quantized = vec![0i8; vector.len()];
        quantize(vector, &mut quantized);
        let query = point(&quantized);
        let Some(graph) = &self.graph else { return Vec::new() };
        let mut found: Vec<(u32, f32)> =
            graph.search(&query, count, EF_SEARCH.max(count)).iter().map(|n| (n.d_id as u32, n.distance)).collect();
        let mut other = vec![0i8; vector.len()];
        for &number in &self.extra.unreachable {
            if let Some((level, row)) = self.place(number) {
                self.snapshot.opened().vector(level, row, &mut other);
                found.push((number, Int8Cosine.eval(&query, &point(&other))));
            }
        }
        for i in 0..found.len() {
            let (one, distance) = found[i];
            let first = self.extra.duplicates.partition_point(|d| d.0 < one);
            let equal = self.extra.duplicates[first..].iter().take_while(|d| d.0 == one);
            found.extend(equal.map(|&(_, duplicate)| (duplicate, distance)));
        }
        found.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        found.truncate(count);
        found
    }

    /// Level and row of a window; `None` if there is no such window.
    fn place(&self, mut number: u32) -> Option<(usize, u32)> {
        let scan = self.snapshot.opened();
        for level in 0..scan.levels() {
            if number < scan.rows(level) {
                return Some((level, number));
            }
            number -= scan.rows(level);
        }
        None
    }

    /// For one hum window: by how much each song is nearer than the farthest window found, in windows that are compared.
    fn votes(&self, query: &QueryWindow<'_>) -> HashMap<u32, f32> {
        let found = self.nearest(query.vector, NEIGHBOURS);
        let farthest = found.last().map_or(0.0, |&(_, distance)| distance);
        let mut votes = HashMap::new();
        for (number, distance) in found {
            let Some((level, row)) = self.place(number) else { continue };
            if comparable(query.steps, self.snapshot.opened().steps(level)) {
                let vote = votes.entry(self.snapshot.opened().song_of_row(level, row)).or_insert(0.0f32);
                *vote = vote.max(farthest - distance);
            }
        }
        votes
    }
}

impl FirstStage for Hnsw {
    fn candidates(&self, queries: &[QueryWindow<'_>], n: usize) -> Result<Vec<u32>> {
        self.snapshot.validate(queries)?;
        let votes: Vec<HashMap<u32, f32>> = queries.par_iter().map(|query| self.votes(query)).collect();
        self.snapshot.opened().unchanged()?;
        let mut total: HashMap<u32, f32> = HashMap::new();
        for (song, vote) in votes.into_iter().flatten() {
            *total.entry(song).or_insert(0.0) += vote;
        }
        let mut songs: Vec<(u32, f32)> = total.into_iter().collect();
        songs.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        songs.truncate(n);
        Ok(songs.into_iter().map(|(song, _)| song).collect())
    }
}
