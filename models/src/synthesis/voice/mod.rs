//! Singing by source and filter: notes become [`articulate`]d control frames (pitch, loudness, mouth), and frames become
//! sound in [`render`] (harmonics of a glottal pulse through a moving vocal tract, and noise).

pub mod articulate;
pub mod glottis;
pub mod phonemes;
pub mod render;
pub mod style;
pub mod tract;

pub use style::{Kind, VoiceStyle};

use super::random::Draw;
use super::{LABEL_HOP, SAMPLE_RATE, level};
use crate::Note;
use articulate::Frame;

/// Samples per control frame (5 ms).
pub const FRAME: usize = SAMPLE_RATE / 200;

/// A voice frame is labelled unvoiced when it is this much quieter than the voice's active level (-28 dB).
pub const AUDIBLE: f32 = 0.04;

/// A sung line.
#[derive(Debug, Clone)]
pub struct Sung {
    /// 16 kHz, dry, active level 0.1.
    pub samples: Vec<f32>,
    /// f0 in Hz per 10 ms, 0 where the voice does not sound.
    pub f0: Vec<f32>,
    frames: Vec<Frame>,
    timbre: render::Timbre,
}

impl Sung {
    /// The same performance by the same singer once more, `semitones` away and not quite alike: for double tracks and
    /// parallel harmonies. `wander` is the deviation of its pitch in semitones.
    pub fn again(&self, semitones: f32, wander: f32, draw: &mut Draw) -> Vec<f32> {
        let mut drift = super::random::Wander::new(wander, 80.0, draw);
        let mut frames = self.frames.clone();
        for frame in &mut frames {
            frame.f0 *= ((semitones + drift.step(draw)) / 12.0).exp2();
        }
        let mut samples = render::render(&frames, &self.timbre, self.samples.len(), draw);
        level::normalise(&mut samples, 0.1);
        samples
    }
}

/// Sings notes (seconds; sorted, one at a time) for a number of samples.
pub fn sing(notes: &[Note], style: &VoiceStyle, samples: usize, draw: &mut Draw) -> Sung {
    let frames = articulate::articulate(notes, samples.div_ceil(FRAME) + 1, style, draw);
    let timbre = render::Timbre::new(style, draw);
    let mut audio = render::render(&frames, &timbre, samples, draw);
    level::normalise(&mut audio, 0.1);
    let f0 = level::frame_rms(&audio)
        .into_iter()
        .enumerate()
        .map(|(i, rms)| if rms > AUDIBLE * 0.1 { frames[i * LABEL_HOP / FRAME].f0 } else { 0.0 })
        .collect();
    Sung { samples: audio, f0, frames, timbre }
}
