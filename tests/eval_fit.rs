//! `qbh eval fit` on a few made-up hums: what it prints can be put into the code.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use util::{Dir, hum, melody, midi, wav};

const SONGS: u64 = 8;

/// Songs as MIDI files, a recorded hum of each, and other melodies to hum.
fn data() -> Dir {
    let dir = Dir::new();
    std::fs::create_dir(dir.path("hums")).unwrap();
    let mut manifest = "query,song\n".to_string();
    let mut melodies = String::new();
    for seed in 1..=SONGS {
        dir.add(&format!("{seed}.mid"), midi(&melody(seed, 60)));
        let notes = &melody(seed, 60)[10..30];
        std::fs::write(dir.path(&format!("hums/{seed}.wav")), wav(&hum(notes, -3.0, 1.1), 16_000, 1)).unwrap();
        manifest += &format!("hums/{seed}.wav,{seed}.mid\n");
        let mut onset = 0.0;
        let mut note = |(pitch, seconds): (u8, f32)| {
            onset += seconds;
            format!("[{},{seconds},{pitch}]", onset - seconds)
        };
        let notes: Vec<String> = melody(100 + seed, 60).into_iter().map(&mut note).collect();
        melodies += &format!("{{\"id\":\"tune {seed}\",\"unit\":\"sec\",\"notes\":[{}]}}\n", notes.join(","));
    }
    std::fs::write(dir.path("queries.csv"), manifest).unwrap();
    std::fs::write(dir.path("tunes.jsonl"), melodies).unwrap();
    dir
}

/// The numbers behind a constant's name.
fn numbers(printed: &str, name: &str) -> Vec<f32> {
    let line = printed.lines().find(|line| line.starts_with("search/") && line.contains(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {printed}"));
    let rest = &line[line.find(name).unwrap() + name.len()..];
    rest.split([' ', ',', ';', '[', ']'])
        .map_while(|word| if word.is_empty() { Some(None) } else { word.parse().ok().map(Some) })
        .flatten()
        .collect()
}

#[test]
fn constants_are_fitted_and_every_set_is_held_out() {
    let dir = data();
    let sets = ["--manifest", "queries.csv", "--library", "library", "--hum-melodies", "tunes.jsonl"];
    let printed = dir.ok(&[&["eval", "fit", "--hums", "8"], &sets[..]].concat()).stdout;
    for set in
        ["melodies, 8 hums", "recorded hums, 8 hums", "melodies, fitted without them", "recorded hums, fitted without them"]
    {
        assert!(printed.contains(set), "{set} in {printed}");
    }
    for constant in
        ["ALIGNMENT_WEIGHT", "MOVES_WEIGHT", "LOG_ODDS_WEIGHT", "PRIOR_LOCATION", "PRIOR_SPREAD", "USUAL_RIVAL", "INTERCEPT"]
    {
        assert!(numbers(&printed, constant)[0].is_finite(), "{constant} in {printed}");
    }
    let weights = numbers(&printed, "calibrate.rs: WEIGHTS");
    assert!(weights.len() == 8 && weights[0] >= 0.0 && weights[3] <= 0.0, "{weights:?} in {printed}");
    assert_eq!(printed, dir.ok(&[&["eval", "fit", "--hums", "8"], &sets[..]].concat()).stdout, "the same again");
}

#[test]
fn a_fit_without_hums_says_what_to_name() {
    let dir = Dir::new();
    let refused = dir.run(&["eval", "fit"]);
    assert!(refused.status == 2 && refused.stderr.contains("--hum-melodies"), "{}", refused.stderr);
}
