//! Snapshot and graph: damaged, out of date or missing, they are found out and rebuilt.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::path::Path;
use std::sync::LazyLock;
use std::sync::Mutex;

use common::*;
use proptest::prelude::*;
use qbh_index::*;

type Scores = Vec<(u32, Vec<f32>)>;

fn score(snapshot: &Snapshot) -> Scores {
    let hum = hum(3);
    let copy = |_, pairs: &[PairScores<'_>]| pairs.iter().flat_map(|p| p.scores.to_vec()).collect();
    snapshot.score(&windows(&hum), None, copy).unwrap()
}

struct Fixture {
    dir: tempfile::TempDir,
    index: Index,
    scan: Vec<u8>,
    graph: Vec<(String, Vec<u8>)>,
    scores: Scores,
}

/// One index for all cases; what is derived from it is put back before each.
static FIXTURE: LazyLock<Mutex<Fixture>> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    fill(&index, 25);
    let snapshot = index.snapshot().unwrap();
    Hnsw::build(&snapshot, |_, _| ()).unwrap();
    let scan = std::fs::read(dir.path().join("snapshot.qbh")).unwrap();
    let graph = std::fs::read_dir(dir.path().join("graph"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_string(), std::fs::read(path).unwrap()))
        .collect();
    let scores = score(&snapshot);
    Mutex::new(Fixture { dir, index, scan, graph, scores })
});

