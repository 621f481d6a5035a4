//! `cargo bench`: how fast each stage is, on one thread, each as a ratio to a baseline measured in the same run.
//!
//! Absolute times depend on the machine; the ratios are what to watch.

use std::hint::black_box;
use std::time::Instant;

use qbh::search::align::{Aligner, Buffers};
use qbh::search::sequence::PitchSequence;
use qbh_index::{FileIdentity, Fingerprint, FirstStage, Hnsw, Index, Level, LevelWindows, ModelId, NewSong, QueryWindow, Tags};
use qbh_models::EMBEDDING_DIM;
use qbh_models::embedder::{self, Embedder};
use qbh_models::extractor::{self, DEFAULT_EXTRACTOR, Extractor, harmonic, ssl};
use qbh_models::reranker::{DEFAULT_RERANKER, Pair, Reranker};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Device;

/// Seconds of the median of some runs, after one that is not counted.
fn median(mut run: impl FnMut()) -> f64 {
    run();
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn section(title: &str, baseline: &str) {
    println!("\n{title}\n  baseline: {baseline}");
}

fn row(name: &str, figure: f64, unit: &str, ratio: f64) {
    println!("  {name:<34} {figure:>10.1} {unit:<14} {ratio:>8.2} x as fast");
}

/// A voice-like sound: a gliding sawtooth.
fn sound(seconds: f64, rate: u32) -> Vec<f32> {
    let mut phase = 0.0f64;
    (0..(seconds * f64::from(rate)) as usize)
        .map(|i| {
            let t = i as f64 / f64::from(rate);
            phase = (phase + 220.0 * (0.5 * (0.7 * t).sin()).exp2() / f64::from(rate)).fract();
            (0.3 * (2.0 * phase - 1.0)) as f32
        })
        .collect()
}

fn extractors() {
    const SECONDS: f64 = 20.0;
    section("Front ends", "a plain magnitude spectrogram with rustfft: Hann 2048, hop 160, 16 kHz");
    let samples = sound(SECONDS, 16_000);
    let base = SECONDS / median(|| drop(black_box(plain_spectrogram(&samples))));
    row("spectrogram", base, "x real time", 1.0);
    let own = SECONDS / median(|| drop(black_box(harmonic::front_end(&samples))));
    row("harmonic", own, "x real time", own / base);
    let low = sound(SECONDS, 8_000);
    let own = SECONDS / median(|| drop(black_box(ssl::front_end(&low))));
    row("ssl", own, "x real time", own / base);

    section("Extractors: front end, network, decoding", "ssl, the published network");
    let speed = |extractor: &dyn Extractor| {
        let samples = sound(SECONDS, extractor.sample_rate());
        SECONDS / median(|| drop(black_box(extractor.extract(&samples))))
    };
    let published = extractor::untrained(ssl::ARCHITECTURE, Device::Cpu).expect("the architecture is known");
    let base = speed(&*published);
    row("ssl", base, "x real time", 1.0);
    let compact = extractor::open(DEFAULT_EXTRACTOR, Device::Cpu).expect("the default extractor opens");
    let own = speed(&*compact);
    row(DEFAULT_EXTRACTOR, own, "x real time", own / base);
}

fn plain_spectrogram(samples: &[f32]) -> Vec<f32> {
    use rustfft::{FftPlanner, num_complex::Complex};
    let fft = FftPlanner::new().plan_fft_forward(2048);
    let window: Vec<f32> = (0..2048).map(|i| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / 2048.0).cos()).collect();
    let mut out = Vec::new();
    for start in (0..=samples.len() - 2048).step_by(160) {
        let frame = &samples[start..start + 2048];
        let mut buffer: Vec<Complex<f32>> = frame.iter().zip(&window).map(|(x, w)| Complex::new(x * w, 0.0)).collect();
        fft.process(&mut buffer);
        out.extend(buffer[..1025].iter().map(|c| c.norm()));
    }
    out
}

