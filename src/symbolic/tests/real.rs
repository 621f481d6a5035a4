//! Real files, where the data folder is there.

use crate::skipped::shared_data;
use crate::symbolic::{SymbolicError, read};

#[test]
fn midi_of_hummed_songs() {
    let Some(folder) = shared_data("hums/mabdh/songs") else { return };
    let mut read_files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let melodies = read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let notes = &melodies[0].notes;
        // These files hold absolute times in hundredths of a second where deltas belong.
        let end = notes[notes.len() - 1].offset();
        assert!((5.0..30.0).contains(&end), "{}: {} notes in {end} s", path.display(), notes.len());
        assert!(notes.len() >= 5 && notes.windows(2).all(|w| w[0].offset() <= w[1].onset + 1e-3));
        read_files += 1;
    }
    assert_eq!(read_files, 10);
}

#[test]
fn melody_json_lines() {
    let counts =
        [("melodies/dev.jsonl.gz", 1102), ("melodies/essen_noise.jsonl.gz", 4276), ("hums/humtrans_valid/songs.jsonl.gz", 50)];
    for (file, count) in counts {
        let Some(path) = shared_data(file) else { continue };
        let melodies = read(&path).unwrap();
        assert_eq!(melodies.len(), count, "{file}");
        assert!(melodies.iter().all(|m| m.id.is_some()));
    }
}

#[test]
fn a_missing_file_and_a_foreign_extension() {
    assert!(matches!(read("no/such.mid".as_ref()), Err(SymbolicError::Io(_))));
    assert!(matches!(read("a.mp3".as_ref()), Err(SymbolicError::UnknownFormat(_))));
}
