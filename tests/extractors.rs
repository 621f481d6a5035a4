//! The published extractors from the command line: without weights, trained, and compared.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde_json::Value;
use util::{Dir, arg, hum, melody, pitch_text, wav};

#[test]
fn a_network_without_weights_says_how_to_get_some() {
    let dir = Dir::new();
    let file = dir.add("hum.wav", wav(&hum(&melody(1, 8), 0.0, 1.0), 16_000, 1));
    let listed = dir.ok(&["models"]).stdout;
    for name in ["ssl", "jdc", "multidnn", "multidnn-rnn", "ah1"] {
        let ran = dir.run(&["pitch", "--extractor", name, arg(&file)]);
        assert_eq!(ran.status, 2);
        assert!(ran.stderr.contains(&format!("--arch {name}")) && ran.stderr.contains("models import"), "{}", ran.stderr);
        assert!(listed.contains(name), "{listed}");
    }
}

#[test]
fn a_trained_network_writes_pitch_and_is_compared() {
    let dir = Dir::new();
    let train = |arch: &str, more: &[&str]| {
        let common = ["train", "extractor", "--arch", arch, "--steps", "1", "--batch", "1", "--pieces", "1", "--out", "net"];
        dir.ok(&[&common, more].concat());
    };
    let ran = dir.run(&["train", "extractor", "--arch", "multidnn-rnn", "--steps", "1", "--pieces", "1", "--out", "net"]);
    assert!(ran.status == 2 && ran.stderr.contains("--from"), "{}", ran.stderr);
    train("multidnn", &[]);
    train("multidnn-rnn", &["--from", "net/multidnn.safetensors"]);

    add_set(&dir);
    let weights = ["harmonic-s", "net/multidnn.safetensors", "net/multidnn-rnn.safetensors"];
    let report = dir.ok(&[&["eval", "extractors", "set", "--json", "--weights"], &weights[..]].concat()).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let of = |key: &str| rows.iter().map(|row| row[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("architecture"), ["harmonic", "multidnn", "multidnn-rnn"]);
    assert!(rows[0]["mean"]["rpa"]["mean"].as_f64().unwrap() > 0.8, "{report}");
    assert!(of("bytes").iter().all(|bytes| bytes.as_u64().unwrap() > 300_000));
    assert!(of("real_time_factor").iter().all(|factor| factor.as_f64().unwrap() > 0.0));
    let table = dir.ok(&[&["eval", "extractors", "set", "--weights"], &weights[..]].concat()).stdout;
    assert!(table.contains("Published scores") && table.contains("ADC2004"), "{table}");
}

#[test]
fn the_alpha_study_has_a_row_per_weight_and_no_scores_of_untrained_tasks() {
    let dir = Dir::new();
    add_set(&dir);
    let args = ["train", "extractor", "--arch", "multidnn", "--steps", "1", "--batch", "1", "--pieces", "1", "--out", "study"];
    let table = dir.ok(&[&args[..], &["--alpha-study", "set"]].concat()).stdout;
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    let names = ["0", "0.1", "0.3", "0.5", "0.7", "0.9", "voicing-only"];
    assert!(rows.iter().zip(names).all(|(row, name)| row[0] == name && row.len() == 11), "{table}");
    let told = |row: &Vec<&str>| row[1..6].iter().map(|cell| *cell != "-").collect::<Vec<_>>();
    assert_eq!(told(&rows[0]), [false, false, true, true, false]);
    assert_eq!(told(&rows[3]), [true; 5]);
    assert_eq!(told(&rows[6]), [true, true, false, false, false]);
    // The paper's own best beside ours.
    assert_eq!(rows[3][6..], ["0.778", "0.118", "0.714", "0.748", "0.734"]);
}

/// A folder `set` with one recording and its reference.
fn add_set(dir: &Dir) {
    std::fs::create_dir(dir.path("set")).unwrap();
    let notes = melody(3, 10);
    std::fs::write(dir.path("set/hum.wav"), wav(&hum(&notes, 0.0, 1.0), 16_000, 1)).unwrap();
    std::fs::write(dir.path("set/hum.txt"), pitch_text(&notes, 0.0, 1.0)).unwrap();
}
