//! The graph against a full comparison, and its ways of getting out of date.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::*;

const DIMENSION: usize = 64;
const WINDOWS: usize = 20;

/// A unit vector near one of 200 centres.
fn vector(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut centre = ChaCha8Rng::seed_from_u64(rng.random_range(0..200));
    let v: Vec<f32> = (0..DIMENSION).map(|_| centre.random_range(-1.0f32..1.0) + rng.random_range(-0.7f32..0.7)).collect();
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.iter().map(|x| x / norm).collect()
}

fn put(index: &Index, name: &str, vectors: Vec<f32>) {
    let positions = (0..(vectors.len() / DIMENSION) as u16).collect();
    let levels = vec![LevelWindows { steps: 100, positions, vectors }];
    let song = NewSong { key: name.to_string(), tags: Tags::default(), contour: vec![60.0; 50], levels };
    index.put_file(&FileIdentity { path: name.to_string(), size: 1, modified_ns: 1 }, vec![song]).unwrap();
}

/// An index of `songs` songs, and its vectors in order.
fn make(dir: &std::path::Path, songs: usize) -> (Index, Vec<f32>) {
    let model = ModelId { name: "m".into(), fingerprint: "f".into() };
    let levels = vec![Level { steps: 50, windows_per_length: 4 }, Level { steps: 100, windows_per_length: 4 }];
    let fingerprint = Fingerprint { extractor: model.clone(), embedder: model, dimension: DIMENSION as u32, levels };
    let index = Index::open(dir, &fingerprint).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut all = Vec::new();
    for i in 0..songs {
        let vectors: Vec<f32> = (0..WINDOWS).flat_map(|_| vector(&mut rng)).collect();
        put(&index, &format!("song{i:05}"), vectors.clone());
        all.extend(vectors);
    }
    (index, all)
}

fn exact(all: &[f32], query: &[f32], count: usize) -> Vec<u32> {
    let dot = |v: &[f32]| v.iter().zip(query).map(|(a, b)| a * b).sum::<f32>();
    let mut ranked: Vec<(u32, f32)> = all.chunks_exact(DIMENSION).map(dot).enumerate().map(|(i, s)| (i as u32, s)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.into_iter().take(count).map(|r| r.0).collect()
}

#[test]
fn the_graph_finds_the_nearest_windows_also_after_reloading() {
    let dir = tempfile::tempdir().unwrap();
    let (index, all) = make(dir.path(), 120);
    let snapshot = index.snapshot().unwrap();
    assert!(Hnsw::open(&snapshot).is_none(), "none was built");
    let mut last = (0, 0);
    let built = Hnsw::build(&snapshot, |done, total| last = (done, total)).unwrap();
    assert_eq!(last, (all.len() / DIMENSION, all.len() / DIMENSION), "progress ends with everything done");
    let loaded = Hnsw::open(&snapshot).unwrap();
    assert_eq!(loaded.points(), all.len() / DIMENSION);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let (mut hits, queries) = (0, 100);
    for _ in 0..queries {
        let query = vector(&mut rng);
        let found: Vec<u32> = built.nearest(&query, 10).iter().map(|f| f.0).collect();
        assert_eq!(found, loaded.nearest(&query, 10).iter().map(|f| f.0).collect::<Vec<_>>());
        hits += exact(&all, &query, 10).iter().filter(|number| found.contains(number)).count();
    }
    let recall = hits as f64 / (10 * queries) as f64;
    assert!(recall > 0.95, "recall@10 is {recall}");
    // Every window finds itself: none is out of reach.
    for (number, vector) in all.chunks_exact(DIMENSION).enumerate() {
        assert_eq!(loaded.nearest(vector, 1)[0].0, number as u32);
    }
}

#[test]
fn the_song_of_the_hum_is_proposed_first() {
    let dir = tempfile::tempdir().unwrap();
    let (index, all) = make(dir.path(), 100);
    let snapshot = index.snapshot().unwrap();
    let hnsw = Hnsw::build(&snapshot, |_, _| ()).unwrap();
    for song in [0usize, 57, 99] {
        let windows = all[song * WINDOWS * DIMENSION..].chunks_exact(DIMENSION).take(8);
        let queries: Vec<QueryWindow<'_>> =
            windows.enumerate().map(|(i, vector)| QueryWindow { steps: 80, position: i as u16, vector }).collect();
        let candidates = hnsw.candidates(&queries, 5).unwrap();
        assert_eq!((candidates.len(), candidates[0]), (5, song as u32));
        // 100-step windows are no match for hum windows of 40 steps.
        let short: Vec<QueryWindow<'_>> = queries.iter().map(|q| QueryWindow { steps: 40, ..*q }).collect();
        assert!(hnsw.candidates(&short, 5).unwrap().is_empty());
        assert_eq!(Exact::new(snapshot.clone()).candidates(&queries, 5).unwrap(), (0..100).collect::<Vec<_>>());
    }
    let bad = [f32::NAN; DIMENSION];
    for vector in [&bad[..], &all[..DIMENSION - 1]] {
        let query = [QueryWindow { steps: 100, position: 0, vector }];
        assert!(matches!(hnsw.candidates(&query, 5), Err(Error::InvalidQuery(_))));
        assert!(matches!(Exact::new(snapshot.clone()).candidates(&query, 5), Err(Error::InvalidQuery(_))));
    }
}

#[test]
fn equal_vectors_hide_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (index, all) = make(dir.path(), 50);
    let same = all[..DIMENSION].repeat(60);
    put(&index, "drone", same);
    let snapshot = index.snapshot().unwrap();
    let hnsw = Hnsw::build(&snapshot, |_, _| ()).unwrap();
    assert_eq!(hnsw.points(), 50 * WINDOWS);
    let found = hnsw.nearest(&all[..DIMENSION], 70);
    let equal: Vec<u32> = found.iter().filter(|f| f.1 < 1e-6).map(|f| f.0).collect();
    let mut expected = vec![0];
    expected.extend((50 * WINDOWS) as u32..(50 * WINDOWS + 60) as u32);
    assert_eq!(equal, expected);
}

#[test]
fn a_graph_of_earlier_songs_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let (index, all) = make(dir.path(), 10);
    Hnsw::build(&index.snapshot().unwrap(), |_, _| ()).unwrap();
    put(&index, "one more", all[..DIMENSION].to_vec());
    let snapshot = index.snapshot().unwrap();
    assert!(Hnsw::open(&snapshot).is_none());
    assert_eq!(index.verify().unwrap().graph, Derived::Stale);
    Hnsw::build(&snapshot, |_, _| ()).unwrap();
    assert!(Hnsw::open(&snapshot).is_some());
    assert_eq!(index.verify().unwrap().graph, Derived::Current);
}

#[test]
fn few_vectors_or_none_make_a_graph_too() {
    let dir = tempfile::tempdir().unwrap();
    let (index, _) = make(dir.path(), 0);
    let query = [0.1; DIMENSION];
    for windows in [0usize, 1, 2] {
        if windows > 0 {
            let mut rng = ChaCha8Rng::seed_from_u64(9);
            put(&index, "only", (0..windows).flat_map(|_| vector(&mut rng)).collect());
        }
        let snapshot = index.snapshot().unwrap();
        Hnsw::build(&snapshot, |_, _| ()).unwrap();
        let hnsw = Hnsw::open(&snapshot).unwrap();
        assert_eq!(hnsw.points(), windows);
        let queries = [QueryWindow { steps: 100, position: 0, vector: &query }];
        assert!(hnsw.candidates(&queries, 5).unwrap().len() <= windows.min(1));
    }
}
