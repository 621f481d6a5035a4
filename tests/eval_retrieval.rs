//! `qbh eval retrieval` on tiny made-up data sets in the layouts of the published ones.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde_json::Value;
use util::{Dir, hum, melody, midi, wav};

/// Runs the evaluation and hands out its JSON.
fn eval(dir: &Dir, args: &[&str]) -> Value {
    let ran = dir.ok(&[&["eval", "retrieval", "--json"], args].concat());
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error} in {:?}", ran.stdout))
}

fn write(dir: &Dir, name: &str, bytes: impl AsRef<[u8]>) {
    let path = dir.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn hummed(seed: u64, notes: std::ops::Range<usize>, shift: f32, tempo: f32) -> Vec<u8> {
    wav(&hum(&melody(seed, 60)[notes], shift, tempo), 16_000, 1)
}

/// Four songs, and hums of the beginnings of three by two people.
fn mir_qbsh() -> Dir {
    let dir = Dir::new();
    for song in 1..5 {
        write(&dir, &format!("set/midiFile/0000{song}.mid"), midi(&melody(song, 60)));
    }
    write(&dir, "set/waveFile/year2003/person00001/00001.wav", hummed(1, 0..20, -3.0, 1.1));
    write(&dir, "set/waveFile/year2003/person00001/00002.wav", hummed(2, 0..20, -3.0, 0.9));
    write(&dir, "set/waveFile/year2004/person00002/00001.wav", hummed(1, 0..20, 2.0, 0.95));
    write(&dir, "set/waveFile/year2004/person00002/00001.pv", "0\n0\n60\n");
    dir
}

#[test]
fn mir_qbsh_is_searched_among_the_songs() {
    let dir = mir_qbsh();
    let report = eval(&dir, &["--mir-qbsh", "set"]);
    assert_eq!((&report["schema"], &report["n"], &report["songs"]), (&"qbh.eval.retrieval/1".into(), &3.into(), &4.into()));
    assert_eq!(report["top1"]["mean"], 1.0, "{report:#}");
    let query = &report["queries"][2];
    assert!(
        query["query"] == "waveFile/year2004/person00002/00001.wav" && query["first"].as_str().unwrap().ends_with("00001.mid")
    );
    assert!(report["recall_at"]["50"] == 1.0 && report["time_mean"]["listen"].as_f64().unwrap() > 0.0);
    for q in report["queries"].as_array().unwrap() {
        assert!(q["confidence"].as_f64().unwrap() > q["confidence_without"].as_f64().unwrap(), "{q}");
    }
    assert_eq!(report["confidence"]["auroc"], 1.0);
    // Three hums of two songs by two people: songs are the unit unless there are fewer singers.
    assert_eq!((&report["unit"], &report["units"], &report["role"]), (&"song".into(), &2.into(), &Value::Null));
    assert_eq!((&query["singer"], &query["song"]), (&"year2004/person00002".into(), &report["queries"][0]["song"]));
    let table = dir.ok(&["eval", "retrieval", "--mir-qbsh", "set", "--role", "test"]).stdout;
    assert!(table.starts_with("test set: 3 queries of 2 songs among 4 songs\n95 % intervals: songs resampled"), "{table}");
}

#[test]
fn songs_are_disturbed_as_extractors_would() {
    let dir = twins();
    // How much surer the first song is with the right one in the library than without it.
    let margin = |noise: &[&str]| {
        let report = eval(&dir, &[&["--manifest", "queries.csv", "--library", "library"], noise].concat());
        assert_eq!((&report["n"], &report["songs"]), (&6.into(), &12.into()));
        let sum = |field: &str| report["queries"].as_array().unwrap().iter().map(|q| q[field].as_f64().unwrap()).sum::<f64>();
        sum("confidence") - sum("confidence_without")
    };
    let noisy = |seed: &str| margin(&["--song-noise", "1", "1", "--seed", seed]);
    let clean = margin(&[]);
    for seed in ["1", "2", "3", "4"] {
        assert!(noisy(seed) < clean - 1.0, "seed {seed}: {} and {clean}", noisy(seed));
    }
    assert_eq!(noisy("1"), noisy("1"), "the same again");
    let dir = mir_qbsh();
    let refused = dir.run(&["eval", "retrieval", "--mir-qbsh", "set", "--song-noise", "0.2", "1", "--index", "kept"]);
    assert!(refused.status == 2 && refused.stderr.contains("leave --index out"), "{}", refused.stderr);
}

#[test]
fn mir_qbsh_variants_are_searched_among_hums_too_but_never_themselves() {
    let dir = mir_qbsh();
    let report = eval(&dir, &["--mir-qbsh", "set", "--variants"]);
    assert_eq!((&report["n"], &report["songs"]), (&3.into(), &7.into()));
    assert_eq!(report["top1"]["mean"], 1.0, "{report:#}");
    for q in report["queries"].as_array().unwrap() {
        let own = q["query"].as_str().unwrap();
        assert!(!q["first"].as_str().unwrap().ends_with(own), "{own} found itself");
    }
}

#[test]
fn ioacas_goes_by_its_lists() {
    let dir = Dir::new();
    for song in 1..4 {
        write(&dir, &format!("set/corpus1/midfile/00{song}.mid"), midi(&melody(song, 60)));
    }
    write(&dir, "set/corpus1/wavfile/hum_a.wav", hummed(3, 15..40, 4.0, 1.0));
    write(&dir, "set/corpus1/query.list", "hum_a.wav\t003.mid\r\n");
    let report = eval(&dir, &["--ioacas", "set"]);
    assert_eq!((&report["n"], &report["songs"], &report["top1"]["mean"]), (&1.into(), &3.into(), &1.0.into()));
}

#[test]
fn mtg_qbh_finds_the_songs_by_artist_and_title() {
    let dir = Dir::new();
    for (seed, name) in [(1, "The Beatles - Let it Be.mid"), (2, "Toto - Africa.mid"), (3, "Abba - Waterloo.mid")] {
        dir.add(name, midi(&melody(seed, 60)));
    }
    write(&dir, "set/q1.wav", hummed(2, 10..35, -4.0, 1.1));
    write(&dir, "set/q2.wav", hummed(9, 10..35, -4.0, 1.1));
    write(&dir, "set/Queries.csv", "Query,Artist,Song\nq1.wav,Toto,Africa\nq2.wav,Queen,Innuendo\n");
    let args = ["eval", "retrieval", "--mtg-qbh", "set", "--library", "library", "--json"];
    let ran = dir.ok(&args);
    assert!(ran.stderr.contains("Innuendo"), "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["n"], &report["songs"], &report["top1"]["mean"]), (&1.into(), &3.into(), &1.0.into()));
}

#[test]
fn charts_are_hummed_from_sound_to_answer_and_runs_compared() {
    let dir = Dir::new();
    for seed in [1, 2] {
        write(&dir, &format!("songs/{seed}.wav"), hummed(seed, 0..60, 0.0, 1.0));
        let (mut time, mut chart) = (0.0, String::new());
        for (pitch, seconds) in melody(seed, 60) {
            chart.push_str(&format!("{time:.3}\t{:.3}\t{pitch}\n", time + seconds));
            time += seconds;
        }
        write(&dir, &format!("songs/{seed}.txt"), chart);
    }
    dir.add("other.mid", midi(&melody(7, 60)));
    let args = ["--hum-charts", "songs", "--hums", "6", "--distractors", "library", "--index", "kept", "--baselines"];
    let report = eval(&dir, &[&args[..], &["--plot", "plot.svg", "--ranks", "ranks.csv"]].concat());
    assert_eq!((&report["n"], &report["songs"]), (&6.into(), &3.into()));
    assert!(report["top1"]["mean"].as_f64().unwrap() > 0.6, "{report:#}");
    assert!(
        report["baselines"][0]["name"] == "dtw" && report["baselines"][0]["top1"]["mean"].as_f64().unwrap() > 0.5,
        "{report:#}"
    );
    assert!(std::fs::read_to_string(dir.path("plot.svg")).unwrap().starts_with("<svg"));
    assert_eq!(std::fs::read_to_string(dir.path("ranks.csv")).unwrap().lines().count(), 7);

    std::fs::write(dir.path("a.json"), report.to_string()).unwrap();
    let again = eval(&dir, &args);
    assert_eq!(again["queries"][3]["rank"], report["queries"][3]["rank"], "the index that was kept gives the same ranks");
    std::fs::write(dir.path("b.json"), again.to_string()).unwrap();
    let ran = dir.ok(&["eval", "retrieval", "--compare", "a.json", "b.json"]);
    assert!(
        ran.stdout.contains("6 queries of 2 songs in both: 0 rank better") && ran.stdout.contains("may be chance"),
        "{}",
        ran.stdout
    );
    let bad = dir.run(&["eval", "retrieval", "--hum-charts", "songs", "--hum-seconds", "9", "4"]);
    assert!(bad.status == 2 && bad.stderr.contains("--hum-seconds takes two numbers"), "{}", bad.stderr);
    let bad = dir.run(&["eval", "retrieval", "--compare", "a.json", "plot.svg"]);
    assert!(bad.status == 2 && bad.stderr.contains("plot.svg is no output"), "{}", bad.stderr);
}

/// Six songs under twelve names, hummed by one person in short pieces that are easily taken for another song's.
fn twins() -> Dir {
    let dir = Dir::new();
    let mut rows = "query,song\n".to_string();
    for seed in 0..6 {
        dir.add(&format!("{seed}.mid"), midi(&melody(seed, 40)));
        dir.add(&format!("again/{}.mid", 9 - seed), midi(&melody(seed, 40)));
        write(&dir, &format!("{seed}.wav"), hummed(seed, 3..22, 2.0, 1.2));
        rows +=
            &format!("{seed}.wav,{}\n", if seed % 2 == 0 { format!("{seed}.mid") } else { format!("again/{}.mid", 9 - seed) });
    }
    write(&dir, "queries.csv", rows);
    dir
}

/// The report without what depends on the clock.
fn without_times(mut report: Value) -> Value {
    const TIMES: [&str; 8] = ["time_p50", "time_p99", "time_mean", "search_mean", "listen_mean", "listen", "embed", "score"];
    let clear = |object: &mut Value| {
        let object = object.as_object_mut().unwrap();
        TIMES.iter().chain(&["align"]).for_each(|time| drop(object.remove(*time)));
    };
    report["queries"].as_array_mut().unwrap().iter_mut().for_each(clear);
    if let Some(baselines) = report["baselines"].as_array_mut() {
        baselines.iter_mut().for_each(clear);
    }
    clear(&mut report);
    report
}

#[test]
fn every_run_gives_the_same_digits_on_any_number_of_threads() {
    let dir = twins();
    let args = ["eval", "retrieval", "--json", "--manifest", "queries.csv", "--library", "library", "--baselines"];
    let run = |threads: &str| {
        let output = dir.command(&args).env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        without_times(serde_json::from_slice(&output.stdout).unwrap())
    };
    let first = run("1");
    assert_eq!((&first["songs"], &first["distinct_songs"]), (&12.into(), &6.into()));
    for threads in ["2", "5", "2", "1"] {
        assert_eq!(run(threads), first, "{threads} threads");
    }
    // A hit on one of two songs that are alike is a hit, and the other does not come between.
    let ranks: Vec<u64> = first["queries"].as_array().unwrap().iter().map(|q| q["rank"].as_u64().unwrap()).collect();
    assert!(ranks.iter().filter(|&&rank| rank == 1).count() >= 4 && ranks.iter().all(|&rank| rank <= 6), "{ranks:?}");
}

#[test]
fn a_query_that_is_not_there_is_no_miss() {
    let dir = twins();
    std::fs::remove_file(dir.path("3.wav")).unwrap();
    let ran = dir.run(&["eval", "retrieval", "--manifest", "queries.csv", "--library", "library"]);
    assert!(ran.status == 2 && ran.stderr.contains("line 5: ") && ran.stderr.contains("3.wav is not there"), "{}", ran.stderr);
}

#[test]
fn what_is_missing_is_told() {
    let dir = mir_qbsh();
    std::fs::remove_file(dir.path("set/midiFile/00002.mid")).unwrap();
    let ran = dir.run(&["eval", "retrieval", "--mir-qbsh", "set"]);
    assert!(ran.status == 2 && ran.stderr.contains("00002.wav: no song"), "{}", ran.stderr);
    assert_eq!(dir.run(&["eval", "retrieval"]).status, 2);
    assert_eq!(dir.run(&["eval", "retrieval", "--manifest", "absent.csv", "--library", "set"]).status, 2);
}