fn embedders() {
    section("Embedders", "reference, the published encoder, on 20 s windows");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let contour: Vec<f32> = (0..3000).map(|i| 60.0 + ((i / 4) * 7 % 12) as f32 + rng.random::<f32>()).collect();
    let speed = |embedder: &dyn Embedder, steps: usize| {
        let windows: Vec<&[f32]> = contour.windows(steps).step_by(5).take(256).collect();
        windows.len() as f64 / median(|| drop(black_box(embedder.embed(&windows))))
    };
    let base = speed(&*embedder::untrained(embedder::Architecture::Reference), 200);
    row("reference", base, "windows/s", 1.0);
    let contextual = embedder::untrained(embedder::Architecture::Contextual);
    for steps in [50, 200] {
        let own = speed(&*contextual, steps);
        row(&format!("contextual, {} s windows", steps / 10), own, "windows/s", own / base);
    }
}

/// A library of vectors in clusters, as the windows of songs are.
fn library(dir: &std::path::Path, songs: usize, windows: usize) -> Index {
    let model = ModelId { name: "bench".into(), fingerprint: "0".into() };
    let fingerprint = Fingerprint {
        extractor: model.clone(),
        embedder: model,
        dimension: EMBEDDING_DIM as u32,
        levels: vec![Level { steps: 100, windows_per_length: 4 }],
    };
    let index = Index::open(dir, &fingerprint).expect("a temporary index opens");
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for song in 0..songs {
        let centre = unit(&mut rng, None);
        let key = format!("song {song}");
        let identity = FileIdentity { path: key.clone(), size: 0, modified_ns: 0 };
        let level = LevelWindows {
            steps: 100,
            positions: (0..windows as u16).collect(),
            vectors: (0..windows).flat_map(|_| unit(&mut rng, Some(&centre))).collect(),
        };
        let contour = vec![60.0; 100 + windows * 25];
        index
            .put_file(&identity, vec![NewSong { key, tags: Tags::default(), contour, levels: vec![level] }])
            .expect("a song is stored");
    }
    index.refresh().expect("the scan file is written");
    index
}

/// A random unit vector, near `centre` if there is one.
fn unit(rng: &mut ChaCha8Rng, centre: Option<&[f32]>) -> Vec<f32> {
    let mut v: Vec<f32> = (0..EMBEDDING_DIM).map(|_| rng.random::<f32>() - 0.5).collect();
    if let Some(centre) = centre {
        v.iter_mut().zip(centre).for_each(|(x, c)| *x = 0.05 * *x + c);
    }
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.iter_mut().for_each(|x| *x /= norm);
    v
}

fn first_stages() {
    const SONGS: usize = 200;
    const WINDOWS: usize = 100;
    section("First stage: 60 hum windows against 20 000 vectors", "f32 dot products in plain Rust");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let index = library(dir.path(), SONGS, WINDOWS);
    let snapshot = index.snapshot().expect("the scan file opens");
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let hum: Vec<Vec<f32>> = (0..60).map(|_| unit(&mut rng, None)).collect();
    let queries: Vec<QueryWindow> =
        hum.iter().enumerate().map(|(i, v)| QueryWindow { steps: 100, position: i as u16, vector: v }).collect();

    let vectors: Vec<f32> = (0..SONGS * WINDOWS).flat_map(|_| unit(&mut rng, None)).collect();
    let base = median(|| {
        for q in &hum {
            let dot = |v: &[f32]| v.iter().zip(q).map(|(a, b)| a * b).sum::<f32>();
            black_box(vectors.chunks_exact(EMBEDDING_DIM).map(dot).collect::<Vec<f32>>());
        }
    });
    row("plain f32", 1e3 * base, "ms a hum", 1.0);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let exact = median(|| {
        let best = |_, pairs: &[qbh_index::PairScores]| pairs[0].scores.iter().copied().fold(f32::MIN, f32::max);
        black_box(one.install(|| snapshot.score(&queries, None, best)).expect("the query is valid"));
    });
    row("exact int8 scan, every score", 1e3 * exact, "ms a hum", base / exact);
    let start = Instant::now();
    let graph = Hnsw::build(&snapshot, |_, _| {}).expect("the graph is built");
    let built = start.elapsed().as_secs_f64();
    let hnsw = median(|| drop(black_box(one.install(|| graph.candidates(&queries, 100)))));
    row("HNSW, the best 100 songs", 1e3 * hnsw, "ms a hum", base / hnsw);
    let open = median(|| drop(black_box(Hnsw::open(&snapshot))));
    println!("  building the graph: {built:.1} s on all cores; opening it, which a single query waits for: {open:.2} s");
}

