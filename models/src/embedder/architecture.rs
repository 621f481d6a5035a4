//! The architectures: how each is fed, and how its contours are cut.

use super::{Windowing, contextual, reference};

/// The encoders that can be built, by the name in the metadata of their weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Resampled, key-free windows; convolutions, transformer block, attention pooling.
    Contextual,
    /// The published encoder: windows of 20 s; residual convolutions, GRU.
    Reference,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Architecture; 2] = [Architecture::Contextual, Architecture::Reference];

    /// Name in metadata and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::Contextual => "contextual",
            Architecture::Reference => "reference",
        }
    }

    /// The architecture of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name)
    }

    /// How songs and hums are cut for it.
    pub fn windowing(self) -> Windowing {
        let (song_steps, hum_steps, resampled) = match self {
            Architecture::Contextual => (vec![50, 100, 200], vec![200, 160, 128, 100, 80, 63, 50, 40, 32, 25], true),
            Architecture::Reference => (vec![200], vec![200], false),
        };
        Windowing { song_steps, hum_steps, resampled, windows_per_length: 4, song_min_voiced: 0.3, hum_min_voiced: 0.2 }
    }

    /// Channels and steps of its input.
    pub fn input(self) -> (usize, usize) {
        match self {
            Architecture::Contextual => (contextual::CHANNELS, contextual::STEPS),
            Architecture::Reference => (reference::CHANNELS, reference::STEPS),
        }
    }

    /// Fills `out` (channels x steps values) with the input of one window (MIDI pitch per step, 0 = unvoiced).
    pub fn features(self, window: &[f32], out: &mut [f32]) {
        match self {
            Architecture::Contextual => contextual::features(window, out),
            Architecture::Reference => reference::features(window, out),
        }
    }
}
