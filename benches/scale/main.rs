//! `cargo bench --bench scale -- 1000 10000`: an index of so many full songs, made and searched as the program does it.
//!
//! Prints what a song costs (CPU seconds, bytes), how long opening and a hum of 10 s take, and how the HNSW graph does beside the
//! exact scan. One index grows from size to size, in a temporary folder or where `QBH_SCALE_INDEX` says, which is then kept.
//! `QBH_EMBEDDER` names another embedder than the default. Songs are composed; those beyond 10 000 get vectors of earlier songs with
//! noise instead of embeddings.
#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]

mod process;
mod songs;
mod stages;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use qbh::eval::ranks::quantile;
use qbh::library::indexer;
use qbh::search::{SearchOptions, Searcher};
use qbh_index::{Fingerprint, Index};
use qbh_models::Device;
use qbh_models::embedder::{self, DEFAULT_EMBEDDER};
use qbh_models::extractor::{self, DEFAULT_EXTRACTOR};
use qbh_models::reranker::{DEFAULT_RERANKER, Reranker};
use qbh_synthesis::SAMPLE_RATE;

use songs::{Fill, hum, recorded};

/// Hums searched at each size.
const HUMS: usize = 100;

fn main() {
    let mut sizes: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes.push(1000);
    }
    sizes.sort_unstable();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let kept = std::env::var_os("QBH_SCALE_INDEX").map(PathBuf::from);
    let dir = kept.as_deref().unwrap_or(temporary.path());
    let name = std::env::var("QBH_EMBEDDER").unwrap_or(DEFAULT_EMBEDDER.into());
    let embedder = embedder::open(&name, Device::Cpu).expect("the embedder opens");
    let extractor = extractor::open(DEFAULT_EXTRACTOR, Device::Cpu).expect("the extractor opens");
    let fingerprint = indexer::fingerprint(&indexer::model_id(extractor.info()), embedder.as_ref());
    println!("{} values a window, {} threads", embedder.dimension(), rayon::current_num_threads());

    let mut fill = Fill::default();
    let mut graph = None;
    for size in sizes {
        println!("\n{size} songs");
        let index = Index::open(dir, &fingerprint).expect("the index opens");
        fill.up_to(size, &index, embedder.as_ref());
        let start = Instant::now();
        index.refresh().expect("the snapshot is written");
        println!("  writing the snapshot           {:8.2} s", start.elapsed().as_secs_f64());
        sizes_on_disk(&index);
        drop(index);
        let index = open(dir, &fingerprint);
        let reranker = Reranker::open(DEFAULT_RERANKER, Device::Cpu).expect("the reranker opens");
        let searcher = Searcher::new(index.snapshot().expect("the snapshot opens"), embedder.fork(), Some(reranker));
        search(&searcher, size);
        graph = stages::compare(&index, searcher, embedder.as_ref(), size, graph);
        drop(index);
        one_shot(dir, size);
    }
}

fn sizes_on_disk(index: &Index) {
    let stats = index.snapshot().and_then(|snapshot| snapshot.stats()).expect("the index can be read");
    let per_song = |bytes: u64| bytes as f64 / 1e3 / stats.songs as f64;
    let windows: u64 = stats.vectors.iter().map(|(_, count)| count).sum();
    println!("  windows a song                 {:8.1}", windows as f64 / stats.songs as f64);
    println!("  seconds a song                 {:8.1}", stats.seconds / stats.songs as f64);
    println!("  on disk, store                 {:8.1} kB a song", per_song(stats.bytes.store));
    println!("  on disk, snapshot              {:8.1} kB a song", per_song(stats.bytes.snapshot));
    println!("  on disk, both                  {:8.1} kB a song", per_song(stats.bytes.store + stats.bytes.snapshot));
}

/// Opens the index as a command does, and says how long that takes.
fn open(dir: &Path, fingerprint: &Fingerprint) -> Index {
    let start = Instant::now();
    let index = Index::open_existing(dir).expect("the index opens");
    index.check_models(fingerprint).expect("the models are the same");
    index.snapshot().expect("the snapshot opens");
    println!("  opening                        {:8.3} s", start.elapsed().as_secs_f64());
    index
}

/// Searches for hums, everything included.
fn search(searcher: &Searcher, songs: usize) {
    let mut found = 0;
    let mut times: [Vec<f64>; 4] = Default::default();
    for item in 0..HUMS {
        let (song, contour) = hum(item, songs);
        let start = Instant::now();
        let answer = searcher.search(&contour, &SearchOptions::default()).expect("the hum is searched");
        let timings = answer.timings;
        let all = [start.elapsed(), timings.embed, timings.score, timings.align];
        times.iter_mut().zip(all).for_each(|(times, time)| times.push(1e3 * time.as_secs_f64()));
        found += usize::from(answer.matches.first().is_some_and(|best| best.song.id.0 == song as u64));
    }
    let [all, embed, score, align] = &times;
    println!("  a hum of 10 s, median          {:8.1} ms ({HUMS} hums)", quantile(all, 0.5));
    println!("  a hum of 10 s, 99 %            {:8.1} ms", quantile(all, 0.99));
    println!("    embedding, median            {:8.1} ms", quantile(embed, 0.5));
    println!("    scan, votes, candidates      {:8.1} ms", quantile(score, 0.5));
    println!("    alignment                    {:8.1} ms", quantile(align, 0.5));
    println!("  found first                    {:8.2}", found as f64 / HUMS as f64);
}

/// `qbh query` on a recorded hum, from the start of the process to its end.
fn one_shot(dir: &Path, songs: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut times = Vec::new();
    let mut refused = String::new();
    for item in 0..8 {
        let path = folder.path().join(format!("{item}.wav"));
        write_wav(&path, &recorded(item, songs));
        let start = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_qbh")).arg("--index").arg(dir).arg("query").arg(&path).output();
        let output = output.expect("qbh runs");
        match output.status.code() {
            Some(0 | 1) => times.push(start.elapsed().as_secs_f64()),
            // Some singers are hardly heard.
            _ => refused = String::from_utf8_lossy(&output.stderr).trim().to_string(),
        }
    }
    if times.len() < 2 {
        println!("  qbh query failed: {refused}");
        return;
    }
    // The first one warms up.
    let times = times.split_off(1);
    println!("  qbh query hum.wav, median      {:8.2} s (at most {:.2} s)", quantile(&times, 0.5), quantile(&times, 1.0));
}

fn write_wav(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("the hum is written");
    for sample in samples {
        writer.write_sample((sample * f32::from(i16::MAX)) as i16).expect("the hum is written");
    }
    writer.finalize().expect("the hum is written");
}
