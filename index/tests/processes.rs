//! Several processes: one at a time, and any of them may be killed at any moment.
//!
//! The other process is this test executable, run again with `QBH_INDEX_TEST_CHILD` set.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use common::*;
use qbh_index::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CHILD: &str = "QBH_INDEX_TEST_CHILD";

/// Runs the test `name` in a child, which finds `dir` in the environment.
fn spawn(name: &str, dir: &Path) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// Child: holds the index until it is killed.
#[test]
fn child_holds() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let _index = Index::open(Path::new(&dir), &fingerprint()).unwrap();
    println!("\nheld");
    std::thread::sleep(Duration::from_secs(60));
}

/// Child: stores file after file (some anew), refreshes, compacts, and says what it has flushed, until it is killed.
#[test]
fn child_writes() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let mut index = Index::open(Path::new(&dir), &fingerprint()).unwrap();
    println!("\nopen");
    for i in index.files().count() as u64.. {
        index.put_file(&identity(&format!("file{i:06}")), vec![song("one", i), song("two", i + 1)]).unwrap();
        if i % 3 == 2 {
            // What was there before is replaced by the same: half a replacement would show.
            let j = i / 2;
            index.put_file(&identity(&format!("file{j:06}")), vec![song("one", j), song("two", j + 1)]).unwrap();
        }
        if i % 5 == 4 {
            index.flush().unwrap();
            println!("\nstored {i}");
        }
        if i % 40 == 39 {
            index.refresh().unwrap();
        }
        if i % 90 == 89 {
            index = index.compact().unwrap().0;
        }
    }
}

#[test]
fn the_second_process_is_told_who_has_the_index() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!Index::was_interrupted(dir.path()));
    let (mut child, mut lines) = spawn("child_holds", dir.path());
    assert!(lines.any(|line| line.unwrap() == "held"));
    assert!(!Index::was_interrupted(dir.path()), "held is not interrupted");
    for refused in [Index::open(dir.path(), &fingerprint()), Index::open_existing(dir.path())] {
        let message = refused.err().unwrap().to_string();
        let holder = format!("process {} (", child.id());
        assert!(message.contains(&holder) && message.contains("child_holds"), "{message}");
        assert!(message.contains("wait until it has finished"), "{message}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(Index::was_interrupted(dir.path()));
    drop(Index::open_existing(dir.path()).unwrap());
    assert!(!Index::was_interrupted(dir.path()));
}

#[test]
fn nothing_stored_is_lost_or_torn_by_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut stored: Option<u64> = None;
    for _ in 0..8 {
        let (mut child, lines) = spawn("child_writes", dir.path());
        let wait = Duration::from_millis(rng.random_range(30..700));
        let reader = std::thread::spawn(move || {
            lines.map_while(std::result::Result::ok).filter_map(|l| l.strip_prefix("stored ")?.parse::<u64>().ok()).last()
        });
        std::thread::sleep(wait);
        child.kill().unwrap();
        child.wait().unwrap();
        stored = reader.join().unwrap().or(stored);

        // The child may have been killed before it made anything.
        let index = Index::open(dir.path(), &fingerprint()).unwrap();
        let report = index.verify().unwrap();
        assert!(report.is_clean(), "{report:?}");
        let files: Vec<FileRecord> = index.files().map(Result::unwrap).collect();
        assert!(files.len() as u64 >= stored.map_or(0, |last| last + 1), "{} files, {stored:?} acknowledged", files.len());
        for (i, file) in files.iter().enumerate() {
            assert_eq!(file.identity.path, format!("file{i:06}"), "files are stored in order");
            let Outcome::Indexed { songs } = &file.outcome else { panic!("{file:?}") };
            assert_eq!(songs.len(), 2);
            assert_eq!(index.contour(songs[1]).unwrap().unwrap(), song("two", i as u64 + 1).contour);
        }
        assert_eq!(index.snapshot().unwrap().len(), files.len() * 2);
    }
    assert!(stored.is_some(), "no child lived long enough to store anything");
}
