//! The front end that `jdc` and `ssl` share: 8 kHz, Hann 1024, hop 80, level in halved decibels below the maximum, segments of
//! 31 frames that do not see each other.

use super::spectrum::{Edge, Stft};

/// Sample rate, Hz.
pub const SAMPLE_RATE: u32 = 8000;

/// Samples per frame: 10 ms.
pub const HOP: usize = 80;

/// Frequency bins per frame.
pub const BINS: usize = 513;

/// Frames per segment.
pub const SEGMENT: usize = 31;

/// Lowest level, and the level of silence.
pub const FLOOR: f32 = -80.0;

/// Audio to level spectrogram.
pub struct FrontEnd {
    stft: Stft,
}

impl Default for FrontEnd {
    fn default() -> Self {
        Self::new()
    }
}

impl FrontEnd {
    /// The one setting the published network has.
    pub fn new() -> Self {
        FrontEnd { stft: Stft::new(1024, HOP, Edge::Reflect) }
    }

    /// `frames x 513` levels, `10 log10(|S| / max |S|)`, not below -80. The maximum is that of all frames. As published,
    /// a magnitude is put where a power belongs: the scale is half of real decibels.
    pub fn spectrogram(&self, samples: &[f32], frames: usize) -> Vec<f32> {
        let mut levels = Vec::with_capacity(frames * BINS);
        self.stft.magnitudes(samples, 0..frames, |_, magnitudes| levels.extend_from_slice(magnitudes));
        let loudest = levels.iter().copied().filter(|x| x.is_finite()).fold(0.0, f32::max);
        let scale = if loudest > 0.0 { 1.0 / loudest } else { 0.0 };
        for level in &mut levels {
            let decibels = 10.0 * (*level * scale).log10();
            *level = if decibels > FLOOR { decibels } else { FLOOR };
        }
        levels
    }
}

/// How a recording of some frames is covered by segments of 31.
///
/// The last segment ends with the recording and overlaps the one before it, so that it is full of real frames;
/// a recording shorter than one segment is followed by silence. (The published code pads with 0, which in this scale
/// is the loudest level there is, and returns the frames of the padding too.)
pub struct Segments {
    frames: usize,
}

impl Segments {
    /// Segments for a recording of `frames` frames.
    pub fn cover(frames: usize) -> Self {
        Segments { frames }
    }

    fn starts(&self) -> impl Iterator<Item = usize> {
        let last = self.frames.saturating_sub(SEGMENT);
        (0..self.frames).step_by(SEGMENT).map(move |start| start.min(last))
    }

    /// `segments x 31 x 513` out of `frames x 513`.
    pub fn cut(&self, spectrogram: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.frames.div_ceil(SEGMENT) * SEGMENT * BINS);
        for start in self.starts() {
            let end = (start + SEGMENT).min(self.frames);
            out.extend_from_slice(&spectrogram[start * BINS..end * BINS]);
            out.resize(out.len() + (SEGMENT - (end - start)) * BINS, FLOOR);
        }
        out
    }

    /// One value per frame out of one per frame of every segment.
    pub fn join<T: Copy + Default>(&self, values: &[T]) -> Vec<T> {
        let mut out = vec![T::default(); self.frames];
        for (start, segment) in self.starts().zip(values.chunks(SEGMENT)) {
            let end = (start + SEGMENT).min(self.frames);
            out[start..end].copy_from_slice(&segment[..end - start]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_halved_decibels_below_the_maximum() {
        // 1 kHz is bin 128 of 1024 at 8 kHz; the second half is 20 dB softer, which reads -10.
        let tone = |n: usize| (2.0 * std::f32::consts::PI * 0.125 * n as f32).sin();
        let samples: Vec<f32> = (0..16000).map(|n| if n < 8000 { tone(n) } else { 0.1 * tone(n) }).collect();
        let spectrogram = FrontEnd::new().spectrogram(&samples, 200);
        let at = |frame: usize, bin: usize| spectrogram[frame * BINS + bin];
        assert!(at(50, 128).abs() < 0.01, "{}", at(50, 128));
        assert!((at(150, 128) + 10.0).abs() < 0.01, "{}", at(150, 128));
        // A Hann window's neighbours lie 6 dB below the peak.
        assert!((at(50, 127) + 3.01).abs() < 0.01, "{}", at(50, 127));
        assert!(spectrogram.iter().all(|x| (-80.0..=0.01).contains(x)));
    }

    #[test]
    fn silence_and_broken_samples_are_the_floor_not_nan() {
        assert!(FrontEnd::new().spectrogram(&[0.0; 800], 10).iter().all(|&x| x == FLOOR));
        assert!(FrontEnd::new().spectrogram(&[f32::NAN; 800], 10).iter().all(|&x| x == FLOOR));
    }

    #[test]
    fn segments_cover_every_frame_once_with_real_context() {
        for frames in [1, 30, 31, 32, 61, 62, 63, 100] {
            let segments = Segments::cover(frames);
            let spectrogram: Vec<f32> = (0..frames).flat_map(|t| std::iter::repeat_n(t as f32, BINS)).collect();
            let cut = segments.cut(&spectrogram);
            assert_eq!(cut.len(), frames.div_ceil(SEGMENT) * SEGMENT * BINS);
            let classes: Vec<i64> = cut.chunks(BINS).map(|frame| frame[0] as i64).collect();
            assert_eq!(segments.join(&classes), (0..frames as i64).collect::<Vec<_>>());
            if frames >= SEGMENT {
                assert!(cut.iter().all(|&x| x >= 0.0), "padding in a recording of {frames} frames");
            }
        }
    }
}
