//! The engine computes what libtorch computes, on all real audio at hand:
//! `cargo test --release --features torch --test engine_against_libtorch -- --ignored --nocapture`.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use std::path::Path;

use qbh::library::{listen, walk};
use qbh_models::engine::Kernel;
use qbh_models::extractor::harmonic::Harmonic;
use qbh_models::nn::weights::Weights;
use qbh_models::reranker::{self, Pair, Reranker};
use qbh_models::{Contour, Device, embedder, extractor};

/// Windows and pairs that are compared.
const COUNT: usize = 2000;

fn weights(shipped: &[(&str, &[u8])]) -> Weights {
    let (name, bytes) = shipped[0];
    Weights::from_bytes(name, bytes).unwrap()
}

/// What the networks differ by.
#[derive(Debug, Default)]
struct Apart {
    frames: usize,
    /// Frames whose pitch or voicing decision is another.
    other: usize,
    /// Largest difference of voicing probabilities.
    voicing: f32,
}

impl Apart {
    fn add(&mut self, other: &Apart) {
        self.frames += other.frames;
        self.other += other.other;
        self.voicing = self.voicing.max(other.voicing);
    }
}

/// Contours of all recordings of a folder, by libtorch, and how the tracks of each kernel differ.
fn listen_twice(folder: &Path, kernels: &[Kernel]) -> (Vec<Contour>, Vec<Apart>) {
    let weights = weights(extractor::SHIPPED);
    let torch = Harmonic::on_libtorch(&weights, Device::Cpu).unwrap();
    let engines: Vec<Harmonic> = kernels.iter().map(|kernel| Harmonic::on_engine(&weights, *kernel).unwrap()).collect();
    let mut contours = Vec::new();
    let mut totals: Vec<Apart> = kernels.iter().map(|_| Apart::default()).collect();
    for path in walk::files(folder).map(Result::unwrap).filter(|path| walk::is_audio(path)) {
        let theirs = listen::pitch_track(&path, &torch).unwrap();
        println!("{}", path.display());
        for ((engine, kernel), total) in engines.iter().zip(kernels).zip(&mut totals) {
            let ours = listen::pitch_track(&path, engine).unwrap();
            assert_eq!(ours.len(), theirs.len());
            // A hundredth of a semitone is the same pitch.
            let same = |a: f32, b: f32| (a > 0.0) == (b > 0.0) && (a == b || (a / b).log2().abs() * 1200.0 < 1.0);
            let apart = Apart {
                frames: ours.len(),
                other: ours.f0.iter().zip(&theirs.f0).filter(|(a, b)| !same(**a, **b)).count(),
                voicing: ours.voicing.iter().zip(&theirs.voicing).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max),
            };
            println!("  {kernel:?}: {} of {} frames, voicing {:.1e}", apart.other, apart.frames, apart.voicing);
            total.add(&apart);
        }
        contours.push(Contour::from_pitch_track(&theirs));
    }
    (contours, totals)
}

#[test]
#[ignore = "takes minutes"]
fn every_kernel_hears_embeds_and_ranks_as_libtorch_does() {
    let kernels: Vec<Kernel> = Kernel::available();
    let mut contours = Vec::new();
    let mut totals: Vec<Apart> = kernels.iter().map(|_| Apart::default()).collect();
    for folder in ["pitch", "library"].map(util::skipped::shared_data).into_iter().flatten() {
        let (heard, apart) = listen_twice(&folder, &kernels);
        contours.extend(heard);
        totals.iter_mut().zip(&apart).for_each(|(total, apart)| total.add(apart));
    }
    // Where the processor multiplies bf16, libtorch computes in it.
    let near = if extractor::fastest_kind(tch::Device::Cpu) == tch::Kind::Float { 1e-4 } else { 2e-3 };
    for (Apart { frames, other, voicing }, kernel) in totals.iter().zip(&kernels) {
        println!("{kernel:?}: {other} of {frames} frames are others, voicing differs by {voicing:.1e} at most");
        assert!(*voicing < near && other * 1000 <= *frames);
    }

    let contours: Vec<Vec<f32>> = contours.into_iter().map(|contour| contour.pitch).filter(|pitch| pitch.len() > 120).collect();
    let Some(steps) = contours.iter().map(Vec::len).reduce(|a, b| a + b) else { return };
    let windows: Vec<&[f32]> = (0..COUNT)
        .map(|i| {
            let contour = &contours[i % contours.len()];
            let length = (25 + i * 7 % 176).min(contour.len());
            &contour[i * 31 % (contour.len() - length + 1)..][..length]
        })
        .collect();
    println!("{} windows of {} contours, {steps} steps", windows.len(), contours.len());
    let weights_of = weights(embedder::SHIPPED);
    let theirs = embedder::on_libtorch(&weights_of, Device::Cpu).unwrap().embed(&windows).unwrap();
    let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    for &kernel in &kernels {
        let ours = embedder::on_engine(&weights_of, kernel).unwrap().embed(&windows).unwrap();
        let least = ours.iter().zip(&theirs).map(|(a, b)| cosine(a, b)).fold(1.0, f32::min);
        println!("{kernel:?}: cosine of embeddings at least {least:.7}");
        assert!(least > 0.9999);
    }

    // Each window as a hum, laid on another song and now and then on its own.
    let pairs: Vec<Pair> = windows
        .iter()
        .enumerate()
        .filter_map(|(i, hum)| {
            let song = &contours[(i / 2) % contours.len()];
            let length = hum.len().min(song.len()) as u32;
            let from = (i * 13 % (song.len() - length as usize + 1)) as u32;
            let path: Vec<(u32, u32)> = (0..length).step_by(2).map(|step| (step, from + step)).collect();
            Pair::new(hum, song, &path, (i % 12) as f32)
        })
        .collect();
    let weights_of = weights(reranker::SHIPPED);
    let theirs = Reranker::on_libtorch(&weights_of, Device::Cpu).unwrap().score(&pairs).unwrap();
    for &kernel in &kernels {
        let ours = Reranker::on_engine(&weights_of, kernel).unwrap().score(&pairs).unwrap();
        let most = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f32::max);
        println!("{kernel:?}: log-odds of {} pairs differ by {most:.1e} at most", pairs.len());
        assert!(most < 1e-4);
    }
}
