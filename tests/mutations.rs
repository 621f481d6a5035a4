//! What `fuzz/` runs for hours, for some seconds and always the same: every parser of bytes from outside gets files with bytes changed, cut out, put in
//! and repeated, and must come to an end without a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "../fuzz/targets.rs"]
mod targets;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// Files of `tests/data` with one of these extensions, in the order of their names.
fn seeds(folder: &str, extensions: &[&str]) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e)));
    files.sort();
    assert!(!files.is_empty());
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn mutated(seed: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.random_range(1..8) {
        if bytes.is_empty() {
            break;
        }
        // Headers are where damage hurts.
        let reach = if random.random_bool(0.5) { bytes.len() } else { bytes.len().min(400) };
        let at = random.random_range(0..reach);
        let to = (at + random.random_range(0..32usize)).min(bytes.len());
        match random.random_range(0..6) {
            0 => bytes[at] = random.random(),
            1 => bytes[at] ^= 1 << random.random_range(0..8),
            2 => drop(bytes.drain(at..to)),
            3 => {
                let part = bytes[at..to].to_vec();
                bytes.splice(at..at, part.repeat(random.random_range(1..20)));
            }
            4 => bytes[at..to].fill([0, 0xff, 0x80, b'9'][random.random_range(0..4)]),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Gives a parser each seed as it is, and `each` mutations of it.
fn try_all(parse: fn(&[u8]), seeds: &[Vec<u8>], each: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(22);
    for seed in seeds {
        parse(seed);
        for _ in 0..each {
            parse(&mutated(seed, &mut random));
        }
    }
}

#[test]
fn scores() {
    try_all(targets::midi, &seeds("scores", &["mid", "rmi"]), 200);
    try_all(targets::musicxml, &seeds("scores", &["musicxml"]), 100);
    try_all(targets::abc, &seeds("scores", &["abc"]), 200);
    try_all(targets::kern, &seeds("scores", &["krn"]), 200);
}

#[test]
fn texts() {
    let text = |text: &str| vec![text.as_bytes().to_vec()];
    let lines = "{\"id\":\"a\",\"unit\":\"quarter\",\"notes\":[[1,2,60],[3,1,62.5]]}\n{\"notes\":[[0,1,60]]}\n";
    try_all(targets::json_lines, &text(lines), 1000);
    let chart = "#TITLE:a\n#BPM:150,5\n#GAP:100\n#RELATIVE:YES\nP1\n: 0 5 0 La\n* 5 5 -2 la\nF 10 5 0 x\n- 18 20\n: 2 10 -5 lo\nP2\n: 3 4 5 z\nE\n";
    try_all(targets::ultrastar, &text(chart), 1000);
    try_all(targets::note_list, &text("onset,offset,pitch\n0.5,1.0,C4\n1.0,1.5,62\n"), 1000);
    try_all(targets::note_list, &text("0, 0, Header, 1, 2, 480\n1, 0, Tempo, 500000\n2, 480, Note_on_c, 0, 60, 81\n"), 1000);
    try_all(targets::pitch_rows, &text("time,f0,confidence\n0.00,220,0.9\n0.01,nan,0.2\n"), 1000);
    try_all(targets::pitch_pv, &text("60.5\n0\n61\n"), 500);
    let document = r#"{"format":"qbh-pitch","version":1,"hop":0.01,"f0":[220,-220,0],"voicing":[1,0,0]}"#;
    try_all(targets::pitch_json, &text(document), 1000);
}

#[test]
fn recordings() {
    let all = ["mp3", "m4a", "mp4", "flac", "ogg", "opus", "webm", "mka", "aiff", "caf", "wav", "aac", "mp2"];
    try_all(targets::audio, &seeds("audio", &all), 40);
}
