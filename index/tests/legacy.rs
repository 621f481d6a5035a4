//! An index of an older version is brought to the present format, without hearing anything again.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::path::Path;

use qbh_index::*;

fn old_index() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format2");
    std::fs::create_dir(dir.path().join("sled")).unwrap();
    for entry in std::fs::read_dir(data.join("sled")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), dir.path().join("sled").join(entry.file_name())).unwrap();
    }
    std::fs::copy(data.join("scan.qbh"), dir.path().join("scan.qbh")).unwrap();
    dir
}

#[test]
fn songs_files_and_vectors_of_format_2_are_kept() {
    let dir = old_index();
    assert!(matches!(Snapshot::open(dir.path()), Err(Error::NoSnapshot { .. })), "readers know that there is something to do");
    assert!(mend(dir.path()).unwrap().is_empty(), "nothing was wrong");
    let snapshot = Snapshot::open(dir.path()).unwrap();
    let songs: Vec<Song> = snapshot.songs().map(|song| song.unwrap()).collect();
    assert_eq!(
        songs.iter().map(|s| s.key.as_str()).collect::<Vec<_>>(),
        ["/music/tune0.mid", "/music/tune1.mid", "/music/tune2.mid"]
    );
    assert_eq!(songs[2].tags.title.as_deref(), Some("tune2"));
    assert!(snapshot.contour(2).unwrap().iter().any(|&pitch| pitch > 50.0));
    assert!(snapshot.vectors() > 10 && snapshot.dimension() == 128, "{} vectors", snapshot.vectors());
    let failed: Vec<FileRecord> =
        snapshot.files().map(|file| file.unwrap()).filter(|file| matches!(file.outcome, Outcome::Failed { .. })).collect();
    assert!(failed.len() == 1 && failed[0].identity.path == "/music/bad.mid", "{failed:?}");
    assert!(!dir.path().join("scan.qbh").exists());

    // It goes on like any other.
    let index = Index::open_existing(dir.path()).unwrap();
    let id = index.put_file(&common::identity("/music/more"), Vec::new()).unwrap();
    assert!(id.is_empty());
    assert!(index.remove_file("/music/tune1.mid").unwrap());
    assert_eq!(index.snapshot().unwrap().len(), 2);
    assert!(index.verify().unwrap().is_clean());
}

#[test]
fn a_conversion_that_is_cut_begins_anew() {
    let dir = old_index();
    // A copy that a crash left unfinished.
    std::fs::create_dir(dir.path().join("sled.new")).unwrap();
    std::fs::write(dir.path().join("sled.new/db"), b"half").unwrap();
    mend(dir.path()).unwrap();
    assert_eq!(Snapshot::open(dir.path()).unwrap().len(), 3);
}