/// Something that happens to a file; places are fractions of its length.
#[derive(Debug, Clone)]
enum Damage {
    Flip(f64, u8),
    Cut(f64),
    Append(Vec<u8>),
    Overwrite(f64, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    // Half of the places are near the beginning, where headers are.
    let place = || prop_oneof![0.0..1.0, 0.0..0.02];
    prop_oneof![
        4 => (place(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        2 => place().prop_map(Damage::Cut),
        1 => proptest::collection::vec(any::<u8>(), 1..200).prop_map(Damage::Append),
        2 => (place(), proptest::collection::vec(any::<u8>(), 1..300)).prop_map(|(at, bytes)| Damage::Overwrite(at, bytes)),
    ]
}

fn apply(damage: &Damage, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let place = |at: f64| (at * bytes.len() as f64) as usize;
    match damage {
        Damage::Flip(at, bit) => {
            // An earlier cut may have left nothing to flip.
            let at = place(*at);
            bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << bit);
        }
        Damage::Cut(at) => bytes.truncate(place(*at)),
        Damage::Append(more) => bytes.extend(more),
        Damage::Overwrite(at, new) => {
            let at = place(*at);
            bytes[at..].iter_mut().zip(new).for_each(|(to, from)| *to = *from);
        }
    }
    bytes
}

fn put_graph(folder: &Path, files: &[(String, Vec<u8>)]) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_damaged_snapshot_is_found_out(damages in proptest::collection::vec(damage(), 1..3)) {
        let fixture = FIXTURE.lock().unwrap();
        let path = fixture.dir.path().join("snapshot.qbh");
        let bytes = damages.iter().fold(fixture.scan.clone(), |bytes, d| apply(d, &bytes));
        prop_assume!(bytes != fixture.scan);
        // Renamed into place: a mapped file must not change under its map.
        let other = path.with_extension("other");
        std::fs::write(&other, &bytes).unwrap();
        std::fs::rename(&other, &path).unwrap();
        // Damage to vectors alone is not looked for here, and gives other scores. It must not do worse.
        let seen = score(&fixture.index.snapshot().unwrap());
        prop_assert_eq!(seen.len(), fixture.scores.len());
        if seen != fixture.scores {
            let report = fixture.index.verify().unwrap();
            prop_assert!(matches!(report.snapshot, Derived::Damaged(_)), "{:?}", report);
            prop_assert!(!report.is_clean());
            prop_assert_eq!(&score(&fixture.index.snapshot().unwrap()), &fixture.scores);
        }
        let report = fixture.index.verify().unwrap();
        if report.is_clean() {
            prop_assert_eq!(&report.snapshot, &Derived::Current);
        }
    }

    #[test]
    fn a_damaged_graph_is_found_out(which in 0usize..3, damage in damage()) {
        let fixture = FIXTURE.lock().unwrap();
        let folder = fixture.dir.path().join("graph");
        let mut files = fixture.graph.clone();
        files[which].1 = apply(&damage, &files[which].1);
        prop_assume!(files != fixture.graph);
        put_graph(&folder, &files);
        let snapshot = fixture.index.snapshot().unwrap();
        prop_assert!(Hnsw::open(&snapshot).is_none());
        let report = fixture.index.verify().unwrap();
        prop_assert!(matches!(report.graph, Derived::Damaged(_)), "{:?}", report.graph);
        prop_assert!(!folder.exists(), "verify deletes what is damaged");
        put_graph(&folder, &fixture.graph);
        prop_assert!(Hnsw::open(&snapshot).is_some());
    }
}

#[test]
fn a_snapshot_of_another_index_does_not_fit() {
    let scan_of = |seed: u64| {
        let dir = tempfile::tempdir().unwrap();
        let index = Index::open(dir.path(), &fingerprint()).unwrap();
        index.put_file(&identity("a"), vec![song("a", seed)]).unwrap();
        index.refresh().unwrap();
        (dir, index)
    };
    let (a, first) = scan_of(1);
    let (b, second) = scan_of(2);
    std::fs::rename(b.path().join("snapshot.qbh"), a.path().join("snapshot.qbh")).unwrap();
    assert_eq!(first.verify().unwrap().snapshot, Derived::Stale, "same generation, other index");
    assert_eq!(first.verify().unwrap().snapshot, Derived::Current);
    std::fs::rename(a.path().join("snapshot.qbh"), a.path().join("own.qbh")).unwrap();
    second.refresh().unwrap();
    std::fs::copy(b.path().join("snapshot.qbh"), a.path().join("snapshot.qbh")).unwrap();
    drop(first);
    let error = Index::open_existing(a.path()).err().unwrap();
    assert!(matches!(error, Error::Mixed(_)), "{error}");
    std::fs::rename(a.path().join("own.qbh"), a.path().join("snapshot.qbh")).unwrap();
    assert!(verify(a.path()).unwrap().is_clean());
}

#[test]
fn compaction_shrinks_and_preserves() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    for round in 0..12 {
        let songs = (0..400).map(|i| song(&format!("song{i}"), round * 400 + i)).collect();
        index.put_file(&identity("many"), songs).unwrap();
        index.flush().unwrap();
    }
    fill(&index, 20);
    let before = score(&index.snapshot().unwrap());
    let songs: Vec<Song> = index.songs().map(Result::unwrap).collect();
    let files: Vec<FileRecord> = index.files().map(Result::unwrap).collect();
    let (index, compacted) = index.compact().unwrap();
    // How much sled has given back by itself depends on its timing; what is left must be the size of a database never rewritten.
    let fresh = tempfile::tempdir().unwrap();
    let never_rewritten = Index::open(fresh.path(), &fingerprint()).unwrap();
    let last_round = (0..400).map(|i| song(&format!("song{i}"), 11 * 400 + i)).collect();
    never_rewritten.put_file(&identity("many"), last_round).unwrap();
    fill(&never_rewritten, 20);
    never_rewritten.flush().unwrap();
    let needed = never_rewritten.snapshot().unwrap().stats().unwrap().bytes.store;
    // sled allots segments of 256 KB; a few may be half empty.
    let most = needed + (1 << 20);
    assert!(compacted.after < compacted.before && compacted.after <= most, "{compacted:?}, needed {needed}");
    assert_eq!(index.snapshot().unwrap().stats().unwrap().bytes.store, compacted.after);
    assert_eq!(index.songs().map(Result::unwrap).collect::<Vec<_>>(), songs);
    assert_eq!(index.files().map(Result::unwrap).collect::<Vec<_>>(), files);
    let report = index.verify().unwrap();
    assert!(report.is_clean() && report.snapshot == Derived::Current, "{report:?}");
    assert_eq!(score(&index.snapshot().unwrap()), before);
    // The ids go on where they were.
    let new = index.put_file(&identity("new"), vec![song("new", 1)]).unwrap();
    assert!(songs.iter().all(|s| s.id < new[0]));
}

#[test]
fn a_compaction_that_was_cut_is_ended_at_opening() {
    let copy = |from: &Path, to: &Path| {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
            if entry.metadata().unwrap().is_file() {
                std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let [store, new, old] = ["sled", "sled.new", "sled.old"].map(|name| dir.path().join(name));
    fill(&Index::open(dir.path(), &fingerprint()).unwrap(), 10);
    let intact = |index: Index| {
        assert_eq!(index.songs().count(), 10);
        assert!(index.verify().unwrap().is_clean());
        drop(index);
        assert!(store.exists() && !new.exists() && !old.exists());
    };
    // During the copy.
    std::fs::create_dir(&new).unwrap();
    std::fs::write(new.join("db"), b"half").unwrap();
    intact(Index::open_existing(dir.path()).unwrap());
    // Between the two renamings.
    copy(&store, &new);
    std::fs::rename(&store, &old).unwrap();
    assert!(Index::exists(dir.path()));
    intact(Index::open_existing(dir.path()).unwrap());
    // Before the old one was deleted.
    copy(&store, &old);
    intact(Index::open(dir.path(), &fingerprint()).unwrap());
}
