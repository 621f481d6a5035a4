//! The extractor as a whole, on both of its runners.

use proptest::prelude::*;
use tch::Kind;
use tch::nn::VarStore;

use super::*;
use crate::extractor::{DEFAULT_EXTRACTOR, SHIPPED, open};

/// Weights of a network whose batch normalisations have seen something.
fn weights(size: Size, seed: i64) -> Weights {
    tch::manual_seed(seed);
    let vs = VarStore::new(tch::Device::Cpu);
    let _net = HarmonicNet::new(&vs.root(), size);
    let _guard = tch::no_grad_guard();
    for (key, mut variable) in vs.variables() {
        if key.contains(".bn.") {
            variable
                .copy_(&(variable.rand_like() * 0.4 + if key.ends_with("weight") || key.ends_with("var") { 0.6 } else { -0.2 }));
        }
    }
    let about = [("architecture", ARCHITECTURE), ("size", size.name()), ("voicing_threshold", "0.5")];
    Weights::of("random", about.map(|(key, value)| (key.to_string(), value.to_string())).into(), &vs).unwrap()
}

/// A voice that glides and pauses, over a beat.
fn audio(seconds: f32, seed: u32) -> Vec<f32> {
    let mut noise = seed.wrapping_mul(2_654_435_761);
    let mut phase = 0.0f32;
    (0..(seconds * SAMPLE_RATE as f32) as usize)
        .map(|n| {
            let t = n as f32 / SAMPLE_RATE as f32;
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = (noise >> 8) as f32 / (1 << 24) as f32 - 0.5;
            phase = (phase + 200.0 * (0.6 * (0.9 * t + seed as f32).sin()).exp2() / SAMPLE_RATE as f32).fract();
            let sung = if (t * 0.7).fract() < 0.75 { 2.0 * phase - 1.0 } else { 0.0 };
            let beat = (-(t * 2.0).fract() * 9.0).exp() * hiss;
            0.3 * sung + 0.2 * beat + 0.01 * hiss
        })
        .collect()
}

/// The largest differences of pitch logits and of voicing probabilities.
fn apart(a: &Harmonic, b: &Harmonic, samples: &[f32], frames: usize) -> (f32, f32) {
    let (a, b) = (a.activations(samples, frames).unwrap(), b.activations(samples, frames).unwrap());
    let most = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    (most(&a.0, &b.0), most(&a.1, &b.1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn both_runners_compute_the_same(seed in 0i64..1000, frames in 1usize..140, wide: bool) {
        let weights = weights(if wide { Size::M } else { Size::S }, seed);
        let torch = Harmonic::on_libtorch(&weights, Device::Cpu).unwrap();
        let samples = audio(frames as f32 / 50.0, seed as u32);
        for kernel in Kernel::available() {
            let engine = Harmonic::on_engine(&weights, kernel).unwrap();
            prop_assert_eq!(engine.info(), torch.info());
            let (logits, voicing) = apart(&engine, &torch, &samples, frames);
            // On machines that multiply bf16, libtorch does.
            let (logits_near, voicing_near) = if super::super::fastest_kind(tch::Device::Cpu) == Kind::Float { (1e-3, 1e-4) } else { (1.0, 2e-2) };
            prop_assert!(logits < logits_near && voicing < voicing_near, "{:?}: {} and {}", kernel, logits, voicing);
        }
    }
}

#[test]
fn the_shipped_network_hears_the_same_on_both_runners_in_one_piece_or_many() {
    let (name, bytes) = SHIPPED[0];
    let weights = Weights::from_bytes(name, bytes).unwrap();
    let torch = Harmonic::on_libtorch(&weights, Device::Cpu).unwrap();
    let engine = Harmonic::on_engine(&weights, Kernel::best()).unwrap();
    for seconds in [0.3, 9.0, 47.0] {
        let samples = audio(seconds, 7);
        let (a, b) = (engine.extract(&samples).unwrap(), torch.extract(&samples).unwrap());
        assert!(a.voicing.iter().zip(&b.voicing).all(|(a, b)| (a - b).abs() < 1e-4));
        let other = a.f0.iter().zip(&b.f0).filter(|(a, b)| (**a - **b).abs() > 1e-3 * **b).count();
        assert!(other * 1000 <= a.len(), "{other} of {} frames", a.len());
        assert!(seconds < 1.0 || a.f0.iter().filter(|f0| **f0 > 0.0).count() > a.len() / 4, "nothing was heard");
    }
}

#[test]
fn a_fork_hears_the_same_and_nothing_of_what_was_heard_before_remains() {
    let extractor = open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
    let samples = audio(5.0, 3);
    let fresh = extractor.fork().extract(&samples).unwrap();
    extractor.extract(&audio(30.0, 4)).unwrap();
    assert_eq!(extractor.extract(&samples).unwrap(), fresh);
}

#[test]
fn a_track_has_a_frame_per_10_ms_whatever_the_length() {
    let extractor = Harmonic::untrained(Size::S, Device::Cpu);
    for (samples, frames) in [(0, 0), (1, 1), (160, 1), (161, 2), (320, 2), (321, 3), (16_000, 100)] {
        let track = extractor.extract(&vec![0.1; samples]).unwrap();
        assert_eq!((track.len(), track.voicing.len()), (frames, frames), "{samples} samples");
    }
    assert!(extractor.extract(&[f32::NAN; 4000]).unwrap().voicing.iter().all(|v| v.is_finite()));
}

#[test]
fn weights_that_do_not_say_their_size_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.safetensors");
    let metadata = std::collections::BTreeMap::from([("architecture".to_string(), ARCHITECTURE.to_string())]);
    crate::nn::variables::save(&[], metadata, &path).unwrap();
    let refusal = open(path.to_str().unwrap(), Device::Cpu).err().unwrap().to_string();
    assert!(refusal.contains("size"), "{refusal}");
}

#[test]
fn weights_of_another_size_are_refused() {
    let mut weights = weights(Size::S, 1);
    weights.metadata.insert("size".into(), "m".into());
    let refusal = Harmonic::on_engine(&weights, Kernel::Plain).err().unwrap().to_string();
    assert!(refusal.contains("stem.weight"), "{refusal}");
}
