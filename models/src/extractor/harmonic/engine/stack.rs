//! The harmonic stack, laid out for the engine: channels last, zeros around the bins.

use crate::extractor::harmonic::decode::BINS;
use crate::extractor::harmonic::front_end::{BANDS, FLOOR, SPECTRA};
use crate::extractor::harmonic::shape::{STACK, missing_bands, stack_offsets};

/// Channels of a bin.
pub(super) const CHANNELS: usize = STACK.len();

/// Zeros on either side of the bins: what the stem reaches beyond them.
pub(super) const MARGIN: usize = 4;

/// Values of a frame.
pub(super) const FRAME: usize = (BINS + 2 * MARGIN) * CHANNELS;

/// Makes stacks of spectra.
#[derive(Debug)]
pub(super) struct Stack {
    /// Where the lowest bin of each channel lies in `bands`.
    first: [usize; CHANNELS],
    /// The bands of all spectra, each with the silent ones above that the highest channel reaches.
    bands: Vec<f32>,
}

impl Stack {
    /// Room for one frame.
    pub(super) fn new() -> Self {
        let (height, offsets) = (BANDS + missing_bands(), stack_offsets());
        let first = std::array::from_fn(|channel| STACK[channel].0 * height + offsets[channel]);
        Stack { first, bands: vec![FLOOR; SPECTRA * height] }
    }

    /// Fills `out` ([`FRAME`] values, the margins zero already) with the stack of one frame of spectra (`2 x 284`).
    pub(super) fn fill(&mut self, spectra: &[f32], out: &mut [f32]) {
        let height = self.bands.len() / SPECTRA;
        for (bands, spectrum) in self.bands.chunks_exact_mut(height).zip(spectra.chunks_exact(BANDS)) {
            bands[..BANDS].copy_from_slice(spectrum);
        }
        let bins = &mut out[MARGIN * CHANNELS..][..BINS * CHANNELS];
        for (bin, channels) in bins.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
            for (value, first) in channels.iter_mut().zip(self.first) {
                *value = self.bands[first + bin];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmonics_of_a_tone_meet_in_one_bin() {
        // Energy at 1, 2, 3 and 4 times the frequency of bin 60 (MIDI 56), and in the last band.
        let mut spectra = vec![FLOOR; SPECTRA * BANDS];
        for k in [1.0f32, 2.0, 3.0, 4.0] {
            for spectrum in 0..SPECTRA {
                spectra[spectrum * BANDS + 36 + 60 + (36.0 * k.log2()).round() as usize] = 0.0;
            }
        }
        let mut stack = vec![0.0; FRAME];
        Stack::new().fill(&spectra, &mut stack);
        let at = |bin: usize, channel: usize| stack[(MARGIN + bin) * CHANNELS + channel];
        for channel in [1, 2, 3, 4, 9, 10, 11] {
            assert_eq!(at(60, channel), 0.0, "channel {channel}");
        }
        assert_eq!((at(60, 5), at(BINS - 1, 8)), (FLOOR, FLOOR));
        assert!(stack[..MARGIN * CHANNELS].iter().chain(&stack[(MARGIN + BINS) * CHANNELS..]).all(|&x| x == 0.0));
    }
}
