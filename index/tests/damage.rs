//! One bit, one file, one end of a file: whatever single thing happens to an index, it is noticed, nothing is lost without a word,
//! and indexing the library again brings everything back.
//!
//! `QBH_DAMAGE_TRIALS` sets how many trials there are.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::*;
use qbh_index::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const FILES: u64 = 10;

/// What a library of this test holds: file `i` is one song.
fn name(i: u64) -> String {
    format!("song{i:04}")
}

fn put(index: &Index, i: u64) {
    index.put_heard(&identity(&name(i)), Some(Sound(i.into())), vec![song(&name(i), i)]).unwrap();
}

/// An index as it lies on the disk, and how many of its files readers see.
struct Case {
    what: &'static str,
    dir: tempfile::TempDir,
}

/// Just made and closed.
fn fresh() -> Case {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    (0..FILES).for_each(|i| put(&index, i));
    index.refresh().unwrap();
    Case { what: "fresh", dir }
}

/// Opened and closed again.
fn reopened() -> Case {
    let case = fresh();
    drop(Index::open_existing(case.dir.path()).unwrap());
    drop(Index::open_existing(case.dir.path()).unwrap());
    Case { what: "reopened", ..case }
}

/// As kill -9 leaves it: six files are in the snapshot, all are acknowledged.
fn interrupted() -> Case {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    (0..6).for_each(|i| put(&index, i));
    index.refresh().unwrap();
    (6..FILES).for_each(|i| put(&index, i));
    index.flush().unwrap();
    copy_folder(dir.path(), copy.path());
    Case { what: "interrupted", dir: copy }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.metadata().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        if entry.metadata().unwrap().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}

/// Does one thing to one file; says what.
fn harm(dir: &Path, trial: usize, rng: &mut ChaCha8Rng) -> String {
    let files = files_below(dir);
    let file = &files[trial % files.len()];
    let mut bytes = std::fs::read(file).unwrap();
    let name = file.strip_prefix(dir).unwrap().display();
    let what = match rng.random_range(0..10) {
        0 => {
            std::fs::remove_file(file).unwrap();
            return format!("{name} deleted");
        }
        1 | 2 => {
            let length = rng.random_range(0..bytes.len().max(1));
            bytes.truncate(length);
            format!("{name} cut to {length}")
        }
        _ if bytes.is_empty() => format!("{name} is empty anyway"),
        _ => {
            // Sometimes near the beginning, where headers are.
            let end = if rng.random_bool(0.3) { bytes.len().min(64) } else { bytes.len() };
            let (at, bit) = (rng.random_range(0..end), rng.random_range(0..8));
            bytes[at] ^= 1 << bit;
            format!("{name} bit {bit} of byte {at} of {}", bytes.len())
        }
    };
    std::fs::write(file, bytes).unwrap();
    what
}

