//! kill -9 at any moment: the next run continues, and nothing that was stored is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;
use util::{Dir, melody, midi};

const SONGS: u64 = 300;

fn listed(dir: &Dir) -> BTreeSet<String> {
    let ran = dir.run(&["list", "--json"]);
    if ran.status != 0 {
        assert!(ran.stderr.contains("there is no index"), "{}", ran.stderr);
        return BTreeSet::new();
    }
    let song = |line: &str| serde_json::from_str::<Value>(line).unwrap()["song"].as_str().unwrap().to_owned();
    ran.stdout.lines().map(song).collect()
}

#[test]
fn ten_times_at_random_moments() {
    let dir = Dir::new();
    for seed in 0..SONGS {
        dir.add(&format!("album{}/song{seed}.mid", seed / 20), midi(&melody(seed, 60)));
    }
    let mut known = BTreeSet::new();
    let mut killed = 0;
    for round in 0..10u64 {
        let mut run = dir.command(&["index", "library", "--quiet"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Spread over start-up, listening and storing; the odd numbers keep the rounds from falling into step.
        std::thread::sleep(Duration::from_millis(40 + 97 * (round * 7 % 10)));
        killed += u32::from(run.try_wait().unwrap().is_none());
        run.kill().unwrap(); // SIGKILL on Unix
        run.wait().unwrap();

        let now = listed(&dir);
        assert!(known.is_subset(&now), "round {round} lost {:?}", known.difference(&now));
        known = now;
        if !known.is_empty() {
            dir.ok(&["verify"]);
        }
    }
    assert!(killed > 0, "every run ended before it could be killed: more songs are needed");
    dir.ok(&["index", "library"]);
    dir.ok(&["verify"]);
    assert_eq!(listed(&dir).len() as u64, SONGS);
}
