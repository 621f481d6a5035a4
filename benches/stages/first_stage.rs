//! From vectors to candidates.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use qbh::library::{embed_song, indexer};
use qbh::search::embed::queries;
use qbh_index::{FileIdentity, FirstStage, Hnsw, Index, ModelId, NewSong, PairScores, Tags};
use qbh_models::embedder::windows::{WindowVectors, embed_hum};
use qbh_models::embedder::{self, DEFAULT_EMBEDDER, Embedder};
use tch::{Device, Tensor};

use crate::material::Material;
use crate::measure::{median, row, section};

/// Songs that are proposed.
const CANDIDATES: usize = 100;

/// Vectors of windows of one length, `(windows, dimension)`.
type Matrices = BTreeMap<u16, Tensor>;

/// All hums against all songs, as the shipped embedder makes vectors of them.
pub fn compare(material: &Material) {
    let embedder = embedder::open(DEFAULT_EMBEDDER, Device::Cpu.into()).expect("the default embedder opens");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (index, songs) = library(dir.path(), &material.songs, embedder.as_ref());
    let snapshot = index.snapshot().expect("the snapshot opens");
    let embed = |hum| embed_hum(hum, embedder.as_ref()).expect("the hum is embedded");
    let hums: Vec<Vec<WindowVectors>> = material.hums.iter().map(embed).collect();
    let windows = hums.iter().flatten().map(|cut| cut.positions.len()).sum::<usize>() / hums.len();
    let title = format!(
        "First stage: {windows} windows of a hum against {} vectors of {} values",
        snapshot.vectors(),
        embedder.dimension()
    );
    section(&title, "libtorch's f32 matrix products of the same pairs of lengths");
    let per_hum = 1e3 / hums.len() as f64;

    let matrices: Vec<Matrices> =
        hums.iter().map(|hum| hum.iter().map(|cut| (cut.steps, matrix(&cut.vectors, embedder.dimension()))).collect()).collect();
    let base = per_hum * median(|| matrices.iter().for_each(|hum| products(hum, &songs)));
    row("libtorch f32", base, "ms a hum", 1.0);
    let queries: Vec<_> = hums.iter().map(|hum| queries(hum)).collect();
    let exact = per_hum
        * median(|| {
            for hum in &queries {
                let best = |_, pairs: &[PairScores]| pairs[0].scores.iter().copied().fold(f32::MIN, f32::max);
                black_box(snapshot.score(hum, None, best)).expect("the query is valid");
            }
        });
    row("exact int8 scan, every score", exact, "ms a hum", base / exact);
    let start = Instant::now();
    let graph = Hnsw::build(&snapshot, |_, _| {}).expect("the graph is built");
    let built = start.elapsed().as_secs_f64();
    let hnsw = per_hum * median(|| queries.iter().for_each(|hum| drop(black_box(graph.candidates(hum, CANDIDATES)))));
    row(&format!("HNSW (hnsw_rs), the best {CANDIDATES} songs"), hnsw, "ms a hum", base / hnsw);
    let open = median(|| drop(black_box(Hnsw::open(&snapshot))));
    println!("  building the graph: {built:.1} s; opening it, which a single query waits for: {open:.2} s");
}

/// An index of the songs, and their vectors as matrices.
fn library(dir: &std::path::Path, songs: &[Vec<f32>], embedder: &dyn Embedder) -> (Index, Matrices) {
    let nobody = ModelId { name: "none".into(), fingerprint: "0".into() };
    let index = Index::open(dir, &indexer::fingerprint(&nobody, embedder)).expect("a temporary index opens");
    let mut vectors: BTreeMap<u16, Vec<f32>> = BTreeMap::new();
    for (number, contour) in songs.iter().enumerate() {
        let levels = embed_song(contour, embedder).expect("the song is embedded");
        for level in &levels {
            vectors.entry(level.steps).or_default().extend(&level.vectors);
        }
        let key = format!("song {number}");
        let identity = FileIdentity { path: key.clone(), size: 0, modified_ns: 0 };
        let song = NewSong { key, tags: Tags::default(), contour: contour.clone(), levels };
        index.put_file(&identity, vec![song]).expect("a song is stored");
    }
    index.refresh().expect("the snapshot is written");
    (index, vectors.into_iter().map(|(steps, vectors)| (steps, matrix(&vectors, embedder.dimension()))).collect())
}

fn matrix(vectors: &[f32], dimension: usize) -> Tensor {
    Tensor::from_slice(vectors).view([-1, dimension as i64])
}

/// Every product that a search needs: windows of the song half to twice as long as those of the hum.
fn products(hum: &Matrices, songs: &Matrices) {
    for (&short, hum) in hum {
        for (_, song) in songs.range(short.div_ceil(2)..=2 * short) {
            drop(black_box(hum.matmul(&song.tr())));
        }
    }
}
