//! One writer, many readers, each with one state of the library; and what happens to the index from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde_json::Value;
#[cfg(unix)]
use std::fs::File;
#[cfg(unix)]
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use util::{Dir, melody, midi, pitch_text};

const SONGS: u64 = 120;

fn library() -> Dir {
    let dir = Dir::new();
    for seed in 0..SONGS {
        dir.add(&format!("song{seed:03}.mid"), midi(&melody(seed, 60)));
    }
    std::fs::write(dir.path("hum.txt"), pitch_text(&melody(5, 60)[10..40], 1.0, 1.0)).unwrap();
    dir
}

fn spawn(dir: &Dir, args: &[&str]) -> Child {
    dir.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn thirty_two_queries_at_once_beside_a_writer() {
    let dir = library();
    dir.ok(&["index", "library"]);
    for seed in SONGS..4 * SONGS {
        dir.add(&format!("more{seed:03}.mid"), midi(&melody(seed, 60)));
    }
    let mut writer = spawn(&dir, &["index", "library", "--jobs", "1"]);
    let queries: Vec<Child> = (0..32).map(|_| spawn(&dir, &["query", "hum.txt", "--json", "-k", "1"])).collect();
    for query in queries {
        let output = query.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&output.stderr));
        let answer: Value = serde_json::from_str(&text).unwrap();
        let songs = answer["songs"].as_u64().unwrap();
        assert!((SONGS..=4 * SONGS).contains(&songs), "{songs} songs");
        assert!(answer["matches"][0]["song"].as_str().unwrap().ends_with("song005.mid"), "{answer:#}");
    }
    assert!(writer.wait().unwrap().success());
    assert_eq!(dir.ok(&["list", "--json"]).stdout.lines().count() as u64, 4 * SONGS);
}

#[cfg(unix)]
#[test]
fn a_second_writer_is_told_who_writes_and_a_signal_ends_the_first_cleanly() {
    let dir = library();
    for seed in SONGS..1000 {
        dir.add(&format!("more{seed:03}.mid"), midi(&melody(seed, 60)));
    }
    for signal in ["TERM", "HUP"] {
        let writer = spawn(&dir, &["index", "library", "--jobs", "1"]);
        let begin = Instant::now();
        while !dir.index().join("holder").exists() && begin.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let second = dir.run(&["index", "library"]);
        if second.status != 0 {
            assert!(second.stderr.contains(&format!("process {}", writer.id())), "{}", second.stderr);
        }
        let pid = writer.id().to_string();
        assert!(std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let output = writer.wait_with_output().unwrap();
        // Ended by itself: either stopped by the signal, which it says, or done before.
        let code = output.status.code().unwrap_or_else(|| panic!("SIG{signal} killed it"));
        assert!(code == 2 || code == 0, "{code}: {}", String::from_utf8_lossy(&output.stderr));
        dir.ok(&["verify"]);
        assert!(!dir.index().join("holder").exists(), "it closed the index");
    }
    dir.ok(&["index", "library"]);
    assert_eq!(dir.ok(&["list", "--json"]).stdout.lines().count(), 1000);
}

#[cfg(unix)]
#[test]
fn a_read_only_index_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = library();
    dir.ok(&["index", "library"]);
    let files = || std::fs::read_dir(dir.index()).unwrap().map(|entry| entry.unwrap().path());
    // What a reader could write to is gone; the snapshot is all that it has.
    let before: Vec<_> = files().map(|path| (path.clone(), path.metadata().unwrap().modified().unwrap())).collect();
    std::fs::set_permissions(dir.index(), std::fs::Permissions::from_mode(0o555)).unwrap();
    for args in [&["list"][..], &["stats"], &["show", "song005"], &["duplicates"], &["query", "hum.txt"]] {
        let ran = dir.run(args);
        assert!(ran.status < 2, "{args:?}: {}", ran.stderr);
    }
    std::fs::set_permissions(dir.index(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let after: Vec<_> = files().map(|path| (path.clone(), path.metadata().unwrap().modified().unwrap())).collect();
    assert_eq!(before, after, "readers wrote something");
}

#[cfg(unix)]
#[test]
fn a_snapshot_that_is_cut_under_a_query_is_an_error() {
    let dir = library();
    dir.ok(&["index", "library"]);
    let hums = ["hum.txt"; 400];
    let mut query = spawn(&dir, &[&["query", "--json"], &hums[..]].concat());
    // It has the snapshot open once it has answered.
    let mut answers = BufReader::new(query.stdout.take().unwrap()).lines();
    assert!(answers.next().unwrap().unwrap().contains("song005"));
    File::options().write(true).open(dir.index().join("snapshot.qbh")).unwrap().set_len(4096).unwrap();
    assert!(answers.count() < 399);
    let output = query.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{:?} {stderr}", output.status);
    assert!(stderr.contains("changed by another program"), "{stderr}");
    dir.ok(&["list"]);
}

#[test]
fn damage_is_told_mended_and_told_apart_from_no_index() {
    let dir = library();
    dir.ok(&["index", "library"]);
    let list = dir.ok(&["list"]).stdout;

    let snapshot = dir.index().join("snapshot.qbh");
    let mut bytes = std::fs::read(&snapshot).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&snapshot, &bytes).unwrap();
    let ran = dir.ok(&["list"]);
    assert_eq!(ran.stdout, list);
    assert!(ran.stderr.contains("snapshot") && !ran.stderr.contains("there is no index"), "{}", ran.stderr);

    std::fs::remove_dir_all(dir.index().join("sled")).unwrap();
    let ran = dir.run(&["verify"]);
    assert_eq!(ran.status, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("120 songs put back"), "{}", ran.stderr);
    dir.ok(&["verify"]);
    assert_eq!(dir.ok(&["list"]).stdout, list);

    for name in ["conf", "db"] {
        std::fs::write(dir.index().join("sled").join(name), "garbage").unwrap();
        assert!(dir.ok(&["index", "library"]).stdout.contains("120 unchanged"));
        dir.ok(&["verify"]);
    }
}
