//! Sizes and times of an index of so many full songs, without networks.
use qbh_index::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let dir = std::path::PathBuf::from(std::env::args().nth(2).unwrap());
    let model = |name: &str| ModelId { name: name.to_string(), fingerprint: "0123456789abcdef".into() };
    let levels = [50, 100, 200].map(|steps| Level { steps, windows_per_length: 4 }).to_vec();
    let fp = Fingerprint { extractor: model("e"), embedder: model("m"), dimension: 128, levels };
    let index = Index::open(&dir, &fp).unwrap();
    let start = Instant::now();
    let mut windows = 0;
    for i in index.files().count() as u64..n {
        let mut rng = ChaCha8Rng::seed_from_u64(i);
        let steps = rng.random_range(1340..2000usize);
        let contour = (0..steps).map(|_| (rng.random_range(40.0f32..80.0) * 256.0).round() / 256.0).collect();
        let levels: Vec<LevelWindows> = [50usize, 100, 200]
            .into_iter()
            .map(|length| {
                let count = (steps - length) * 4 / length + 1;
                windows += count;
                let vectors = (0..count * 128).map(|_| rng.random_range(-1.0f32..1.0)).collect();
                LevelWindows { steps: length as u16, positions: (0..count as u16).collect(), vectors }
            })
            .collect();
        let path = format!("/music/artist {}/album {}/{i:06}.mp3", i / 100, i / 10);
        let tags = Tags { title: Some(format!("Song {i}")), duration: Some(steps as f64 / 10.0), ..Tags::default() };
        let song = NewSong { key: path.clone(), tags, contour, levels };
        index.put_heard(&FileIdentity { path, size: 4_000_000, modified_ns: 1 }, Some(Sound(i.into())), vec![song]).unwrap();
    }
    println!("{windows} windows put in {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    println!("published: {} in {:.2} s", index.refresh().unwrap(), start.elapsed().as_secs_f64());
    drop(index);
    for round in 0..3 {
        let start = Instant::now();
        let snapshot = Snapshot::open(&dir).unwrap();
        let opened = start.elapsed();
        println!("reader {round}: opening {:.4} s, {} songs", opened.as_secs_f64(), snapshot.len());
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let vectors: Vec<(u16, Vec<f32>)> =
            (0..60).map(|i| ([25, 50, 100][i % 3], (0..128).map(|_| rng.random_range(-1.0f32..1.0)).collect())).collect();
        let query: Vec<QueryWindow> = vectors.iter().map(|(s, v)| QueryWindow { steps: *s, position: 0, vector: v }).collect();
        let start = Instant::now();
        let best = snapshot.score(&query, None, |_, pairs| pairs.len()).unwrap();
        println!("  scoring {} songs {:.3} s", best.len(), start.elapsed().as_secs_f64());
        let start = Instant::now();
        for song in 0..200u32.min(snapshot.len() as u32) {
            snapshot.contour(song).unwrap();
            snapshot.song(song).unwrap();
        }
        println!("  200 contours and songs {:.4} s", start.elapsed().as_secs_f64());
    }
    let start = Instant::now();
    let index = Index::open_existing(&dir).unwrap();
    println!("writer: opening {:.3} s, mended {:?}", start.elapsed().as_secs_f64(), index.mended());
    let stats = index.snapshot().unwrap().stats().unwrap();
    let per = |bytes: u64| bytes as f64 / 1e3 / stats.songs as f64;
    println!(
        "store {:.1} + snapshot {:.1} + journal {:.1} = {:.1} kB a song",
        per(stats.bytes.store),
        per(stats.bytes.snapshot),
        per(stats.bytes.journal),
        per(stats.bytes.store + stats.bytes.snapshot + stats.bytes.journal)
    );
    let windows: u64 = stats.vectors.iter().map(|(_, n)| n).sum();
    println!("{:.1} windows, {:.1} s a song", windows as f64 / stats.songs as f64, stats.seconds / stats.songs as f64);
}
