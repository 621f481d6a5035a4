//! Files of the published structure with periodic weights (gzipped twice: they repeat), and what Keras 3.15 computes with them.
//! `ssl.h5` and `jdc.h5` are in the layout of Keras 2 (h5py 3.16), the first of version 2.3.1, the second of 2.1.6 with hard gates; `ssl.pt` has
//! the weights of `ssl.h5` as a PyTorch state dict. The outputs are those of frames 0, 7 and 30.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use super::*;
use crate::extractor::jdc::JdcNet;
use crate::extractor::segmented::SegmentNet;
use crate::extractor::segments::{BINS, SEGMENT};
use crate::extractor::ssl::SslNet;
use crate::nn::hard_lstm::{self, Gates};
use crate::nn::weights::Weights;

macro_rules! fixture {
    ($name:literal) => {{
        let mut bytes = Vec::new();
        let packed: &[u8] = include_bytes!(concat!("fixtures/", $name, ".gz.gz"));
        GzDecoder::new(GzDecoder::new(packed)).read_to_end(&mut bytes).unwrap();
        bytes
    }};
}

/// A folder with the file and constants as the projects keep them: the constants in the folder above.
fn folder(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("weights").join(name);
    std::fs::create_dir(dir.path().join("weights")).unwrap();
    std::fs::write(&file, bytes).unwrap();
    let ramp = Tensor::arange((SEGMENT * BINS) as i64, (Kind::Double, Device::Cpu)).view([SEGMENT as i64, BINS as i64]);
    ramp.write_npy(dir.path().join("x_data_mean_total_31.npy")).unwrap();
    (ramp + 1.0).view([1, SEGMENT as i64, BINS as i64]).write_npy(dir.path().join("x_data_std_total_31.npy")).unwrap();
    (dir, file)
}

fn request(file: &Path) -> Import<'_> {
    Import { file, architecture: None, mean: None, std: None, gates: None }
}

/// Imports, saves, opens, and returns how far the class probabilities are from the recorded ones.
fn apart<N: SegmentNet>(name: &str, bytes: &[u8], recorded: &[u8], gates: Option<Gates>) -> f64 {
    let (dir, file) = folder(name, bytes);
    let imported = import(&Import { gates, ..request(&file) }).unwrap();
    assert_eq!(imported.architecture, N::ARCHITECTURE);
    let path = dir.path().join("imported.safetensors");
    imported.save(&path).unwrap();
    let weights = Weights::open(path.to_str().unwrap(), &[]).unwrap();
    assert_eq!(weights.tensor("front_end.std").unwrap().double_value(&[1, 2]), 516.0);
    assert_eq!(crate::extractor::open(path.to_str().unwrap(), crate::Device::Cpu).unwrap().info().architecture, N::ARCHITECTURE);

    let mut vs = VarStore::new(Device::Cpu);
    let mut net = N::new(&vs.root());
    weights.fill(&mut vs).unwrap();
    if weights.metadata[hard_lstm::GATES] == Gates::Hard.name() {
        net.use_hard_gates(&vs.root());
    }
    let _guard = tch::no_grad_guard();
    net.fold(Kind::Float);
    let at = |i: i64| Tensor::arange(i, (Kind::Float, Device::Cpu));
    let bins = (at((SEGMENT * BINS) as i64) * 0.37).sin().view([SEGMENT as i64, BINS as i64]);
    let input = bins * ((at(SEGMENT as i64) * 0.9).cos() * 1.5).unsqueeze(1);
    let output = net.logits(&input.unsqueeze(0)).softmax(-1, Kind::Float).squeeze_dim(0);
    let frames = output.index_select(0, &Tensor::from_slice(&[0i64, 7, 30]));
    let recorded: Vec<f32> = recorded.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    (frames.flatten(0, 1) - Tensor::from_slice(&recorded)).abs().max().double_value(&[])
}

#[test]
fn ssl_of_keras_computes_what_keras_does() {
    let far = apart::<SslNet>("ResNet_NS.hdf5", &fixture!("ssl.h5"), include_bytes!("fixtures/ssl_out.f32"), None);
    assert!(far < 1e-4, "{far}");
}

#[test]
fn ssl_of_pytorch_computes_the_same() {
    let far = apart::<SslNet>("torch_weights.pt", &fixture!("ssl.pt"), include_bytes!("fixtures/ssl_out.f32"), None);
    assert!(far < 1e-4, "{far}");
}

#[test]
fn jdc_of_an_old_keras_computes_what_keras_does_with_hard_gates() {
    let (bytes, recorded) = (fixture!("jdc.h5"), include_bytes!("fixtures/jdc_out.f32"));
    let far = apart::<JdcNet>("ResNet_joint_add_L(CE_G).hdf5", &bytes, recorded, None);
    assert!(far < 1e-4, "{far}");
    let far = apart::<JdcNet>("jdc.hdf5", &bytes, recorded, Some(Gates::Logistic));
    assert!(far > 5e-4, "the kind of gates makes no difference: {far}");
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let refusal = |request: &Import| import(request).unwrap_err().to_string();
    let (dir, file) = folder("ssl.hdf5", &fixture!("ssl.h5"));
    let wrong = refusal(&Import { architecture: Some("jdc"), ..request(&file) });
    assert!(wrong.contains("conv1_1") || wrong.contains("1x1"), "{wrong}");
    let unknown = refusal(&Import { architecture: Some("harmonic"), ..request(&file) });
    assert!(unknown.contains("only of ssl and jdc"), "{unknown}");
    std::fs::remove_file(dir.path().join("x_data_std_total_31.npy")).unwrap();
    assert!(refusal(&request(&file)).contains("--std"));
    let small = dir.path().join("small.npy");
    Tensor::ones([3, 4], (Kind::Float, Device::Cpu)).write_npy(&small).unwrap();
    assert!(refusal(&Import { std: Some(&small), ..request(&file) }).contains("31 x 513"));

    for (name, bytes) in [("half.hdf5", fixture!("ssl.h5")), ("half.pt", fixture!("ssl.pt"))] {
        let (_dir, file) = folder(name, &bytes[..bytes.len() / 2]);
        refusal(&request(&file));
    }
    let (_dir, file) = folder("song.mp3", b"ID3 and so on");
    assert!(refusal(&request(&file)).contains("neither HDF5"));
    assert!(!is_foreign(&file).unwrap());
}
