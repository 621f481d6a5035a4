//! Indexing a library, looking after the index, finding songs: the paths every user takes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde_json::Value;
use util::{Dir, arg, hum, melody, midi, pitch_text, wav};

/// A library of eight made-up songs as MIDI files, indexed.
fn indexed() -> Dir {
    let dir = Dir::new();
    for seed in 0..8 {
        dir.add(&format!("song{seed}.mid"), midi(&melody(seed, 80)));
    }
    dir.ok(&["index", "library"]);
    dir
}

fn answer(dir: &Dir, args: &[&str]) -> Value {
    let ran = dir.run(&[&["query", "--json"], args].concat());
    assert!(ran.status < 2, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error} in {:?}", ran.stdout))
}

/// Asserts that the first match is the file, and hands it out.
fn first<'a>(answer: &'a Value, file: &str) -> &'a Value {
    let first = &answer["matches"][0];
    assert!(first["song"].as_str().unwrap().ends_with(file), "{file} is not first in {answer:#}");
    first
}

#[test]
fn finds_a_passage_in_another_key_and_tempo() {
    let dir = indexed();
    let song = melody(5, 80);
    let skipped: f32 = song[..25].iter().map(|note| note.1).sum();
    let passage = &song[25..50];
    let length: f32 = passage.iter().map(|note| note.1).sum();
    let query = dir.path("hum.txt");
    std::fs::write(&query, pitch_text(passage, -5.0, 1.2)).unwrap();

    let answer = answer(&dir, &[arg(&query)]);
    let first = first(&answer, "song5.mid");
    assert_eq!(first["rank"], 1);
    let number = |key: &str| first[key].as_f64().unwrap() as f32;
    assert!((number("key_shift") + 5.0).abs() <= 0.5, "{first}");
    assert!((number("tempo_ratio") - 1.2).abs() < 0.15, "{first}");
    assert!((number("song_start") - skipped).abs() < 3.0 && (number("song_end") - skipped - length).abs() < 3.0, "{first}");

    let table = dir.run(&["query", arg(&query)]);
    assert!(table.stdout.contains("song5") && table.stdout.contains("-5"), "{}", table.stdout);
}

