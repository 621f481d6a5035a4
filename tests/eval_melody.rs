//! `qbh eval melody` on files gives the scores that the reference implementation gives on the same numbers.

mod util;

use serde::Deserialize;
use util::Dir;

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
