//! Forty scores with every kind of repeat are played as music21 plays them (`benches/peers/scores.py` writes scores and golden values).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::Path;

/// Onset, duration and MIDI pitch; times in quarter notes.
type Note = [f64; 3];

#[test]
fn scores_are_played_as_music21_plays_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scores");
    let expected: BTreeMap<String, Vec<Note>> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
    assert_eq!(expected.len(), 40);
    let mut wrong = String::new();
    for (name, expected) in &expected {
        let melodies = qbh::symbolic::read(&folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        // No score tells a tempo: notation is played at 100 quarter notes per minute, MIDI at 120.
        let quarter = if name.ends_with("mid") || name.ends_with("rmi") { 0.5 } else { 0.6 };
        let played: Vec<Note> = melodies[0]
            .notes
            .iter()
            .map(|note| [f64::from(note.onset) / quarter, f64::from(note.duration) / quarter, f64::from(note.pitch)])
            .collect();
        let alike = |a: &Note, b: &Note| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.01);
        if played.len() != expected.len() || !played.iter().zip(expected).all(|(a, b)| alike(a, b)) {
            wrong += &format!("{name}:\n  played   {played:.2?}\n  expected {expected:.2?}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
