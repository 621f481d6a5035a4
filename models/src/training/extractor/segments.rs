//! What the networks over segments share in training: crops, the front end and its constants.

use tch::{Device, Kind, Tensor};

use super::crops::make_crop;
use super::resample::Resampler;
use super::student::{Crop, Listener};
use super::{Settings, Source};
use crate::ModelError;
use crate::extractor::fastest_kind;
use crate::extractor::segments::{BINS, FrontEnd, HOP, SAMPLE_RATE, SEGMENT};
use crate::synthesis::effects::six_augmentations;
use crate::synthesis::random::Draw;

/// Segments per crop; they share the level of the crop, as the segments of a song share that of the song.
const SEGMENTS: usize = 8;

/// Frames (10 ms) per crop: 2.48 s.
const FRAMES: usize = SEGMENTS * SEGMENT;

/// Crops from which the front end's constants are taken.
const CALIBRATION: u64 = 32;

/// The normalised input of the network.
pub(super) struct SegmentInput {
    mean: Tensor,
    std: Tensor,
    device: Device,
    kind: Kind,
}

impl SegmentInput {
    /// Mean and deviation of every frequency come from the weights that the training starts from, or else from the first
    /// recordings of the source.
    pub(super) fn calibrate(settings: &Settings, source: &Source) -> Result<Self, ModelError> {
        let (device, kind) = (settings.device, fastest_kind(settings.device));
        if let Some(weights) = settings.start()? {
            let constant = |key: &str| -> Result<Tensor, ModelError> { Ok(weights.tensor(key)?.f_to_device(device)?) };
            return Ok(SegmentInput { mean: constant("front_end.mean")?, std: constant("front_end.std")?, device, kind });
        }
        let listener = SegmentListener::new();
        let (mut sum, mut squares) = (vec![0.0f64; BINS], vec![0.0f64; BINS]);
        for i in 0..CALIBRATION {
            let crop = make_crop(source, &listener, &mut Draw::stream(settings.seed, i));
            for frame in crop.features.chunks_exact(BINS) {
                for (bin, &x) in frame.iter().enumerate() {
                    sum[bin] += f64::from(x);
                    squares[bin] += f64::from(x) * f64::from(x);
                }
            }
        }
        let count = (CALIBRATION as usize * FRAMES) as f64;
        let mean: Vec<f32> = sum.iter().map(|s| (s / count) as f32).collect();
        let std: Vec<f32> =
            sum.iter().zip(&squares).map(|(s, q)| (q / count - (s / count).powi(2)).max(0.0).sqrt() as f32).collect();
        // All frames of a segment are alike; the published file has a row for each.
        let rows = |values: &[f32]| -> Result<Tensor, ModelError> {
            Ok(Tensor::f_from_slice(values)?.f_repeat([SEGMENT as i64, 1])?.f_to_device(device)?)
        };
        Ok(SegmentInput { mean: rows(&mean)?, std: rows(&std)?, device, kind })
    }

    /// Crops to `(segments, 31, 513)`.
    pub(super) fn of(&self, batch: &[Crop]) -> Tensor {
        let features: Vec<f32> = batch.iter().flat_map(|c| c.features.iter().copied()).collect();
        let x = Tensor::from_slice(&features).view([-1, SEGMENT as i64, BINS as i64]).to_device(self.device);
        ((x - &self.mean) / (&self.std + 1e-4)).to_kind(self.kind)
    }

    /// The constants as they ship beside the weights.
    pub(super) fn constants(&self) -> Vec<(String, Tensor)> {
        vec![("front_end.mean".to_string(), self.mean.shallow_clone()), ("front_end.std".to_string(), self.std.shallow_clone())]
    }
}

/// The front end at 8 kHz, behind a low-pass, for training audio has 16 kHz; with the six augmentations of Kum et al. 2020.
pub(super) struct SegmentListener {
    front_end: FrontEnd,
    resampler: Resampler,
}

impl SegmentListener {
    pub(super) fn new() -> Self {
        SegmentListener { front_end: FrontEnd::new(), resampler: Resampler::new(SAMPLE_RATE as usize) }
    }
}

impl Listener for SegmentListener {
    fn samples(&self) -> usize {
        FRAMES * HOP * 2
    }

    fn frames(&self) -> usize {
        FRAMES
    }

    fn label_step(&self) -> f64 {
        1.0
    }

    fn listen(&self, samples: &[f32], draw: &mut Draw) -> Vec<f32> {
        let mut samples = samples.to_vec();
        six_augmentations(&mut samples, draw);
        self.front_end.spectrogram(&self.resampler.run(&samples), FRAMES)
    }
}
