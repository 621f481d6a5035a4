//! The JSON of `qbh query` is what docs/json.md says.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde::Deserialize;
use util::{Dir, melody, midi, pitch_text};

/// Version 1 of the schema, written down a second time: a field that is added, dropped or renamed fails here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    schema: String,
    query: String,
    duration: f64,
    voiced: f64,
    songs: usize,
    search: String,
    confident: bool,
    matches: Vec<Match>,
    seconds: Seconds,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    rank: usize,
    song: String,
    file: String,
    title: Option<String>,
    artist: Option<String>,
    album: Option<String>,
    duration: Option<f64>,
    score: f64,
    confidence: f64,
    song_start: f64,
    song_end: f64,
    hum_start: f64,
    hum_end: f64,
    key_shift: f64,
    tempo_ratio: f64,
    copies: Vec<Copy>,
}

/// Another song that is the same recording.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "that the fields are there is what counts")]
struct Copy {
    song: String,
    file: String,
    title: Option<String>,
    artist: Option<String>,
    album: Option<String>,
    duration: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seconds {
    listen: f64,
    search: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    schema: String,
    query: String,
    error: Refusal,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    reason: String,
    remedy: String,
}

#[test]
fn query_answers_in_version_1() {
    let dir = Dir::new();
    for seed in 0..4 {
        dir.add(&format!("song{seed}.mid"), midi(&melody(seed, 60)));
    }
    dir.ok(&["index", "library"]);
    std::fs::write(dir.path("hum.txt"), pitch_text(&melody(2, 60)[10..35], -2.0, 1.1)).unwrap();
    let ran = dir.run(&["query", "--json", "hum.txt", "missing.wav"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "one line per hum: {}", ran.stdout);

    let answer: Answer = serde_json::from_str(lines[0]).unwrap();
    assert_eq!((answer.schema.as_str(), answer.query.as_str(), answer.songs), ("qbh.query/1", "hum.txt", 4));
    assert_eq!(answer.search, "auto");
    assert!(answer.duration > 5.0 && answer.voiced > 0.5 && answer.voiced <= 1.0);
    assert!(answer.seconds.listen >= 0.0 && answer.seconds.search > 0.0);
    assert_eq!(answer.matches.iter().map(|m| m.rank).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(answer.matches.is_sorted_by(|a, b| a.score >= b.score));
    assert!(answer.matches.iter().all(|m| m.copies.is_empty()), "four different songs");
    let best = &answer.matches[0];
    assert!(best.song.ends_with("song2.mid") && best.file == best.song, "{best:?}");
    assert!((0.0..=1.0).contains(&best.confidence));
    assert_eq!(answer.confident, best.confidence >= 0.5);
    assert!(best.song_start < best.song_end && best.hum_start < best.hum_end && best.hum_end <= answer.duration + 0.2);
    assert!(best.duration.unwrap() >= best.song_end - 0.2);
    assert!((best.key_shift + 2.0).abs() <= 0.5 && (best.tempo_ratio - 1.1).abs() < 0.15, "{best:?}");
    assert!(best.title.as_deref().is_none_or(|t| !t.is_empty()) && best.artist.is_none() && best.album.is_none());
    assert_eq!(ran.status, 2, "one of the two is an error");

    let refused: Refused = serde_json::from_str(lines[1]).unwrap();
    assert_eq!((refused.schema.as_str(), refused.query.as_str()), ("qbh.query/1", "missing.wav"));
    assert!(!refused.error.reason.is_empty() && !refused.error.remedy.is_empty());
}
