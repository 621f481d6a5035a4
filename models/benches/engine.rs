//! The engine beside libtorch, on one core: `cargo bench -p qbh-models --bench engine`.
//!
//! Runs of both alternate, so that a busy machine disturbs both alike; the ratios are what to watch. Every kernel that the machine
//! can run is measured.
#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]

use std::hint::black_box;
use std::time::Instant;

use qbh_models::Device;
use qbh_models::embedder;
use qbh_models::engine::Kernel;
use qbh_models::extractor::harmonic::Harmonic;
use qbh_models::extractor::{self, Extractor};
use qbh_models::nn::weights::Weights;
use qbh_models::reranker::{self, Pair, Reranker};

/// Runs of each, in turn.
const RUNS: usize = 7;

/// Median seconds of each of some things, done in turn.
fn medians(things: &mut [Box<dyn FnMut() + '_>]) -> Vec<f64> {
    things.iter_mut().for_each(|thing| thing());
    let mut times = vec![Vec::new(); things.len()];
    for _ in 0..RUNS {
        for (thing, times) in things.iter_mut().zip(&mut times) {
            let start = Instant::now();
            thing();
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    times.iter().map(|times| times[RUNS / 2]).collect()
}

/// Prints how fast each is, and how much faster than the first.
fn compare(title: &str, amount: f64, unit: &str, mut things: Vec<(String, Box<dyn FnMut() + '_>)>) {
    let (names, mut runs): (Vec<String>, Vec<_>) = things.drain(..).unzip();
    let seconds = medians(&mut runs);
    println!("\n{title}");
    for (name, time) in names.iter().zip(&seconds) {
        println!("  {name:<16} {:>10.1} {unit:<12} {:>6.2} x", amount / time, seconds[0] / time);
    }
}

/// A voice-like sound: a gliding sawtooth, 16 kHz.
fn sound(seconds: f64) -> Vec<f32> {
    let mut phase = 0.0f64;
    (0..(seconds * 16_000.0) as usize)
        .map(|i| {
            phase = (phase + 220.0 * (0.5 * (0.7 * i as f64 / 16_000.0).sin()).exp2() / 16_000.0).fract();
            (0.3 * (2.0 * phase - 1.0)) as f32
        })
        .collect()
}

/// A contour of notes, MIDI pitch per 100 ms.
fn contour(steps: usize, seed: usize) -> Vec<f32> {
    (0..steps).map(|i| if (i + seed) % 17 == 5 { 0.0 } else { 60.0 + (((i / 4 + seed) * 7) % 12) as f32 }).collect()
}

fn extraction() {
    const SECONDS: f64 = 60.0;
    let samples = sound(SECONDS);
    let (name, bytes) = extractor::SHIPPED[0];
    let weights = Weights::from_bytes(name, bytes).expect("shipped weights are whole");
    let torch = Harmonic::on_libtorch(&weights, Device::Cpu).expect("shipped weights fit");
    let engines: Vec<_> = Kernel::available()
        .into_iter()
        .map(|kernel| (kernel, Harmonic::on_engine(&weights, kernel).expect("shipped weights fit")))
        .collect();
    let listen = |extractor: &Harmonic| drop(black_box(extractor.extract(&samples)));
    let mut things: Vec<(String, Box<dyn FnMut()>)> = vec![("libtorch".into(), Box::new(|| listen(&torch)))];
    for (kernel, engine) in &engines {
        things.push((format!("{kernel:?}"), Box::new(|| listen(engine))));
    }
    things.push(("front end alone".into(), Box::new(|| drop(black_box(extractor::harmonic::front_end(&samples))))));
    compare(&format!("{name}: front end, network, decoding of a minute"), SECONDS, "x real time", things);
}

fn embedding() {
    let (name, bytes) = embedder::SHIPPED[0];
    let weights = Weights::from_bytes(name, bytes).expect("shipped weights are whole");
    let windows: Vec<Vec<f32>> = (0..60).map(|i| contour(25 + 3 * i, i)).collect();
    let windows: Vec<&[f32]> = windows.iter().map(Vec::as_slice).collect();
    let torch = embedder::on_libtorch(&weights, Device::Cpu).expect("shipped weights fit");
    let engines: Vec<_> = Kernel::available()
        .into_iter()
        .map(|kernel| (kernel, embedder::on_engine(&weights, kernel).expect("shipped weights fit")))
        .collect();
    let windows = &windows;
    let mut things: Vec<(String, Box<dyn FnMut()>)> =
        vec![("libtorch".into(), Box::new(|| drop(black_box(torch.vectors(windows)))))];
    for (kernel, engine) in &engines {
        things.push((format!("{kernel:?}"), Box::new(|| drop(black_box(engine.vectors(windows))))));
    }
    compare(&format!("{name}: the 60 windows of a hum"), windows.len() as f64, "windows/s", things);
}

fn reranking() {
    let (name, bytes) = reranker::SHIPPED[0];
    let weights = Weights::from_bytes(name, bytes).expect("shipped weights are whole");
    let pair = |i: usize| {
        let path: Vec<(u32, u32)> = (0..40).map(|step| (2 * step, 2 * step + 4)).collect();
        Pair::new(&contour(100, i), &contour(300, 2 * i), &path, 2.0).expect("the path has points")
    };
    let pairs: Vec<Pair> = (0..60).map(pair).collect();
    let torch = Reranker::on_libtorch(&weights, Device::Cpu).expect("shipped weights fit");
    let engines: Vec<_> = Kernel::available()
        .into_iter()
        .map(|kernel| (kernel, Reranker::on_engine(&weights, kernel).expect("shipped weights fit")))
        .collect();
    let pairs = &pairs;
    let mut things: Vec<(String, Box<dyn FnMut()>)> = vec![("libtorch".into(), Box::new(|| drop(black_box(torch.score(pairs)))))];
    for (kernel, engine) in &engines {
        things.push((format!("{kernel:?}"), Box::new(|| drop(black_box(engine.score(pairs))))));
    }
    compare(&format!("{name}: 60 pairs of 10 s"), pairs.len() as f64, "pairs/s", things);
}

fn main() {
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread starts");
    tch::set_num_threads(1);
    one_core.install(|| {
        extraction();
        embedding();
        reranking();
    });
}
