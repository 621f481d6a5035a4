//! What is put in comes out; what is replaced or removed is gone.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::*;
use qbh_index::*;

#[test]
fn songs_come_back_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let file = identity("tunes.abc");
    let songs = vec![song("tunes.abc#1", 1), song("tunes.abc#2", 2)];
    let ids = {
        let index = Index::open(dir.path(), &fingerprint()).unwrap();
        index.put_file(&file, songs.clone()).unwrap()
    };
    let index = Index::open_existing(dir.path()).unwrap();
    assert_eq!(index.fingerprint(), &fingerprint());
    let expected = FileRecord { identity: file, outcome: Outcome::Indexed { songs: ids.clone() }, sound: None };
    assert_eq!(index.file("tunes.abc").unwrap(), Some(expected.clone()));
    assert_eq!(index.files().map(Result::unwrap).collect::<Vec<_>>(), [expected]);
    assert_eq!(index.songs().map(|s| s.unwrap().id).collect::<Vec<_>>(), ids);
    for (id, new) in ids.iter().zip(&songs) {
        let stored = index.song(*id).unwrap().unwrap();
        assert_eq!((&stored.key, &stored.tags, stored.file.as_str()), (&new.key, &new.tags, "tunes.abc"));
        assert_eq!(stored.steps as usize, new.contour.len());
        let windows = |steps| new.levels.iter().find(|l| l.steps == steps).map_or(0, |l| l.positions.len() as u32);
        assert_eq!(stored.windows, [50, 100, 200].map(windows));
        assert_eq!(index.contour(*id).unwrap().unwrap(), new.contour);
    }
    assert!(index.verify().unwrap().is_clean());
    assert_eq!(index.song(SongId(99)).unwrap(), None);
    assert_eq!(index.contour(SongId(99)).unwrap(), None);
}

#[test]
fn a_file_put_again_replaces_its_songs_and_keeps_ids_by_key() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    let file = identity("tunes.abc");
    let first = index.put_file(&file, vec![song("a", 1), song("b", 2), song("c", 3)]).unwrap();
    let second = index.put_file(&file, vec![song("d", 4), song("b", 5)]).unwrap();
    assert_eq!(second[1], first[1], "b keeps its id");
    assert!(!first.contains(&second[0]), "d gets an id that was never used");
    assert_eq!(index.songs().count(), 2);
    assert_eq!(index.contour(second[1]).unwrap().unwrap(), song("b", 5).contour);
    assert_eq!(index.contour(first[0]).unwrap(), None);
    assert!(index.verify().unwrap().is_clean());

    index.put_failure(&file, "it is silent", "check the file").unwrap();
    assert_eq!(index.songs().count(), 0);
    let record = index.file("tunes.abc").unwrap().unwrap();
    assert!(matches!(record.outcome, Outcome::Failed { reason, .. } if reason == "it is silent"));
    let stats = index.snapshot().unwrap().stats().unwrap();
    assert_eq!((stats.files, stats.failures, stats.songs), (1, 1, 0));
}

#[test]
fn removal_by_path_and_by_song() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    let a = index.put_file(&identity("a"), vec![song("a1", 1), song("a2", 2)]).unwrap();
    let b = index.put_file(&identity("b"), vec![song("b1", 3)]).unwrap();
    assert!(index.remove_song(a[0]).unwrap());
    assert!(!index.remove_song(a[0]).unwrap());
    let record = index.file("a").unwrap().unwrap();
    assert_eq!(record.outcome, Outcome::Indexed { songs: vec![a[1]] }, "the file stays known");
    assert!(index.remove_file("b").unwrap());
    assert!(!index.remove_file("b").unwrap());
    assert_eq!(index.song(b[0]).unwrap(), None);
    assert_eq!(index.songs().map(|s| s.unwrap().id).collect::<Vec<_>>(), [a[1]]);
    assert!(index.verify().unwrap().is_clean());
}

