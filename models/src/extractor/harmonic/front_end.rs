//! The front end of `harmonic`: level-normalised audio to log-frequency spectra of two window lengths.

use std::ops::Range;

use crate::engine::{Function, Kernel};
use crate::extractor::level::{clean, gain};
use crate::extractor::spectrum::{Edge, Stft};
use crate::pitch::midi_to_hz;

/// Sample rate, Hz.
pub const SAMPLE_RATE: u32 = 16_000;

/// Samples per frame: 20 ms.
pub const HOP: usize = 320;

/// Window lengths in samples: the long one tells low pitches apart (128 ms), the short one sees where notes end (64 ms).
const WINDOWS: [usize; SPECTRA] = [2048, 1024];

/// Spectra per frame, one per window length.
pub const SPECTRA: usize = 2;

/// Log-frequency bands per octave.
pub const BANDS_PER_OCTAVE: usize = 36;

/// MIDI pitch of the first band.
pub const FIRST_BAND_MIDI: f32 = 24.0;

/// Number of bands: from MIDI 24 (32.7 Hz) to 7.8 kHz.
pub const BANDS: usize = 284;

/// Value of silence, `0.25 ln 1e-4`.
pub const FLOOR: f32 = -std::f32::consts::LN_10;

/// Centre frequency of a band (fractional and negative ones too), Hz.
pub fn frequency_of_band(band: f32) -> f32 {
    midi_to_hz(FIRST_BAND_MIDI + band * 12.0 / BANDS_PER_OCTAVE as f32)
}

/// Audio to log-frequency spectra.
pub struct FrontEnd {
    resolutions: Vec<(Stft, Filterbank)>,
}

impl Default for FrontEnd {
    fn default() -> Self {
        Self::new()
    }
}

impl FrontEnd {
    /// Plans the transforms and the filters.
    pub fn new() -> Self {
        let resolutions = WINDOWS.map(|n| (Stft::new(n, HOP, Edge::Zero), Filterbank::new(n))).into();
        FrontEnd { resolutions }
    }

    /// `frames x 2 x 284` values `0.25 ln(8 M / (N / 4) + 1e-4)`, M the weighted mean magnitude around a band; frame `t` is
    /// centred at `t * 20 ms`. The level is normalised over all `samples`.
    pub fn spectra(&self, samples: &[f32], frames: usize) -> Vec<f32> {
        let mut out = vec![FLOOR; frames * SPECTRA * BANDS];
        self.piece(samples, gain(samples, SAMPLE_RATE), 0..frames, &mut out);
        out
    }

    /// The spectra of some frames of a recording, its samples multiplied by `gain`.
    pub(super) fn piece(&self, samples: &[f32], gain: f32, frames: Range<usize>, out: &mut [f32]) {
        // What the longest window reaches before the first frame and beyond the last.
        let before = frames.start.min(WINDOWS[0].div_ceil(2 * HOP));
        let begin = ((frames.start - before) * HOP).min(samples.len());
        let end = (frames.end * HOP + WINDOWS[0] / 2).clamp(begin, samples.len());
        let samples: Vec<f32> = samples[begin..end].iter().map(|&x| clean(x) * gain).collect();
        for (index, (stft, filters)) in self.resolutions.iter().enumerate() {
            stft.magnitudes(&samples, before..before + frames.len(), |frame, magnitudes| {
                let start = ((frame - before) * SPECTRA + index) * BANDS;
                filters.apply(magnitudes, &mut out[start..start + BANDS]);
            });
        }
        out.iter_mut().for_each(|mean| *mean += 1e-4);
        Kernel::best().map(Function::Ln, out);
        out.iter_mut().for_each(|logarithm| *logarithm *= 0.25);
    }
}

/// Bins that are summed side by side: the sum of a filter would otherwise be one addition after the other.
const LANES: usize = 8;

/// Triangular filters on a logarithmic frequency axis, as a sparse matrix. Where bands lie closer than bins, a filter is one
/// bin wide and interpolates.
struct Filterbank {
    /// Per band: first bin and number of weights, a multiple of [`LANES`].
    spans: Vec<(usize, usize)>,
    weights: Vec<f32>,
}