/// A contour of random notes of 0.4 s.
fn melody(rng: &mut ChaCha8Rng, steps: usize) -> Vec<f32> {
    let notes: Vec<f32> = (0..steps.div_ceil(4)).map(|_| 50.0 + 24.0 * rng.random::<f32>()).collect();
    (0..steps).map(|i| notes[i / 4]).collect()
}

fn alignment() {
    section("Alignment: a 12 s hum against 200 songs of 4 minutes, 24 keys", "the same recurrence in f32, cell after cell");
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let hum = PitchSequence::new(&melody(&mut rng, 120));
    let songs: Vec<PitchSequence> = (0..200).map(|_| PitchSequence::new(&melody(&mut rng, 2400))).collect();
    let aligner = Aligner::new(&hum.class);
    let mut buffers = Buffers::default();
    let own = median(|| {
        for song in &songs {
            black_box(aligner.align(&song.class, &mut buffers));
        }
    });
    const FEW: usize = 4;
    let few = median(|| {
        for song in &songs[..FEW] {
            black_box(plain_alignment(&hum.class, &song.class));
        }
    });
    let base = few * (songs.len() / FEW) as f64;
    row("plain f32", 1e3 * base, "ms", 1.0);
    row("qbh", 1e3 * own, "ms", base / own);
}

/// Best local alignment over 24 keys, as [`qbh::search::align`] defines it. An octave of pitch classes is 65536.
fn plain_alignment(hum: &[u16], song: &[u16]) -> f32 {
    const OCTAVE: f32 = 65536.0;
    const SEMITONE: f32 = OCTAVE / 12.0;
    let (cap, tau, skip) = (3.0 * SEMITONE, 1.2 * SEMITONE, 0.25 * SEMITONE);
    let mut best = 0.0f32;
    for key in 0..24 {
        let mut rows = [vec![0.0f32; song.len() + 2], vec![0.0f32; song.len() + 2], vec![0.0f32; song.len() + 2]];
        for &h in hum {
            let h = f32::from(h) + key as f32 * SEMITONE / 2.0;
            for (j, &s) in song.iter().enumerate() {
                let d = (h - f32::from(s)).rem_euclid(OCTAVE);
                let gain = tau - d.min(OCTAVE - d).min(cap);
                let [old, previous, _] = &rows;
                let step = previous[j + 1].max(previous[j] - skip).max(old[j + 1] - skip + gain);
                rows[2][j + 2] = (step + gain).max(0.0);
                best = best.max(rows[2][j + 2]);
            }
            rows.rotate_left(1);
        }
    }
    best
}

/// Places of songs beside a hum of 12 s; of a search there are up to 240.
fn rerankers() {
    section("Reranker: a 12 s hum beside 160 passages", "one passage after the other");
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let hum = melody(&mut rng, 120);
    let path: Vec<(u32, u32)> = (0..60).map(|i| (2 * i, 2 * i + 10)).collect();
    let pairs: Vec<Pair> = (0..160).filter_map(|_| Pair::new(&hum, &melody(&mut rng, 150), &path, 0.0)).collect();
    let reranker = Reranker::open(DEFAULT_RERANKER, Device::Cpu).expect("the reranker opens");
    let apart = median(|| {
        for pair in &pairs {
            black_box(reranker.score(std::slice::from_ref(pair)).expect("pairs are scored"));
        }
    });
    let together = median(|| drop(black_box(reranker.score(&pairs).expect("pairs are scored"))));
    row("one by one", 1e3 * apart, "ms", 1.0);
    row("together, on all cores", 1e3 * together, "ms", apart / together);
}

fn main() {
    tch::set_num_threads(1);
    extractors();
    embedders();
    first_stages();
    alignment();
    rerankers();
}
