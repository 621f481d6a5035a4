//! Properties of whole encoders: freshly initialised ones, the shipped one, and one trained elsewhere.

use std::collections::BTreeMap;

use tch::Tensor;
use tch::nn::VarStore;

use super::encoder::Encoder;
use super::*;
use crate::engine::Kernel;
use crate::nn::variables::save;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Weights of a fresh network of this architecture, through a file.
fn fresh(architecture: Architecture) -> Weights {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fresh.safetensors");
    let vs = VarStore::new(tch::Device::Cpu);
    let _network = architecture.build(&vs.root());
    let tensors: Vec<_> = vs.variables().into_iter().collect();
    save(&tensors, BTreeMap::from([("architecture".into(), architecture.name().into())]), &path).unwrap();
    Weights::open(path.to_str().unwrap(), &[]).unwrap()
}

/// A random melody as a contour: notes of 200 to 600 ms, with some rests.
fn melody(item: u32, steps: usize) -> Vec<f32> {
    let mut draw = ChaCha8Rng::seed_from_u64(u64::from(item));
    let mut contour = Vec::new();
    let mut pitch = 62i32;
    while contour.len() < steps {
        pitch = (pitch + draw.random_range(-5..=5)).clamp(50, 76);
        let length = draw.random_range(2..=6usize);
        contour.extend(vec![pitch as f32; length]);
        if draw.random_bool(0.2) {
            contour.extend([0.0; 2]);
        }
    }
    contour.truncate(steps);
    contour
}

fn cosine(a: &Embedding, b: &Embedding) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn transposed(window: &[f32], by: f32) -> Vec<f32> {
    window.iter().map(|&p| if p > 0.0 { p + by } else { 0.0 }).collect()
}

#[test]
fn networks_have_the_published_shapes() {
    for (architecture, parameters) in [(Architecture::Reference, 5_600_512), (Architecture::Contextual, 1_032_740)] {
        let encoder = Encoder::load(&fresh(architecture), Device::Cpu).unwrap();
        assert_eq!(encoder.info().architecture, architecture.name());
        assert_eq!(encoder.info().parameters, parameters, "{architecture:?}");
        let longest = usize::from(encoder.windowing().hum_steps[0]);
        let embedded = encoder.embed(&[&melody(1, longest), &melody(2, 40), &[], &[0.0; 30], &[f32::NAN; 9]]).unwrap();
        assert_eq!(embedded.len(), 5);
        for e in &embedded {
            assert!((cosine(e, e) - 1.0).abs() < 1e-4);
        }
        assert!(encoder.embed(&[]).unwrap().is_empty());
    }
}

#[test]
fn a_fork_gives_the_same_embeddings_in_another_thread() {
    let encoder = Encoder::load(&fresh(Architecture::Contextual), Device::Cpu).unwrap();
    let window = melody(1, 100);
    let fork = encoder.fork();
    let there = std::thread::spawn({
        let window = window.clone();
        move || fork.embed(&[&window]).unwrap()
    });
    assert_eq!(there.join().unwrap(), encoder.embed(&[&window]).unwrap());
}

#[test]
fn batches_do_not_change_embeddings() {
    let encoder = Encoder::load(&fresh(Architecture::Contextual), Device::Cpu).unwrap();
    let windows: Vec<Vec<f32>> = (0..300).map(|i| melody(i, 50 + i as usize % 150)).collect();
    let views: Vec<&[f32]> = windows.iter().map(Vec::as_slice).collect();
    let together = encoder.embed(&views).unwrap();
    for i in [0, 255, 256, 299] {
        assert!(cosine(&together[i], &encoder.embed(&views[i..=i]).unwrap()[0]) > 0.9999);
    }
}

/// Weights whose batch normalisations have seen something.
fn seasoned(seed: i64) -> Weights {
    tch::manual_seed(seed);
    let vs = VarStore::new(tch::Device::Cpu);
    let _network = Architecture::Contextual.build(&vs.root());
    let _guard = tch::no_grad_guard();
    for (key, mut variable) in vs.variables() {
        if key.contains(".bn.") || key.contains("norm") {
            let centre = if key.ends_with("weight") || key.ends_with("var") { 0.6 } else { -0.2 };
            variable.copy_(&(variable.rand_like() * 0.4 + centre));
        }
    }
    Weights::of("random", BTreeMap::from([("architecture".into(), "contextual".into())]), &vs).unwrap()
}

#[test]
fn the_engine_and_libtorch_embed_alike() {
    let shipped = Weights::open(DEFAULT_EMBEDDER, SHIPPED).unwrap();
    for weights in [seasoned(1), seasoned(2), shipped] {
        let torch = Encoder::on_libtorch(&weights, Device::Cpu).unwrap();
        for kernel in Kernel::available() {
            let engine = Encoder::on_engine(&weights, kernel).unwrap();
            assert_eq!((engine.info(), engine.dimension()), (torch.info(), torch.dimension()));
            for count in [1, 7, 8, 9, 60] {
                let windows: Vec<Vec<f32>> = (0..count).map(|i| melody(i, 50 + 7 * i as usize % 150)).collect();
                let views: Vec<&[f32]> = windows.iter().map(Vec::as_slice).collect();
                let (ours, theirs) = (engine.embed(&views).unwrap(), torch.embed(&views).unwrap());
                for (a, b) in ours.iter().zip(&theirs) {
                    assert!(cosine(a, b) > 0.99999, "{kernel:?}: cosine {}", cosine(a, b));
                    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4));
                }
                let (ours, theirs) = (engine.vectors(&views).unwrap(), torch.vectors(&views).unwrap());
                assert!(ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-3));
            }
        }
    }
}

