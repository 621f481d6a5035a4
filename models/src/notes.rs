//! Notes, as symbolic music has them.

use serde::{Deserialize, Serialize};

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
