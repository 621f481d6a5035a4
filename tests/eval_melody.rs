//! `qbh eval melody` on files gives the scores that the reference implementation gives on the same numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde::Deserialize;
use util::{Dir, melody, pitch_text, wav};

#[derive(Deserialize)]
struct Case {
    ref_time: Vec<f64>,
    ref_freq: Vec<f64>,
    est_time: Vec<f64>,
    est_freq: Vec<f64>,
    scores: [f64; 5],
}

#[test]
fn files_score_as_in_the_reference_implementation() {
    let dir = Dir::new();
    let cases: Vec<Case> = serde_json::from_str(include_str!("data/melody/golden.json")).unwrap();
    for folder in ["set", "other"] {
        std::fs::create_dir(dir.path(folder)).unwrap();
    }
    let rows = |times: &[f64], f0: &[f64]| times.iter().zip(f0).map(|(t, f)| format!("{t} {f}\n")).collect::<String>();
    for (i, case) in cases.iter().enumerate() {
        // With --estimates nobody listens to the recording.
        std::fs::write(dir.path(&format!("set/{i:02}.wav")), "").unwrap();
        std::fs::write(dir.path(&format!("set/{i:02}REF.txt")), rows(&case.ref_time, &case.ref_freq)).unwrap();
        std::fs::write(dir.path(&format!("other/{i:02}.txt")), rows(&case.est_time, &case.est_freq)).unwrap();
    }
    dir.ok(&["eval", "melody", "set", "--estimates", "other", "--csv", "scores.csv"]);
    let table = std::fs::read_to_string(dir.path("scores.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "file,vr,vfa,rpa,rca,oa,auc");
    assert_eq!(lines.len(), cases.len() + 1);
    for (line, case) in lines[1..].iter().zip(&cases) {
        let ours: Vec<f64> = line.split(',').skip(1).take(5).map(|x| x.parse().unwrap()).collect();
        assert!(ours.iter().zip(case.scores).all(|(a, b)| (a - b).abs() < 1e-9), "{line} against {:?}", case.scores);
    }
}

/// Clips of two singers in folders that are not called MIR-1K, with a semitone every 20 ms, and what another program heard in them.
fn clips() -> Dir {
    let dir = Dir::new();
    for folder in ["m60", "other"] {
        std::fs::create_dir(dir.path(folder)).unwrap();
    }
    for (seed, name) in [(1, "amy_1_01"), (2, "amy_1_02"), (3, "bob_2_01")] {
        let text = pitch_text(&melody(seed, 12), 0.0, 1.0);
        let f0: Vec<f64> = text.lines().map(|row| row.split(' ').nth(1).unwrap().parse().unwrap()).collect();
        // Frames are centred at 20, 40, 60 ms.
        let semitone = |f0: f64| if f0 > 0.0 { 69.0 + 12.0 * (f0 / 440.0).log2() } else { 0.0 };
        let rows: Vec<String> = f0.iter().skip(2).step_by(2).map(|&f0| format!("{:.4}", semitone(f0))).collect();
        std::fs::write(dir.path(&format!("m60/{name}.pv")), rows.join("\n")).unwrap();
        std::fs::write(dir.path(&format!("m60/{name}.wav")), wav(&vec![0.1; 160 * f0.len()], 16_000, 1)).unwrap();
        std::fs::write(dir.path(&format!("other/{name}.txt")), text).unwrap();
    }
    dir
}

fn report(dir: &Dir, args: &[&str]) -> serde_json::Value {
    let args = [&["eval", "melody", "m60", "--estimates", "other", "--json"], args].concat();
    serde_json::from_str(&dir.ok(&args).stdout).unwrap()
}

#[test]
fn pv_references_are_read_by_the_length_of_their_recordings_not_by_the_name_of_their_folder() {
    let dir = clips();
    let oa = |args: &[&str]| report(&dir, args)["mean"]["oa"]["mean"].as_f64().unwrap();
    assert!(oa(&[]) > 0.99, "{}", oa(&[]));
    assert_eq!(oa(&[]), oa(&["--hop", "0.02"]));
    assert!(oa(&["--hop", "0.032"]) < 0.5, "frames of another data set");
    let bad = dir.run(&["eval", "melody", "m60", "--hop", "20"]);
    assert!(bad.status == 2 && bad.stderr.contains("seconds from 0.001"), "{}", bad.stderr);

    std::fs::write(dir.path("m60/bob_2_01.pv"), "60\n".repeat(40)).unwrap();
    let bad = dir.run(&["eval", "melody", "m60", "--estimates", "other"]);
    assert!(bad.status == 2 && bad.stderr.contains("40 rows for the") && bad.stderr.contains("--hop"), "{}", bad.stderr);
}

#[test]
fn clips_of_one_singer_belong_together() {
    let dir = clips();
    let report = report(&dir, &["--role", "development"]);
    assert_eq!((&report["n"], &report["unit"], &report["units"]), (&3.into(), &"singer".into(), &2.into()));
    assert_eq!(report["role"], "development");
    let table = dir.ok(&["eval", "melody", "m60", "--estimates", "other", "--role", "test"]).stdout;
    assert!(table.contains("test set: mean of 3 recordings of 2 singers") && table.contains("singers resampled"), "{table}");
}