#[test]
fn bad_songs_are_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    let good = || (0..).map(|seed| song("bad", seed)).find(|s| s.levels.len() == 3).unwrap();
    let mut cases: Vec<(&str, NewSong)> = Vec::new();
    let mut case = |name, change: &dyn Fn(&mut NewSong)| {
        let mut song = good();
        change(&mut song);
        cases.push((name, song));
    };
    case("pitch not a number", &|s| s.contour[3] = f32::NAN);
    case("pitch too high", &|s| s.contour[3] = 256.0);
    case("pitch negative", &|s| s.contour[3] = -1.0);
    case("vector not finite", &|s| s.levels[0].vectors[5] = f32::INFINITY);
    case("vectors cut", &|s| s.levels[0].vectors.truncate(5));
    case("unknown length", &|s| s.levels[0].steps = 51);
    case("length twice", &|s| s.levels[1].steps = 50);
    case("positions out of order", &|s| s.levels[0].positions.reverse());
    for (name, bad) in cases {
        let outcome = index.put_file(&identity("f"), vec![song("good", 1), bad]);
        assert!(matches!(&outcome, Err(Error::InvalidSong { key, .. }) if key == "bad"), "{name}: {outcome:?}");
    }
    let twice = index.put_file(&identity("f"), vec![song("bad", 1), song("bad", 2)]);
    assert!(matches!(twice, Err(Error::InvalidSong { .. })));
    assert_eq!((index.songs().count(), index.files().count()), (0, 0), "nothing of a refused file is stored");
}

#[test]
fn other_models_and_other_versions_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = dir.path().join("none");
    assert!(matches!(Index::open_existing(&elsewhere), Err(Error::NotFound(_))));
    assert!(!elsewhere.exists(), "asking makes no index");
    drop(Index::open(dir.path(), &fingerprint()).unwrap());

    let mut other = fingerprint();
    other.embedder.fingerprint = "another".into();
    other.levels[0].windows_per_length = 8;
    let message = Index::open(dir.path(), &other).err().unwrap().to_string();
    for part in ["embedder [embedder-0123], now embedder [another]", "5 s / 4", "5 s / 8", "index the library again"] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert!(!message.contains("extractor"), "what is equal is not blamed: {message}");

    {
        let db = sled::Config::new().path(dir.path().join("sled")).segment_size(64 << 10).open().unwrap();
        db.open_tree("meta").unwrap().insert("schema", &99u32.to_le_bytes()).unwrap();
    }
    let message = Index::open(dir.path(), &fingerprint()).err().unwrap().to_string();
    assert!(message.contains("format 99") && message.contains("format 3"), "{message}");
}

#[test]
fn senseless_fingerprints_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut odd = fingerprint();
    odd.dimension = 66;
    assert!(matches!(Index::open(dir.path(), &odd), Err(Error::InvalidFingerprint(_))));
    let mut backwards = fingerprint();
    backwards.levels.reverse();
    assert!(matches!(Index::open(dir.path(), &backwards), Err(Error::InvalidFingerprint(_))));
}

#[test]
fn a_snapshot_is_published_when_something_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    assert!(Snapshot::open(dir.path()).unwrap().is_empty(), "readers find an empty one at once");
    let generation = || Snapshot::open(dir.path()).unwrap().stats().unwrap().generation;
    assert_eq!(generation(), 0);
    index.put_file(&identity("a"), vec![song("a", 1)]).unwrap();
    assert_eq!(generation(), 0, "readers see what was published");
    assert!(index.refresh().unwrap());
    assert_eq!(generation(), 1);
    index.put_failure(&identity("b"), "no", "none").unwrap();
    assert!(index.refresh().unwrap());
    assert!(!index.refresh().unwrap(), "nothing changed since");
    assert_eq!(Snapshot::open(dir.path()).unwrap().files().count(), 2);
    index.remove_file("a").unwrap();
    let before = Snapshot::open(dir.path()).unwrap();
    assert!(index.snapshot().unwrap().is_empty());
    assert_eq!(before.song(0).unwrap().key, "a", "a reader goes on with the one that it has");
    assert_eq!(before.contour(0).unwrap(), song("a", 1).contour);
}

