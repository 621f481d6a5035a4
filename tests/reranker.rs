//! Rerankers from the command line: trained, described, used.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde_json::Value;
use util::{Dir, arg, hum, melody, wav};

#[test]
fn a_trained_reranker_ranks_hums() {
    let dir = Dir::new();
    let train = ["train", "reranker", "--songs", "12", "--passages", "8", "--steps", "2", "--out", "net"];
    let ran = dir.ok(&train);
    assert!(ran.stdout.contains("reranker.safetensors") && ran.stderr.contains("to train on (generated)"), "{}", ran.stderr);
    let more = ["--steps", "1", "--from", "net/reranker.safetensors", "--out", "more"];
    dir.ok(&[&["train", "reranker", "--songs", "12", "--passages", "4"], &more[..]].concat());
    let unknown =
        dir.run(&["train", "reranker", "--songs", "12", "--passages", "4", "--steps", "1", "--from", "nobody", "--out", "no"]);
    assert!(unknown.status == 2 && unknown.stderr.contains("nobody"), "{}", unknown.stderr);
    let described = dir.ok(&["models", "describe", "net/reranker.safetensors"]).stdout;
    assert!(described.contains("side-by-side") && described.contains("--passages 8"), "{described}");
    assert!(dir.ok(&["models"]).stdout.contains("side-by-side"));

    for song in 0..3 {
        dir.add(&format!("songs/{song}.wav"), wav(&hum(&melody(song, 40), 0.0, 1.0), 16_000, 1));
    }
    let file = dir.add("hum.wav", wav(&hum(&melody(1, 20), 3.0, 1.0), 16_000, 1));
    dir.ok(&["index", "library/songs"]);
    let score = |more: &[&str]| {
        let answer = dir.run(&[&["query", "--json", arg(&file)], more].concat()).stdout;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["matches"][0]["file"].as_str().unwrap().ends_with("1.wav"), "{answer}");
        answer["matches"][0]["score"].as_f64().unwrap()
    };
    assert_ne!(score(&[]), score(&["--reranker", "net/reranker.safetensors"]));
    let wrong = dir.run(&["query", arg(&file), "--reranker", "contextual"]);
    assert!(wrong.status == 2 && wrong.stderr.contains("there are side-by-side"), "{}", wrong.stderr);
    let without = dir.run(&["train", "reranker", "--out", "net"]);
    assert!(without.status == 2 && without.stderr.contains("--hours or --steps"), "{}", without.stderr);
}
