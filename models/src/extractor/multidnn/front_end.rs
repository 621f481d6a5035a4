//! The front end of `multidnn`: linear magnitudes, Hann 2048, hop 512 at 22.05 kHz.

use crate::extractor::level::normalise;
use crate::extractor::spectrum::{Edge, Stft};

/// Sample rate, Hz.
pub const SAMPLE_RATE: u32 = 22_050;

/// Samples per frame: 23.2 ms.
pub const HOP: usize = 512;

/// Frequency bins per frame.
pub const BINS: usize = 1025;

/// Bins from here on, 7.75 kHz, are left empty: training audio of 16 kHz has nothing there to learn from.
const HEARD: usize = 720;

/// Audio to magnitude spectra.
pub struct FrontEnd {
    stft: Stft,
}

impl Default for FrontEnd {
    fn default() -> Self {
        Self::new()
    }
}

impl FrontEnd {
    /// Plans the transform.
    pub fn new() -> Self {
        FrontEnd { stft: Stft::new(2048, HOP, Edge::Zero) }
    }

    /// `frames x 1025` magnitudes. The published networks take recordings at the level they have; here it is normalised over
    /// all `samples`, so that it does not matter.
    pub fn spectra(&self, samples: &[f32], frames: usize) -> Vec<f32> {
        let mut out = vec![0.0; frames * BINS];
        self.stft.magnitudes(&normalise(samples, SAMPLE_RATE), 0..frames, |frame, magnitudes| {
            out[frame * BINS..frame * BINS + HEARD].copy_from_slice(&magnitudes[..HEARD]);
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_are_linear_and_of_one_level() {
        // Bin 100 exactly; a sinusoid of RMS 0.1 has the amplitude 0.1414 and the magnitude 512 times that.
        let tone = |level: f32| -> Vec<f32> {
            (0..22_050).map(|n| level * (std::f32::consts::TAU * 100.0 / 2048.0 * n as f32).sin()).collect()
        };
        for level in [0.9, 0.01] {
            let spectra = FrontEnd::new().spectra(&tone(level), 43);
            let peak = spectra[20 * BINS + 100];
            assert!((peak - 72.4).abs() < 0.2, "{peak}");
            assert!((spectra[20 * BINS + 101] - peak / 2.0).abs() < 0.1);
        }
        assert!(FrontEnd::new().spectra(&[f32::NAN; 3000], 6).iter().all(|&x| x == 0.0));
    }
}
