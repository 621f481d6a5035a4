//! What happens to a library between two runs: files move, are re-tagged, go, come back, are there twice.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde_json::Value;
use util::{Dir, hum, melody, midi, pitch_text};

/// AIFF bytes of a melody with a title before the sound.
fn tagged(seed: u64, title: &str) -> Vec<u8> {
    let samples = hum(&melody(seed, 24), 0.0, 1.0);
    let chunk = |id: &[u8; 4], mut body: Vec<u8>| {
        let size = (body.len() as u32).to_be_bytes();
        body.resize(body.len().next_multiple_of(2), 0);
        [&id[..], &size, &body].concat()
    };
    // One channel of 16 bits, at 16 kHz as an 80-bit number.
    let mut common = 1u16.to_be_bytes().to_vec();
    common.extend((samples.len() as u32).to_be_bytes());
    common.extend(16u16.to_be_bytes());
    common.extend([0x40, 0x0c, 0xfa, 0, 0, 0, 0, 0, 0, 0]);
    let mut sound = vec![0; 8];
    sound.extend(samples.iter().flat_map(|s| ((s.clamp(-1.0, 1.0) * 32767.0) as i16).to_be_bytes()));
    let name = chunk(b"NAME", title.as_bytes().to_vec());
    let body = [b"AIFF".to_vec(), chunk(b"COMM", common), name, chunk(b"SSND", sound)].concat();
    chunk(b"FORM", body)
}

fn run(dir: &Dir, args: &[&str]) -> Value {
    let ran = dir.ok(&[&["index", "library", "--json"], args].concat());
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error} in {:?}", ran.stdout))
}

