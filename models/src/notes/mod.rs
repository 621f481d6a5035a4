//! Notes, as symbolic music has them: [`json_lines`] reads melodies, [`skyline`] makes them one note at a time.

pub mod json_lines;
mod skyline;

use serde::{Deserialize, Serialize};

pub use skyline::{monophonic, skyline};

/// Quarter notes per minute of melodies whose times are in quarter notes and that tell no tempo.
pub const NOTATION_QPM: f64 = 100.0;

/// One note of a melody.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Start in seconds.
    pub onset: f32,
    /// Length in seconds.
    pub duration: f32,
    /// MIDI pitch (60 = middle C), fractional where it was sung.
    pub pitch: f32,
}

impl Note {
    /// End in seconds.
    pub fn offset(&self) -> f32 {
        self.onset + self.duration
    }
}

/// A note while it is being read: times in quarter notes, or already in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Where it begins.
    pub start: f64,
    /// Where it ends.
    pub end: f64,
    /// MIDI pitch.
    pub pitch: f64,
}

impl From<Note> for Span {
    fn from(note: Note) -> Self {
        let start = f64::from(note.onset);
        Span { start, end: start + f64::from(note.duration), pitch: f64::from(note.pitch) }
    }
}

impl From<Span> for Note {
    fn from(span: Span) -> Self {
        Note { onset: span.start as f32, duration: (span.end - span.start) as f32, pitch: span.pitch as f32 }
    }
}
