//! Weights from elsewhere, and what is said of them.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use flate2::read::GzDecoder;
use std::io::Read;
use util::{Dir, arg, hum, melody, wav};

/// A file of the tests of the importer: packed twice, for its weights repeat.
fn fixture(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(GzDecoder::new(packed)).read_to_end(&mut bytes).unwrap();
    bytes
}

/// 31 x 513 equal numbers as a .npy file.
fn npy(value: f32) -> Vec<u8> {
    let mut header = "{'descr': '<f4', 'fortran_order': False, 'shape': (31, 513), }".to_owned();
    header.push_str(&" ".repeat(117 - header.len()));
    header.push('\n');
    let start = [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes()].concat();
    let values = (0..31 * 513).flat_map(|_| value.to_le_bytes());
    start.into_iter().chain(header.into_bytes()).chain(values).collect()
}

#[test]
fn published_weights_are_imported_and_used_by_name() {
    let dir = Dir::new();
    let keras = dir.path("ResNet.hdf5");
    std::fs::write(&keras, fixture(include_bytes!("../models/src/import/fixtures/ssl.h5.gz.gz"))).unwrap();
    let refused = dir.run(&["models", "import", arg(&keras)]);
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.contains("--mean"), "{}", refused.stderr);
    assert!(!dir.ok(&["models"]).stdout.contains("imported"), "what was refused is listed");

    std::fs::write(dir.path("m.npy"), npy(-40.0)).unwrap();
    std::fs::write(dir.path("s.npy"), npy(12.0)).unwrap();
    let import = ["models", "import", "ResNet.hdf5", "--name", "published", "--mean", "m.npy", "--std", "s.npy"];
    assert!(dir.ok(&import).stdout.contains("--extractor published"));
    let described = dir.ok(&["models", "describe", "published"]).stdout;
    assert!(described.contains("ssl") && described.contains("sigmoid") && described.contains("ResNet.hdf5"), "{described}");

    let song = dir.path("song.wav");
    std::fs::write(&song, wav(&hum(&melody(1, 8), 0.0, 1.0), 16_000, 1)).unwrap();
    // The weights are made up, and so is what they hear, a melody or none: but they were found, and heard with.
    let heard = dir.run(&["pitch", arg(&song), "--extractor", "published", "-o", "tracks"]);
    let written = heard.status == 0 && dir.path("tracks/pitch_song.txt").is_file();
    assert!(written || heard.stderr.contains("no voice or lead melody was heard"), "{}{}", heard.stdout, heard.stderr);
}

#[test]
fn names_of_shipped_models_are_not_taken() {
    let dir = Dir::new();
    std::fs::write(dir.path("contextual.safetensors"), include_bytes!("../models/weights/contextual.safetensors")).unwrap();
    let refused = dir.run(&["models", "import", "contextual.safetensors"]);
    assert!(refused.status == 2 && refused.stderr.contains("--name"), "{}", refused.stderr);
    dir.ok(&["models", "import", "contextual.safetensors", "--name", "mine", "-o", "elsewhere"]);
    assert!(dir.path("elsewhere/mine.safetensors").is_file());
}
