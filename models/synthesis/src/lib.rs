//! Synthesis of training audio with an exact pitch track, of the demo's songs, and of human hums.
//!
//! Data flows one way: a [`melody`] is sung by a [`voice`] and harmonised and played by an [`accompaniment`]; [`effects`]
//! colour both; the [`studio`] makes stems and examples of them; the [`bank`] keeps stems and mixes them live, fast enough
//! for training; [`multitracks`] are real voices beside it; [`resynthesis`] replaces the voices of real music. Everything random is
//! drawn from a ChaCha stream made from a seed: equal seeds, equal audio.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod accompaniment;
pub mod bank;
pub mod demo;
pub mod effects;
pub mod hum;
pub mod level;
pub mod melody;
pub mod mixing;
pub mod multitracks;
pub mod random;
pub mod resynthesis;
pub mod studio;
pub mod voice;

use qbh_models::PitchTrack;

/// Sampling rate of all synthesised audio, Hz.
pub const SAMPLE_RATE: usize = 16_000;

/// Samples between two frames of a [`PitchTrack`] (10 ms).
pub const LABEL_HOP: usize = SAMPLE_RATE / 100;

/// A piece of training audio and what is true about it. All signals are mono, 16 kHz and equally long.
#[derive(Debug, Clone, Default)]
pub struct Example {
    /// What the extractor hears, within -1..=1.
    pub mix: Vec<f32>,
    /// The voice as it is in the mix, before the effects on the whole mix; silence when there is none.
    pub voice: Vec<f32>,
    /// Everything else, likewise.
    pub accompaniment: Vec<f32>,
    /// f0 of the voice, one frame per 10 ms; 0 with voicing 0 where the voice is silent, breathing, hissing or absent.
    pub pitch: PitchTrack,
    /// How much each frame of the pitch track is to be believed, 0..=1; empty where all of it is certain.
    pub weight: Vec<f32>,
}