/// Verifies, indexes again, and checks that all is there; says what came of it.
fn recover(dir: &Path, harm: &str) -> &'static str {
    // A reader gets a whole snapshot or an error.
    if let Ok(snapshot) = Snapshot::open(dir) {
        for ordinal in 0..snapshot.len() as u32 {
            let song = snapshot.song(ordinal).unwrap_or_else(|error| panic!("{harm}: {error}"));
            assert!(song.key.starts_with("song"), "{harm}: {song:?}");
        }
    }
    let report = verify(dir).unwrap_or_else(|error| panic!("{harm}: a dead end: {error}"));
    assert!(report.problems.is_empty(), "{harm}: {:?}", report.problems);
    let technical = |text: &&String| ["backtrace", "offset", "None"].iter().any(|word| text.contains(word));
    assert_eq!(report.mended.found.iter().find(technical), None, "{harm}: words of the database");

    let index = Index::open(dir, &fingerprint()).unwrap_or_else(|error| panic!("{harm}: a dead end: {error}"));
    assert!(index.mended().is_empty(), "{harm}: mended again: {:?}", index.mended());
    let lost: Vec<u64> = (0..FILES).filter(|&i| index.file(&name(i)).unwrap().is_none()).collect();
    if !lost.is_empty() {
        assert!(!report.is_clean(), "{harm}: files {lost:?} were lost without a word");
    }
    for &i in &lost {
        put(&index, i);
    }
    let snapshot = index.snapshot().unwrap();
    assert_eq!(snapshot.len() as u64, FILES, "{harm}");
    for i in 0..FILES {
        let Outcome::Indexed { songs } = index.file(&name(i)).unwrap().unwrap().outcome else { panic!("{harm}") };
        let ordinal = snapshot.ordinal(songs[0]).unwrap();
        assert_eq!(snapshot.contour(ordinal).unwrap(), song(&name(i), i).contour, "{harm}");
    }
    let windows: Vec<Vec<f32>> = hum(3).into_iter().map(|w| w.2).collect();
    assert!(!windows.is_empty());
    assert!(index.verify().unwrap().is_clean(), "{harm}");
    match (report.is_clean(), lost.is_empty(), report.mended.restored.is_empty()) {
        (true, ..) => "nothing was needed",
        (false, false, _) => "told, and heard again",
        (false, true, false) => "songs restored from the other copy",
        (false, true, true) => "told, nothing lost",
    }
}

#[test]
fn no_single_damage_loses_a_song_without_a_word_or_is_a_dead_end() {
    // sled's panics are caught, and would fill the screen.
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        if !text.contains("sled") {
            eprintln!("{text}");
        }
    }));
    let trials: usize = std::env::var("QBH_DAMAGE_TRIALS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let cases = [fresh(), reopened(), interrupted()];
    let mut rng = ChaCha8Rng::seed_from_u64(18);
    let mut outcomes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for trial in 0..trials {
        let case = &cases[trial % cases.len()];
        let copy = tempfile::tempdir().unwrap();
        copy_folder(case.dir.path(), copy.path());
        let harm = format!("trial {trial}: {}, {}", case.what, harm(copy.path(), trial / cases.len(), &mut rng));
        let outcome = recover(copy.path(), &harm);
        *outcomes.entry((case.what, outcome)).or_default() += 1;
    }
    for ((what, outcome), count) in &outcomes {
        println!("{what:12} {outcome:36} {count:4}");
    }
    let heard_again: usize = outcomes.iter().filter(|((_, o), _)| o.contains("heard again")).map(|(_, n)| n).sum();
    println!("{trials} trials, 0 silent losses, 0 dead ends, {heard_again} with something to hear again");
    assert_eq!(heard_again, 0, "one damage costs one copy, never both");
}

#[test]
fn both_copies_gone_is_said() {
    let case = fresh();
    for file in files_below(case.dir.path()) {
        std::fs::write(&file, b"overwritten").unwrap();
    }
    std::panic::set_hook(Box::new(|_| {}));
    let error = verify(case.dir.path()).unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error}");
    assert!(matches!(Snapshot::open(case.dir.path()), Err(Error::NoSnapshot { .. })));
}

#[test]
fn what_is_left_of_an_index_is_not_no_index() {
    for left in ["snapshot.qbh", "journal.qbh"] {
        let case = interrupted();
        let dir = case.dir.path();
        std::fs::remove_dir_all(dir.join("sled")).unwrap();
        for name in ["snapshot.qbh", "journal.qbh"] {
            if name == left {
                let mut bytes = std::fs::read(dir.join(name)).unwrap();
                bytes[20] ^= 1;
                std::fs::write(dir.join(name), bytes).unwrap();
            } else {
                std::fs::remove_file(dir.join(name)).unwrap();
            }
        }
        for error in [verify(dir).err(), Index::open(dir, &fingerprint()).err(), Index::open_existing(dir).err()] {
            assert!(matches!(&error, Some(Error::Lost { .. })), "{left}: {error:?}");
        }
        assert!(matches!(Snapshot::open(dir), Err(Error::NoSnapshot { .. })), "{left}");
        assert!(!dir.join("sled").exists(), "nothing was made beside it");
    }
}
