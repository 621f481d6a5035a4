//! Small files of every format with the notes they must give; bytes that are no music; real files where there are any.

mod bytes;
mod midi;
mod notation;
mod real;

use super::{Format, Melody, SymbolicError, parse};

/// The one melody of a file.
fn melody(format: Format, bytes: &[u8]) -> Melody {
    let mut melodies = parse(format, bytes).unwrap();
    assert_eq!(melodies.len(), 1);
    melodies.remove(0)
}

/// (onset, duration, pitch), to the millisecond.
fn notes(format: Format, bytes: &[u8]) -> Vec<(f64, f64, f64)> {
    let round = |x: f32| (f64::from(x) * 1000.0).round() / 1000.0;
    melody(format, bytes).notes.iter().map(|n| (round(n.onset), round(n.duration), round(n.pitch))).collect()
}

/// What is said about a file that gives no melody.
fn complaint(format: Format, bytes: &[u8]) -> String {
    let error: SymbolicError = parse(format, bytes).unwrap_err();
    assert!(!error.remedy().is_empty());
    error.to_string()
}
