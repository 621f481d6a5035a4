//! Control frames: what the voice does during 5 ms.

use super::tract::Shape;
use crate::SAMPLE_RATE;

/// Control frames per second.
pub const FRAME_RATE: f32 = 200.0;

/// Samples per control frame.
pub const FRAME: usize = SAMPLE_RATE / 200;

/// What the voice does during 5 ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Hz, 0 when the vocal folds rest.
    pub f0: f32,
    /// Amplitude of the glottal source.
    pub voice: f32,
    /// Amplitude of noise at the glottis, heard through the tract.
    pub breath: f32,
    /// Amplitude of noise at teeth and lips.
    pub hiss: f32,
    /// Centre and half width of that noise, Hz.
    pub hiss_band: (f32, f32),
    /// Glottal `Rd`.
    pub rd: f32,
    /// What filters the source.
    pub mouth: Mouth,
}

/// How the mouth is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mouth {
    /// By formants.
    Modelled(Shape),
    /// As the speaker held it: a place among the speaker's frames.
    Recorded(f32),
}
