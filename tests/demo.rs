//! `qbh demo`, and what can be done with the music it makes: the way of real recordings from sound to answer.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde_json::Value;
use std::path::Path;
use util::{Dir, arg};

#[test]
fn the_hummed_song_is_found() {
    let dir = Dir::new();
    let demo = dir.ok(&["demo"]).stdout;
    assert!(demo.contains("12 indexed") && demo.contains("That is the song"), "{demo}");
    let plot = std::fs::read_to_string(dir.path("demo/match.svg")).unwrap();
    assert!(plot.contains("<svg") && plot.contains("</svg>"));

    // What it showed can be repeated by hand, with the same result.
    let query = dir.run(&["--index", "demo/demo-index", "query", "--json", "demo/hum.wav"]);
    let answer: Value = serde_json::from_str(&query.stdout).unwrap();
    let title = answer["matches"][0]["title"].as_str().unwrap();
    assert!(demo.lines().any(|line| line.trim_start().starts_with("1 ") && line.contains(title)), "{title} in\n{demo}");
    let again = dir.ok(&["--index", "demo/demo-index", "index", "demo/songs"]).stdout;
    assert!(again.contains("12 unchanged"), "{again}");
    dir.ok(&["--index", "demo/demo-index", "verify"]);

    pitch_tracks(&dir);
}

/// `qbh pitch` in all its formats, read back by `qbh query`.
fn pitch_tracks(dir: &Dir) {
    let hum = dir.path("demo/hum.wav");
    for (format, file) in
        [("txt", "pitch_hum.txt"), ("csv", "pitch_hum.csv"), ("json", "pitch_hum.json"), ("midi", "pitch_hum.mid")]
    {
        let said = dir.ok(&["pitch", arg(&hum), "-o", "tracks", "--format", format, "--plot"]).stdout;
        assert!(said.contains(file), "{said}");
        let query = dir.run(&["--index", "demo/demo-index", "query", "--json", "-k", "1", &format!("tracks/{file}")]);
        let answer: Value = serde_json::from_str(&query.stdout).unwrap();
        assert!(answer["matches"][0]["title"].is_string(), "{format}: {answer}");
    }
    assert!(std::fs::read_to_string(dir.path("tracks/pitch_hum.svg")).unwrap().contains("</svg>"));

    let rows = std::fs::read_to_string(dir.path("tracks/pitch_hum.txt")).unwrap();
    for (i, row) in rows.lines().enumerate() {
        let (time, f0) = row.split_once(' ').unwrap();
        assert_eq!(time, format!("{:.2}", i as f64 * 0.01));
        assert!(f0.split_once('.').unwrap().1.len() == 4 && (0.0..2000.0).contains(&f0.parse().unwrap()), "{row}");
    }
    assert_eq!(rows.lines().count(), frames(&hum));

    let missing = dir.run(&["pitch", "missing.wav", arg(&hum), "-o", "tracks"]);
    assert_eq!(missing.status, 2);
    assert!(missing.stderr.contains("missing.wav") && missing.stdout.contains("pitch_hum.txt"));
}

/// 10 ms frames of a WAV file, the last one begun.
fn frames(wav: &Path) -> usize {
    let wav = hound::WavReader::open(wav).unwrap();
    let seconds = f64::from(wav.duration()) / f64::from(wav.spec().sample_rate);
    (seconds * 100.0 - 1e-9).ceil() as usize
}