#[test]
fn finds_a_hummed_recording_from_a_file_and_from_standard_input() {
    let dir = indexed();
    let sound = wav(&hum(&melody(3, 80)[10..35], 3.0, 0.9), 16_000, 1);
    std::fs::write(dir.path("hum.wav"), &sound).unwrap();
    first(&answer(&dir, &["hum.wav"]), "song3.mid");

    let mut child = dir
        .command(&["query", "--json", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &sound).unwrap();
    let output = child.wait_with_output().unwrap();
    first(&serde_json::from_slice(&output.stdout).unwrap(), "song3.mid");
}

#[test]
fn graph_and_scan_agree_and_the_plot_is_drawn() {
    let dir = indexed();
    std::fs::write(dir.path("hum.txt"), pitch_text(&melody(2, 80)[20..45], 2.0, 1.0)).unwrap();
    for search in ["auto", "exact", "coarse", "hnsw"] {
        first(&answer(&dir, &["hum.txt", "--search", search]), "song2.mid");
    }
    dir.run(&["query", "hum.txt", "--plot", "match.svg"]);
    let plot = std::fs::read_to_string(dir.path("match.svg")).unwrap();
    assert!(plot.starts_with("<svg") && plot.contains("song2"), "{plot:.300}");
}

#[test]
fn k_limits_the_matches() {
    let dir = indexed();
    std::fs::write(dir.path("hum.txt"), pitch_text(&melody(2, 80)[20..45], 2.0, 1.0)).unwrap();
    assert_eq!(answer(&dir, &["hum.txt", "-k", "3"])["matches"].as_array().unwrap().len(), 3);
}

#[test]
fn a_second_run_does_nothing() {
    let dir = indexed();
    let ran = dir.ok(&["index", "library", "-vv"]);
    assert!(ran.stdout.contains("8 unchanged"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("opened model"), "models were loaded for nothing:\n{}", ran.stderr);
}

#[test]
fn follows_what_happens_to_the_library() {
    let dir = indexed();
    dir.add("song1.mid", midi(&melody(101, 60)));
    dir.add("new/song8.mid", midi(&melody(8, 60)));
    std::fs::remove_file(dir.library().join("song0.mid")).unwrap();

    let dry = dir.ok(&["index", "library", "--dry-run"]).stdout;
    assert!(dry.contains("song1.mid") && dry.contains("song8.mid") && dry.contains("song0.mid"), "{dry}");
    assert!(dir.ok(&["list"]).stdout.contains("song0"), "a dry run changes nothing");

    let ran = dir.ok(&["index", "library"]).stdout;
    assert!(ran.contains("2 indexed") && ran.contains("6 unchanged") && ran.contains("song0.mid"), "{ran}");
    let list = dir.ok(&["list"]).stdout;
    assert!(!list.contains("song0") && list.contains("song8"), "{list}");
    std::fs::write(dir.path("hum.txt"), pitch_text(&melody(101, 60)[5..40], 0.0, 1.0)).unwrap();
    first(&answer(&dir, &["hum.txt"]), "song1.mid");
}

#[test]
fn a_missing_drive_loses_nothing() {
    let dir = indexed();
    std::fs::rename(dir.library(), dir.path("elsewhere")).unwrap();
    let gone = dir.run(&["index", "library"]);
    assert_eq!(gone.status, 2);
    assert!(gone.stderr.contains("library"), "{}", gone.stderr);

    std::fs::create_dir(dir.library()).unwrap();
    let empty = dir.ok(&["index", "library"]);
    assert!(empty.stderr.contains("drive"), "{}", empty.stderr);
    assert_eq!(dir.ok(&["list", "--json"]).stdout.lines().count(), 8);
}

#[test]
fn looks_after_the_index() {
    let dir = indexed();
    let show = dir.ok(&["show", "song4"]).stdout;
    assert!(show.contains("song4.mid"), "{show}");
    assert_eq!(dir.run(&["show", "no such song"]).status, 2);

    dir.ok(&["remove", "library/song4.mid"]);
    let list = dir.ok(&["list"]).stdout;
    assert!(!list.contains("song4") && list.contains("song5"), "{list}");
    assert_eq!(dir.run(&["remove", "library/song4.mid"]).status, 2, "it is gone already");

    assert!(dir.ok(&["stats"]).stdout.contains('7'));
    dir.ok(&["verify"]);
    dir.ok(&["compact"]);
    dir.ok(&["verify"]);
    assert_eq!(dir.ok(&["list"]).stdout, list);

    dir.ok(&["remove", "library"]);
    assert!(!dir.ok(&["list"]).stdout.contains("song"));
}

#[test]
fn a_tune_book_is_many_songs() {
    let dir = Dir::new();
    let tune = |n: u32, title: &str, notes: &str| format!("X:{n}\nT:{title}\nM:4/4\nL:1/4\nQ:1/4=120\nK:C\n{notes}\n\n");
    let first_tune = "CDEC|CDEC|EFG2|EFG2|G/A/G/F/EC|G/A/G/F/EC|CG,C2|CG,C2|";
    let second_tune = "CCGG|AAG2|FFEE|DDC2|GGFF|EED2|GGFF|EED2|CCGG|AAG2|FFEE|DDC2|";
    dir.add("book.abc", tune(1, "Brother John", first_tune) + &tune(2, "Little Star", second_tune));
    dir.ok(&["index", "library"]);
    let list = dir.ok(&["list"]).stdout;
    assert!(list.contains("Brother John") && list.contains("Little Star"), "{list}");

    let star: Vec<(u8, f32)> = [60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60]
        .iter()
        .zip([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0].iter().cycle())
        .map(|(&pitch, &seconds)| (pitch, seconds))
        .collect();
    std::fs::write(dir.path("hum.txt"), pitch_text(&star, 1.0, 1.1)).unwrap();
    let answer = answer(&dir, &["hum.txt"]);
    let first = &answer["matches"][0];
    assert_eq!(first["title"], "Little Star", "{answer:#}");
    assert!(first["song"].as_str().unwrap().contains("book.abc#"), "{first}");
}

#[test]
fn without_an_index_there_is_advice() {
    let dir = Dir::new();
    std::fs::write(dir.path("hum.txt"), pitch_text(&melody(1, 20), 0.0, 1.0)).unwrap();
    for args in [&["query", "hum.txt"][..], &["list"], &["stats"], &["verify"], &["compact"], &["show", "x"], &["remove", "x"]] {
        let ran = dir.run(args);
        assert_eq!(ran.status, 2, "{args:?}");
        assert!(ran.stderr.contains("qbh index"), "{args:?}: {}", ran.stderr);
    }
}