#[test]
fn keys_are_those_of_the_songs() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    fill(&index, 5);
    let snapshot = index.snapshot().unwrap();
    let keys: Vec<&str> = snapshot.keys().map(|key| key.unwrap()).collect();
    let songs: Vec<String> = snapshot.songs().map(|song| song.unwrap().key).collect();
    assert!(!keys.is_empty());
    assert_eq!(keys, songs);
}

#[test]
fn a_graph_stays_good_while_no_song_changes() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    fill(&index, 3);
    Hnsw::build(&index.snapshot().unwrap(), |_, _| ()).unwrap();
    index.put_failure(&identity("b"), "no", "none").unwrap();
    assert!(Hnsw::open(&index.snapshot().unwrap()).is_some());
    index.remove_file("song0000").unwrap();
    assert!(Hnsw::open(&index.snapshot().unwrap()).is_none());
}

#[test]
fn moved_retagged_and_returning_files_keep_their_songs() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    let ids = index.put_heard(&identity("/m/old.mp3"), Some(Sound(7)), vec![song("/m/old.mp3", 1)]).unwrap();
    let tags = Tags { title: Some("New".into()), ..Tags::default() };
    assert!(index.retell_file("/m/old.mp3", &identity("/m/new.mp3"), Some(&tags)).unwrap());
    assert!(index.file("/m/old.mp3").unwrap().is_none());
    let song_now = index.song(ids[0]).unwrap().unwrap();
    assert_eq!((song_now.key.as_str(), song_now.file.as_str()), ("/m/new.mp3", "/m/new.mp3"));
    assert_eq!((song_now.tags.title.as_deref(), song_now.tags.duration), (Some("New"), song("", 1).tags.duration));

    assert!(index.copy_file("/m/new.mp3", &identity("/m/copy.mp3"), None).unwrap());
    assert_eq!(index.songs().count(), 2);
    assert!(index.park_file("/m/new.mp3").unwrap());
    assert_eq!(index.song(ids[0]).unwrap(), None, "what is gone is not found");
    let parked: Vec<FileRecord> = index.parked().map(|file| file.unwrap()).collect();
    assert_eq!((parked.len(), parked[0].sound), (1, Some(Sound(7))));
    index.refresh().unwrap();
    drop(index);

    // It is kept in the second copy too.
    std::fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let index = Index::open_existing(dir.path()).unwrap();
    assert!(index.retell_file("/m/new.mp3", &identity("/m/back.mp3"), None).unwrap());
    assert_eq!(index.parked().count(), 0);
    assert_eq!(index.song(ids[0]).unwrap().unwrap().key, "/m/back.mp3");
    assert_eq!(index.contour(ids[0]).unwrap().unwrap(), song("", 1).contour);
    assert!(index.verify().unwrap().is_mended());
}

#[test]
fn a_cut_database_never_panics() {
    let dir = tempfile::tempdir().unwrap();
    fill(&Index::open(dir.path(), &fingerprint()).unwrap(), 60);
    let database = dir.path().join("sled/db");
    let bytes = std::fs::read(&database).unwrap();
    for tenths in 0..10 {
        std::fs::write(&database, &bytes[..bytes.len() * tenths / 10]).unwrap();
        match Index::open_existing(dir.path()) {
            Ok(index) => assert_eq!(index.verify().unwrap().songs, 60, "the snapshot has them all"),
            Err(error) => assert!(matches!(error, Error::Damaged(_) | Error::NotFound(_)), "{tenths}: {error}"),
        }
    }
}

#[test]
fn an_index_of_the_first_format_says_so() {
    let dir = tempfile::tempdir().unwrap();
    // Its database had larger segments, which sled does not open with others.
    sled::Config::new().path(dir.path().join("sled")).segment_size(256 << 10).open().unwrap().flush().unwrap();
    let error = Index::open(dir.path(), &fingerprint()).err().unwrap();
    assert!(matches!(error, Error::OtherVersion { found: 1, supported: 3, .. }), "{error}");
}
