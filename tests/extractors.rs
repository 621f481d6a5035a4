//! The published extractors from the command line: without weights, trained, and compared.

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

    std::fs::create_dir(dir.path("set")).unwrap();
    let notes = melody(3, 10);
    std::fs::write(dir.path("set/hum.wav"), wav(&hum(&notes, 0.0, 1.0), 16_000, 1)).unwrap();
    std::fs::write(dir.path("set/hum.txt"), pitch_text(&notes, 0.0, 1.0)).unwrap();
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
