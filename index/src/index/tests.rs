//! A process that is killed, or finds the disk full, at any of the points where something is written: nothing that was acknowledged is
//! lost, nothing is half there.
//!
//! The process is this test executable, run again with `CHILD` in the environment, once for every time that it passes a point.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::*;

const CHILD: &str = "QBH_INDEX_FAULT_CHILD";
const FAULT: &str = "QBH_INDEX_FAULT";

/// Every point at which something is written.
const POINTS: [&str; 10] = [
    "journal.append",
    "journal.sync",
    "store.apply",
    "store.flush",
    "snapshot.song",
    "snapshot.header",
    "snapshot.rename",
    "swap.old",
    "swap.new",
    "swap.remove",
];

fn fingerprint() -> Fingerprint {
    let model = |name: &str| ModelId { name: name.to_string(), fingerprint: "0".into() };
    Fingerprint {
        extractor: model("extractor"),
        embedder: model("embedder"),
        dimension: 8,
        levels: vec![Level { steps: 50, windows_per_length: 4 }],
    }
}

fn name(i: u64) -> String {
    format!("file{i:02}")
}

fn contour(i: u64) -> Vec<f32> {
    (0..80).map(|step| 50.0 + ((step + i) % 12) as f32).collect()
}

fn put(index: &Index, i: u64) -> Result<()> {
    let vectors = (0..3 * 8).map(|x| (x as f32 + i as f32).sin()).collect();
    let levels = vec![LevelWindows { steps: 50, positions: vec![0, 1, 2], vectors }];
    let song = NewSong { key: name(i), tags: Tags::default(), contour: contour(i), levels };
    index.put_file(&FileIdentity { path: name(i), size: 1, modified_ns: 1 }, vec![song]).map(drop)
}

/// Child: indexes, removes, publishes and compacts, and says what it may rely on.
#[test]
fn child_goes_through_everything() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let fault = std::env::var(FAULT).unwrap();
    let [point, count, what] = fault.split(':').collect::<Vec<_>>()[..] else { panic!("{fault}") };
    let count: usize = count.parse().unwrap();
    if what == "kill" {
        let passed = AtomicUsize::new(0);
        fail::cfg_callback(point, move || {
            if passed.fetch_add(1, Ordering::Relaxed) + 1 == count {
                // As kill -9: nothing is closed, nothing is flushed.
                std::process::abort();
            }
        })
        .unwrap();
    } else {
        fail::cfg(point, &format!("{}*off->return", count - 1)).unwrap();
    }
    match go_through_everything(Path::new(&dir)) {
        Ok(()) => println!("\nfinished"),
        Err(error) => println!("\nerror {error}"),
    }
}

fn go_through_everything(dir: &Path) -> Result<()> {
    let mut index = Index::open(dir, &fingerprint())?;
    for i in 0..12 {
        put(&index, i)?;
        index.flush()?;
        println!("\nstored {i}");
        if i == 5 {
            index.remove_file(&name(2))?;
            index.flush()?;
            println!("\nremoved 2");
        }
        if i % 4 == 3 {
            index.refresh()?;
        }
        if i == 8 {
            // Room to gain.
            for _ in 0..30 {
                put(&index, 0)?;
            }
            index = index.compact()?.0;
        }
    }
    index.refresh()?;
    Ok(())
}

/// Runs the child with a fault; what it acknowledged, and its last words.
fn run(dir: &Path, point: &str, count: usize, what: &str) -> (BTreeSet<u64>, BTreeSet<u64>, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "index::tests::child_goes_through_everything", "--nocapture", "--test-threads=1"])
        .env(CHILD, dir)
        .env(FAULT, format!("{point}:{count}:{what}"))
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers = |word: &str| text.lines().filter_map(|line| line.strip_prefix(word)?.trim().parse().ok()).collect();
    let end = text.lines().find(|line| line.starts_with("error") || *line == "finished").unwrap_or("killed").to_string();
    (numbers("stored"), numbers("removed"), end)
}

/// Opens what a faulty child left, twice, and compares it with what that had acknowledged.
fn check(dir: &Path, stored: &BTreeSet<u64>, removed: &BTreeSet<u64>, harm: &str) {
    for time in ["first", "second"] {
        let index = Index::open(dir, &fingerprint()).unwrap_or_else(|error| panic!("{harm}: {error}"));
        assert!(index.mended().to_hear.is_empty() && index.mended().restored.is_empty(), "{harm}: {:?}", index.mended());
        let report = index.verify().unwrap();
        assert!(report.problems.is_empty(), "{harm}, {time} opening: {report:?}");
        // Of a removal that was not acknowledged either outcome is right.
        let removing = stored.contains(&5).then_some(2);
        for i in stored.difference(removed).filter(|i| Some(**i) != removing) {
            let file = index.file(&name(*i)).unwrap().unwrap_or_else(|| panic!("{harm}, {time} opening: file {i} is lost"));
            let Outcome::Indexed { songs } = file.outcome else { panic!("{harm}: {file:?}") };
            assert_eq!(index.contour(songs[0]).unwrap().unwrap(), contour(*i), "{harm}");
        }
        for i in removed {
            assert!(index.file(&name(*i)).unwrap().is_none(), "{harm}: file {i} is back");
        }
        assert_eq!(index.snapshot().unwrap().len(), index.songs().count(), "{harm}");
    }
}