fn lines(dir: &Dir, args: &[&str]) -> Vec<Value> {
    dir.ok(args).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn count(run: &Value, field: &str) -> usize {
    run[field].as_array().unwrap().len()
}

#[test]
fn renamed_and_retagged_files_are_not_heard_again() {
    let dir = Dir::new();
    for seed in 0..5 {
        dir.add(&format!("old{seed}.aiff"), tagged(seed, &format!("Title {seed}")));
        dir.add(&format!("score{seed}.mid"), midi(&melody(100 + seed, 60)));
    }
    assert_eq!(run(&dir, &[])["indexed"], 10);
    let ids = |dir: &Dir| {
        let mut ids: Vec<u64> = lines(dir, &["list", "--json"]).iter().map(|song| song["id"].as_u64().unwrap()).collect();
        ids.sort_unstable();
        ids
    };
    let before = ids(&dir);

    // Every file moves, and every recording has another title.
    for seed in 0..5 {
        std::fs::remove_file(dir.library().join(format!("old{seed}.aiff"))).unwrap();
        dir.add(&format!("new/song{seed}.aiff"), tagged(seed, &format!("A better title {seed}")));
        std::fs::rename(dir.library().join(format!("score{seed}.mid")), dir.library().join(format!("new/score{seed}.mid")))
            .unwrap();
    }
    let moved = run(&dir, &[]);
    assert_eq!((&moved["indexed"], count(&moved, "moved"), count(&moved, "gone")), (&Value::from(0), 10, 0), "{moved:#}");
    assert_eq!(ids(&dir), before, "songs keep their ids");
    let list = dir.ok(&["list"]).stdout;
    assert!(list.contains("A better title 3") && !list.contains("old"), "{list}");

    // In place.
    for seed in 0..5 {
        dir.add(&format!("new/song{seed}.aiff"), tagged(seed, &format!("The best title {seed}")));
    }
    let retagged = run(&dir, &[]);
    assert_eq!((&retagged["indexed"], count(&retagged, "retagged")), (&Value::from(0), 5), "{retagged:#}");
    assert!(dir.ok(&["show", "the best title 4"]).stdout.contains("song4.aiff"));
    assert_eq!(run(&dir, &[])["unchanged"], 10);
    dir.ok(&["verify"]);
}

#[test]
fn a_file_that_comes_back_is_not_heard_again() {
    let dir = Dir::new();
    dir.add("stays.mid", midi(&melody(1, 60)));
    dir.add("drive/goes.aiff", tagged(2, "Gone and back"));
    run(&dir, &[]);
    std::fs::rename(dir.library().join("drive"), dir.path("unplugged")).unwrap();
    let gone = run(&dir, &[]);
    assert_eq!(count(&gone, "gone"), 1, "{gone:#}");
    assert!(!dir.ok(&["list"]).stdout.contains("goes"));
    assert_eq!(lines(&dir, &["stats", "--json"])[0]["gone"], 1);
    std::fs::rename(dir.path("unplugged"), dir.library().join("drive")).unwrap();
    let back = run(&dir, &[]);
    assert_eq!((&back["indexed"], count(&back, "returned")), (&Value::from(0), 1), "{back:#}");
    assert!(dir.ok(&["list"]).stdout.contains("Gone and back"));
}

#[test]
fn a_copy_is_one_answer_and_a_duplicate() {
    let dir = Dir::new();
    for seed in 0..6 {
        dir.add(&format!("song{seed}.mid"), midi(&melody(seed, 80)));
    }
    dir.add("copies/same.mid", midi(&melody(3, 80)));
    // Two threads could hear both at once.
    let ran = run(&dir, &["--jobs", "1"]);
    assert_eq!((&ran["indexed"], count(&ran, "copies")), (&Value::from(6), 1), "{ran:#}");

    std::fs::write(dir.path("hum.txt"), pitch_text(&melody(3, 80)[20..50], 2.0, 1.1)).unwrap();
    let answer: Value = serde_json::from_str(&dir.run(&["query", "hum.txt", "--json"]).stdout).unwrap();
    let first = &answer["matches"][0];
    let names = [first["song"].as_str().unwrap(), first["copies"][0]["song"].as_str().unwrap()];
    assert!(names.iter().any(|n| n.ends_with("song3.mid")) && names.iter().any(|n| n.ends_with("same.mid")), "{answer:#}");
    assert_eq!(answer["matches"].as_array().unwrap().len(), 6, "a copy has no place of its own");
    assert_eq!(answer["confident"], true, "{answer:#}");

    let groups = lines(&dir, &["duplicates", "--json"]);
    assert_eq!((groups.len(), groups[0]["songs"].as_array().unwrap().len()), (1, 2), "{groups:?}");
    assert!(dir.ok(&["duplicates"]).stdout.contains("same.mid"));
}

#[test]
fn the_same_tune_is_found_in_another_key_and_tempo() {
    let dir = Dir::new();
    for seed in 0..8 {
        dir.add(&format!("song{seed}.mid"), midi(&melody(seed, 80)));
    }
    let other = |seed: u64, shift: u8, tempo: f32| -> Vec<(u8, f32)> {
        melody(seed, 80).into_iter().map(|(pitch, seconds)| (pitch + shift, seconds / tempo)).collect()
    };
    dir.add("higher.mid", midi(&other(2, 3, 1.0)));
    dir.add("faster.mid", midi(&other(5, 0, 1.15)));
    dir.add("copy.mid", midi(&melody(6, 80)));
    run(&dir, &[]);
    let groups = |kind: &str| -> Vec<Vec<String>> {
        let groups = lines(&dir, &["duplicates", "--tunes", "--json"]);
        let name = |song: &Value| song["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let names = |group: &Value| {
            let mut names: Vec<String> = group["songs"].as_array().unwrap().iter().map(name).collect();
            names.sort();
            names
        };
        let mut groups: Vec<_> = groups.iter().filter(|group| group["kind"] == kind).map(names).collect();
        groups.sort();
        groups
    };
    assert_eq!(groups("recording"), [["copy.mid", "song6.mid"]]);
    assert_eq!(groups("tune"), [["faster.mid", "song5.mid"], ["higher.mid", "song2.mid"]]);
    let table = dir.ok(&["duplicates", "--tunes"]).stdout;
    assert!(table.matches("Same tune:").count() == 2 && table.matches("Same recording:").count() == 1, "{table}");
}

#[test]
fn what_is_passed_by_and_what_failed_is_told() {
    let dir = Dir::new();
    dir.add("song.mid", midi(&melody(1, 60)));
    dir.add("a.wma", "x");
    dir.add("b.WMA", "x");
    dir.add("cover.jpg", "x");
    dir.add("bad.mp3", "no music at all\n".repeat(100));
    let ran = run(&dir, &[]);
    assert_eq!((&ran["skipped"][".wma"], &ran["skipped"][".jpg"]), (&Value::from(2), &Value::from(1)), "{ran:#}");
    assert_eq!(ran["failed"][0]["known"], false);
    assert!(dir.ok(&["index", "library"]).stdout.contains(".wma 2"));

    let failed = lines(&dir, &["list", "--failed", "--json"]);
    assert!(failed.len() == 1 && failed[0]["file"].as_str().unwrap().ends_with("bad.mp3"), "{failed:?}");
    assert_eq!(run(&dir, &[])["failed"][0]["known"], true);
    assert_eq!(run(&dir, &["--retry-failed"])["failed"][0]["known"], false);
}
