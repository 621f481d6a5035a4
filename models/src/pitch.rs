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
    /// f0 in Hz that the melody would have if the frame were voiced, one per frame of `f0` and equal to it where that is
    /// voiced; 0 where there is no guess. Melody metrics count it (RPA, RCA), and contours where the voicing is high enough.
    pub guess: Vec<f32>,
}

impl PitchTrack {
    /// A track from f0 alone: voicing is 1 where `f0 > 0`, and there are no guesses.
    pub fn from_f0(f0: Vec<f32>) -> Self {
        let voicing = f0.iter().map(|&f| if f > 0.0 { 1.0 } else { 0.0 }).collect();
        PitchTrack { guess: f0.clone(), voicing, f0 }
    }

    /// f0 in the convention of `mir_eval` and MIREX, Hz: positive where voiced, the guess made negative where unvoiced, 0
    /// where there is none.
    pub fn signed_f0(&self) -> impl Iterator<Item = f32> + '_ {
        self.f0.iter().zip(&self.guess).map(|(&f0, &guess)| if f0 > 0.0 || guess <= 0.0 { f0 } else { -guess })
    }

    /// Appends the frames of a track that goes on where this one ends.
    pub fn append(&mut self, mut next: PitchTrack) {
        self.f0.append(&mut next.f0);
        self.voicing.append(&mut next.voicing);
        self.guess.append(&mut next.guess);
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