/// More often than any point is passed.
const PASSES: usize = 100;

#[test]
fn nothing_acknowledged_is_lost_by_a_kill_at_any_point() {
    let mut killed = 0;
    for point in POINTS {
        for count in 1..=PASSES {
            let dir = tempfile::tempdir().unwrap();
            let (stored, removed, end) = run(dir.path(), point, count, "kill");
            assert!(!end.starts_with("error"), "{point}:{count}: {end}");
            check(dir.path(), &stored, &removed, &format!("killed at {point}, pass {count}"));
            if end == "finished" {
                // The point is passed no more often.
                break;
            }
            killed += 1;
        }
    }
    println!("{killed} kills, nothing acknowledged was lost");
    assert!(killed >= POINTS.len() * 2, "only {killed} were killed");
}

#[test]
fn a_full_disk_stops_cleanly_and_says_what_is_needed() {
    let mut stopped = 0;
    for point in POINTS.into_iter().chain(["space"]) {
        for count in 1..=PASSES {
            let dir = tempfile::tempdir().unwrap();
            let (stored, removed, end) = run(dir.path(), point, count, "full");
            assert_ne!(end, "killed", "{point}:{count}");
            check(dir.path(), &stored, &removed, &format!("full at {point}, pass {count}"));
            if !end.starts_with("error") {
                break;
            }
            stopped += 1;
            assert!(end.contains("is full") && end.contains("are needed"), "{point}:{count}: {end}");
        }
    }
    println!("{stopped} times full, nothing acknowledged was lost");
    assert!(stopped >= POINTS.len() * 2, "only {stopped} were stopped");
}

/// Child: runs out of room, and publishes what it had stored.
#[test]
fn child_finds_little_room() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let index = Index::open(Path::new(&dir), &fingerprint()).unwrap();
    (0..3).for_each(|i| put(&index, i).unwrap());
    fail::cfg("space.free", &format!("return({})", crate::error::RESERVE)).unwrap();
    let refused = put(&index, 3).unwrap_err();
    assert!(matches!(refused, Error::DiskFull { .. }), "{refused}");
    assert!(index.refresh().unwrap());
}

#[test]
fn what_was_stored_when_the_disk_ran_full_is_published() {
    let dir = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "index::tests::child_finds_little_room", "--nocapture"])
        .env(CHILD, dir.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    assert_eq!(Snapshot::open(dir.path()).unwrap().len(), 3);
}

#[test]
fn what_another_program_does_to_an_open_snapshot_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    (0..5).for_each(|i| put(&index, i).unwrap());
    let query = [QueryWindow { steps: 50, position: 0, vector: &[1.0; 8] }];
    let best = |_: u32, pairs: &[PairScores<'_>]| pairs.len();
    let path = folder::snapshot(dir.path());
    let bytes = std::fs::read(&path).unwrap();
    for harm in ["cut", "emptied", "overwritten"] {
        let snapshot = index.snapshot().unwrap();
        assert_eq!(snapshot.score(&query, None, best).unwrap().len(), 5);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        match harm {
            "cut" => file.set_len(bytes.len() as u64 / 2).unwrap(),
            "emptied" => file.set_len(0).unwrap(),
            _ => {
                std::fs::write(&path, vec![7; bytes.len()]).unwrap();
                file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
            }
        }
        let outcome = snapshot.score(&query, None, best);
        assert!(matches!(outcome, Err(Error::SnapshotChanged(_))), "{harm}: {outcome:?}");
        match snapshot.contour(0) {
            Ok(read) => assert!(harm == "cut" && read == contour(0), "{harm}"),
            Err(error) => assert!(matches!(error, Error::SnapshotChanged(_)), "{harm}: {error}"),
        }
        // What was read at opening stays as it is.
        assert_eq!(snapshot.song(0).unwrap().key, name(0), "{harm}");
        assert_eq!(snapshot.files().map(Result::unwrap).count(), 5, "{harm}");
        assert!(snapshot.file("file00").unwrap().is_some(), "{harm}");
        // The next one that opens it mends it.
        assert_eq!(index.snapshot().unwrap().contour(0).unwrap(), contour(0), "{harm}");
    }
}

/// Songs so long that each is scored by itself.
#[test]
fn a_snapshot_that_is_cut_in_the_middle_of_a_search_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    const WINDOWS: u16 = 3000;
    for i in 0..40 {
        let vectors = (0..usize::from(WINDOWS) * 8).map(|x| (x as f32 + i as f32).sin()).collect();
        let levels = vec![LevelWindows { steps: 50, positions: (0..WINDOWS).collect(), vectors }];
        let song = NewSong { key: name(i), tags: Tags::default(), contour: contour(i), levels };
        index.put_file(&FileIdentity { path: name(i), size: 1, modified_ns: 1 }, vec![song]).unwrap();
    }
    let snapshot = index.snapshot().unwrap();
    let file = std::fs::File::options().write(true).open(folder::snapshot(dir.path())).unwrap();
    let query = [QueryWindow { steps: 50, position: 0, vector: &[1.0; 8] }];
    let outcome = snapshot.score(&query, None, |_, _| file.set_len(4096).unwrap());
    assert!(matches!(outcome, Err(Error::SnapshotChanged(_))), "{outcome:?}");
    assert!(Hnsw::build(&snapshot, |_, _| ()).is_err(), "nor can a graph be made of it");
}