#[test]
fn weights_of_something_else_are_refused() {
    let mut weights = fresh(Architecture::Reference);
    weights.metadata.insert("architecture".into(), "ssl".into());
    assert!(Encoder::load(&weights, Device::Cpu).err().unwrap().to_string().contains("ssl"));
    weights.metadata.insert("architecture".into(), "contextual".into());
    assert!(matches!(Encoder::load(&weights, Device::Cpu), Err(ModelError::Weights { .. })));
    assert!(matches!(open("no-such-model", Device::Cpu), Err(ModelError::UnknownModel { .. })));
}

/// What any trained contextual encoder must do.
fn assert_trained(encoder: &dyn Embedder) {
    let windows: Vec<Vec<f32>> = (0..40).map(|i| melody(i, 100)).collect();
    let slow = |w: &[f32]| -> Vec<f32> { (0..160).map(|i| w[i * 100 / 160]).collect() };
    let mut all = Vec::new();
    for w in &windows {
        all.extend([w.clone(), transposed(w, 7.0), transposed(w, -11.0), slow(w), w[5..].to_vec()]);
    }
    let embedded = encoder.embed(&all.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    let (mut stretched, mut shifted, mut others) = (0.0, 0.0, 0.0);
    for i in 0..40 {
        let of = &embedded[5 * i..5 * i + 5];
        assert!(cosine(&of[0], &of[1]) > 0.999 && cosine(&of[0], &of[2]) > 0.999, "transposition matters");
        stretched += cosine(&of[0], &of[3]) / 40.0;
        shifted += cosine(&of[0], &of[4]) / 40.0;
        others += cosine(&of[0], &embedded[5 * ((i + 1) % 40)]) / 40.0;
    }
    eprintln!("cosine with itself stretched {stretched:.3}, shifted by 0.5 s {shifted:.3}, with others {others:.3}");
    assert!(stretched > 0.95 && shifted > 0.8 && others < 0.5);
}

/// Our name of a variable of the encoder in `data/yardstick`.
fn yardstick_name(ours: &str) -> String {
    let renamed = [
        ("narrow1.", "r1."),
        ("narrow2.", "r2."),
        ("wide1.", "r3."),
        ("wide2.", "r4."),
        ("block.query_key_value.", "tl.0.qkv."),
        ("block.norm1.", "tl.0.n1."),
        ("block.norm2.", "tl.0.n2."),
        ("block.out.", "tl.0.o."),
        ("block.up.", "tl.0.f1."),
        ("block.down.", "tl.0.f2."),
        ("position", "pos"),
        ("norm.", "n."),
        ("pool.", "pa."),
        ("output.", "fc."),
    ];
    let mut name = ours.to_string();
    if let Some((from, to)) = renamed.iter().find(|(from, _)| ours.starts_with(from)) {
        name = ours.replacen(from, to, 1);
    }
    let convolution = ["stem.", "down.", "r1.", "r2.", "r3.", "r4."].iter().any(|c| name.starts_with(c));
    match name.contains(".bn.") {
        true => name.replace(".bn.", ".b."),
        false if convolution => name.replace(".weight", ".c.weight"),
        false => name,
    }
}

#[test]
fn an_encoder_trained_elsewhere_works_here() {
    let Some(path) = crate::skipped::shared_data("yardstick/embedder.safetensors") else { return };
    let yardstick = Weights::open(path.to_str().unwrap(), &[]).unwrap();
    let vs = VarStore::new(tch::Device::Cpu);
    let _network = Architecture::Contextual.build(&vs.root());
    let tensors: Vec<(String, Tensor)> = vs
        .variables()
        .into_keys()
        .map(|ours| {
            let theirs = yardstick.tensor(&yardstick_name(&ours)).unwrap();
            (ours, theirs)
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let renamed = dir.path().join("yardstick.safetensors");
    save(&tensors, BTreeMap::from([("architecture".into(), "contextual".into())]), &renamed).unwrap();
    assert_trained(open(renamed.to_str().unwrap(), Device::Cpu).unwrap().as_ref());
}

#[test]
fn shipped_weights_load_and_work() {
    for (name, _) in SHIPPED {
        let encoder = open(name, Device::Cpu).unwrap();
        assert!(encoder.info().metadata.contains_key("data"), "{name} does not tell what it was trained on");
        if encoder.info().architecture == "contextual" {
            assert_trained(encoder.as_ref());
        }
    }
}
