//! The HNSW graph beside the exact scan: what it costs, what it finds.

use std::time::Instant;

use qbh::eval::ranks::quantile;
use qbh::search::embed::queries;
use qbh::search::{SearchMethod, SearchOptions, Searcher};
use qbh_index::{FirstStage, Hnsw, Index};
use qbh_models::embedder::Embedder;
use qbh_models::embedder::windows::embed_hum;

use crate::HUMS;
use crate::process::{cpu_seconds, own_memory};
use crate::songs::hum;

/// Songs up to which the graph is built: minutes.
const LARGEST: usize = 1000;
/// Songs of the exact ranking that the graph should find too.
const RECALL_AT: usize = 200;

/// What a graph took: CPU seconds to build, seconds to load, bytes of memory.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    vectors: usize,
    build: f64,
    reload: f64,
    bytes: f64,
}

/// Prints a row for each stage; for the graph of a larger library, what follows from that of a smaller one.
pub fn compare(index: &Index, searcher: Searcher, embedder: &dyn Embedder, songs: usize, before: Option<Cost>) -> Option<Cost> {
    println!("  first stage                   ms a hum   recall@{RECALL_AT}    build (CPU)   reload   memory");
    let (times, exact) = searched(&searcher, SearchMethod::Exact, songs);
    println!("    exact scan, votes           {:8.1}        1.000            0 s    0.0 s  0.00 GB", quantile(&times, 0.5));
    let snapshot = index.snapshot().expect("the snapshot opens");
    let (times, found) = searched(&searcher, SearchMethod::Coarse, songs);
    println!(
        "    coarse, then exact         {:8.1}        {:.3}            0 s    0.0 s  0.00 GB",
        quantile(&times, 0.5),
        recall(&exact, &found)
    );
    if songs > LARGEST {
        let Cost { vectors, build, reload, bytes } = before?;
        // Every insertion searches the graph, which takes about the logarithm of its size.
        let more = snapshot.vectors() as f64 / vectors as f64;
        let slower = (snapshot.vectors() as f64).ln() / (vectors as f64).ln();
        let [build, reload, memory] = [build * more * slower, reload * more, bytes * more / 1e9];
        println!("    HNSW, extrapolated                 -            -  {build:11.0} s  {reload:5.1} s  {memory:4.2} GB");
        return before;
    }
    let before = cpu_seconds();
    drop(Hnsw::build(&snapshot, |_, _| {}).expect("the graph is built"));
    let build = cpu_seconds() - before;
    let memory = own_memory();
    let start = Instant::now();
    let graph = Hnsw::open(&snapshot)?;
    let reload = start.elapsed().as_secs_f64();
    let bytes = own_memory() - memory;
    let (times, found) = proposed(&graph, embedder, songs);
    let (time, shared) = (quantile(&times, 0.5), recall(&exact, &found));
    println!(
        "    HNSW, {RECALL_AT} songs proposed    {time:8.1}        {shared:.3}  {build:11.0} s  {reload:5.1} s  {:4.2} GB",
        bytes / 1e9
    );
    let searcher = searcher.with_graph(Some(graph));
    let (times, found) = searched(&searcher, SearchMethod::Hnsw, songs);
    println!("    HNSW, {} proposed, voted   {:8.1}        {:.3}", 3 * RECALL_AT, quantile(&times, 0.5), recall(&exact, &found));
    Some(Cost { vectors: snapshot.vectors(), build, reload, bytes })
}

fn options(method: SearchMethod) -> SearchOptions {
    SearchOptions { method, candidates: RECALL_AT, ..SearchOptions::default() }
}

/// Mean share of the exact candidates that were found.
fn recall(exact: &[Vec<u64>], found: &[Vec<u64>]) -> f64 {
    let shared = |(exact, found): (&Vec<u64>, &Vec<u64>)| exact.iter().filter(|song| found.contains(song)).count();
    let all: usize = exact.iter().map(Vec::len).sum();
    exact.iter().zip(found).map(shared).sum::<usize>() as f64 / all as f64
}

/// Milliseconds from vectors to candidates in a search, and the candidates of each hum.
fn searched(searcher: &Searcher, method: SearchMethod, songs: usize) -> (Vec<f64>, Vec<Vec<u64>>) {
    let (mut times, mut first) = (Vec::new(), Vec::new());
    for item in 0..HUMS {
        let answer = searcher.search(&hum(item, songs).1, &options(method)).expect("the hum is searched");
        times.push(1e3 * answer.timings.score.as_secs_f64());
        first.push(answer.candidates.iter().map(|song| song.0).collect());
    }
    (times, first)
}

/// The same for what the graph alone proposes, without votes.
fn proposed(graph: &Hnsw, embedder: &dyn Embedder, songs: usize) -> (Vec<f64>, Vec<Vec<u64>>) {
    let (mut times, mut first) = (Vec::new(), Vec::new());
    for item in 0..HUMS {
        let windows = embed_hum(&hum(item, songs).1, embedder).expect("the hum is embedded");
        let queries = queries(&windows);
        let start = Instant::now();
        let found = graph.candidates(&queries, RECALL_AT).expect("the hum is searched");
        times.push(1e3 * start.elapsed().as_secs_f64());
        first.push(found.into_iter().filter_map(|song| graph.snapshot().song_id(song)).map(|id| id.0).collect());
    }
    (times, first)
}
