//! The script that trains all extractors on a GPU, rehearsed on the processor: a step each, on made-up music.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use std::process::Command;

use util::{Dir, arg};

#[test]
fn every_extractor_takes_a_step() {
    let dir = Dir::new();
    let script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/train_all.sh"))
        .args(["absent", "out", "1"])
        .current_dir(dir.path(""))
        .envs([("QBH", env!("CARGO_BIN_EXE_qbh")), ("DEVICE", "cpu"), ("STEPS", "1"), ("BATCH", "1"), ("PIECES", "1")])
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&script.stdout), String::from_utf8_lossy(&script.stderr));
    assert!(script.status.success(), "{stdout}{stderr}");
    for name in ["harmonic-s", "harmonic-m", "ssl", "jdc", "multidnn", "multidnn-rnn", "ah1"] {
        let weights = dir.path(&format!("out/{name}/{name}.safetensors"));
        let described = dir.ok(&["models", "describe", arg(&weights)]).stdout;
        assert!(stdout.contains(&format!("{name}: 100.0 %  step      1")) && described.contains(name), "{stdout}{described}");
    }
    // Pieces are rendered once.
    assert!(stderr.contains("made ") && !stdout.contains("made "), "{stderr}");
    let log = std::fs::read_to_string(dir.path("out/ssl/log")).unwrap();
    assert!(log.contains("read ") && !log.contains("made "), "{log}");
}