impl Filterbank {
    fn new(window: usize) -> Self {
        let width = SAMPLE_RATE as f32 / window as f32;
        let mut spans = Vec::with_capacity(BANDS);
        let mut weights = Vec::new();
        // From here on a magnitude is relative to that of a full-scale sinusoid (N / 4), times 8.
        let scale = 8.0 / (window as f32 / 4.0);
        for band in 0..BANDS {
            let [below, centre, above] = [-1.0, 0.0, 1.0].map(|d| frequency_of_band(band as f32 + d));
            let (left, right) = ((centre - below).max(width), (above - centre).max(width));
            let first = ((centre - left) / width).ceil() as usize;
            let last = (((centre + right) / width).floor() as usize).min(window / 2);
            let triangle: Vec<f32> = (first..=last)
                .map(|k| {
                    let distance = k as f32 * width - centre;
                    (1.0 - if distance < 0.0 { -distance / left } else { distance / right }).max(0.0)
                })
                .collect();
            let sum: f32 = triangle.iter().sum();
            // Filled up with zeros on either side.
            let len = triangle.len().next_multiple_of(LANES);
            let begin = first.min(window / 2 + 1 - len);
            spans.push((begin, len));
            weights.extend(std::iter::repeat_n(0.0, first - begin));
            weights.extend(triangle.iter().map(|w| w / sum * scale));
            weights.extend(std::iter::repeat_n(0.0, len - triangle.len() - (first - begin)));
        }
        Filterbank { spans, weights }
    }

    fn apply(&self, magnitudes: &[f32], out: &mut [f32]) {
        let mut weights = self.weights.as_slice();
        for (&(first, len), value) in self.spans.iter().zip(out) {
            let (now, later) = weights.split_at(len);
            let mut sums = [0.0f32; LANES];
            for (w, m) in now.as_chunks::<LANES>().0.iter().zip(magnitudes[first..first + len].as_chunks::<LANES>().0) {
                for lane in 0..LANES {
                    sums[lane] += w[lane] * m[lane];
                }
            }
            *value = sums.iter().sum();
            weights = later;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, seconds: f32, level: f32) -> Vec<f32> {
        (0..(seconds * 16000.0) as usize).map(|n| level * (2.0 * std::f32::consts::PI * hz * n as f32 / 16000.0).sin()).collect()
    }

    #[test]
    fn a_tone_peaks_in_its_band_in_both_spectra() {
        for midi in [60.0, 69.0, 81.0] {
            let spectra = FrontEnd::new().spectra(&tone(midi_to_hz(midi), 1.0, 0.3), 50);
            for index in 0..SPECTRA {
                let row = &spectra[(25 * SPECTRA + index) * BANDS..][..BANDS];
                let peak = (0..BANDS).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
                let expected = ((midi - FIRST_BAND_MIDI) * 3.0) as usize;
                // One bin of the short window is wider than a band below MIDI 80.
                let slack = if index == 0 { 1 } else { 3 };
                assert!(peak.abs_diff(expected) <= slack, "MIDI {midi}, spectrum {index}: band {peak}, not {expected}");
            }
        }
    }

    #[test]
    fn the_level_of_the_recording_does_not_matter() {
        let front_end = FrontEnd::new();
        let loud = front_end.spectra(&tone(220.0, 1.0, 0.9), 50);
        let soft = front_end.spectra(&tone(220.0, 1.0, 0.009), 50);
        assert!(loud.iter().zip(&soft).all(|(a, b)| (a - b).abs() < 1e-2));
    }

    #[test]
    fn pieces_are_those_of_the_whole() {
        let samples: Vec<f32> = tone(220.0, 2.0, 0.5).iter().zip(tone(331.0, 2.0, 0.3)).map(|(a, b)| a * b).collect();
        let whole = FrontEnd::new().spectra(&samples, 101);
        for frames in [0..7, 1..30, 5..101, 90..101] {
            let mut piece = vec![0.0; frames.len() * SPECTRA * BANDS];
            FrontEnd::new().piece(&samples, gain(&samples, SAMPLE_RATE), frames.clone(), &mut piece);
            let of_whole = &whole[frames.start * SPECTRA * BANDS..frames.end * SPECTRA * BANDS];
            assert!(piece.iter().zip(of_whole).all(|(a, b)| (a - b).abs() < 1e-4), "frames {frames:?}");
        }
    }

    #[test]
    fn silence_and_broken_samples_are_the_floor() {
        for samples in [vec![0.0; 1600], vec![f32::NAN; 1600], vec![f32::INFINITY; 3], vec![]] {
            let spectra = FrontEnd::new().spectra(&samples, 5);
            assert!(spectra.iter().all(|&x| (x - FLOOR).abs() < 1e-4));
        }
    }

    #[test]
    fn the_bands_end_below_7_8_khz() {
        assert!(frequency_of_band(BANDS as f32 - 1.0) < 7800.0);
        assert!(frequency_of_band(BANDS as f32 + 1.0) > 7800.0);
    }
}
