//! The pitch track: what an extractor writes down.

/// Seconds between two frames of a [`PitchTrack`].
pub const PITCH_HOP: f64 = 0.01;

/// f0 of the melody every 10 ms; frame `i` is centred at `i * 10 ms`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PitchTrack {
    /// f0 in Hz, 0 = unvoiced.
    pub f0: Vec<f32>,
    /// Probability that the frame is voiced, 0..=1, one per frame of `f0`.
    /// Sources that do not tell (files, charts) hold 1 where `f0 > 0`, else 0.
    pub voicing: Vec<f32>,
}

impl PitchTrack {
    /// A track from f0 alone: voicing is 1 where `f0 > 0`.
    pub fn from_f0(f0: Vec<f32>) -> Self {
        let voicing = f0.iter().map(|&f| if f > 0.0 { 1.0 } else { 0.0 }).collect();
        PitchTrack { f0, voicing }
    }

    /// Number of frames.
    pub fn len(&self) -> usize {
        self.f0.len()
    }

    /// Whether the track has no frame.
    pub fn is_empty(&self) -> bool {
        self.f0.is_empty()
    }

    /// Seconds covered.
    pub fn duration(&self) -> f64 {
        self.len() as f64 * PITCH_HOP
    }
}

/// MIDI pitch (69 = A4 = 440 Hz, semitones, fractional) of a frequency in Hz; `hz` must be positive.
pub fn hz_to_midi(hz: f32) -> f32 {
    69.0 + 12.0 * (hz / 440.0).log2()
}

/// Frequency in Hz of a MIDI pitch.
pub fn midi_to_hz(midi: f32) -> f32 {
    440.0 * ((midi - 69.0) / 12.0).exp2()
}
