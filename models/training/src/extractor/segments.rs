//! What the networks over segments share in training: crops, the front end and its constants.

use tch::{Device, Kind, Tensor};

use super::calibrate::{Constants, calibrate};
use super::student::{Crop, Listener};
use super::{Settings, Source};
use qbh_models::ModelError;
use qbh_models::extractor::segments::{BINS, FrontEnd, HOP, SAMPLE_RATE, SEGMENT};
use qbh_models::resample::resample;
use qbh_synthesis::effects::six_augmentations;
use qbh_synthesis::random::Draw;

/// Segments per crop; they share the level of the crop, as the segments of a song share that of the song.
const SEGMENTS: usize = 8;

/// Frames (10 ms) per crop: 2.48 s.
const FRAMES: usize = SEGMENTS * SEGMENT;

/// Crops from which the front end's constants are taken.
const CALIBRATION: u32 = 32;

/// The normalised input of the network.
pub(super) struct SegmentInput {
    constants: Constants,
    device: Device,
    kind: Kind,
}

impl SegmentInput {
    /// The front end is fitted to the source.
    pub(super) fn calibrate(settings: &Settings, source: &Source) -> Result<Self, ModelError> {
        // All frames of a segment are alike; the published file has a row for each.
        let constants = calibrate(settings, source, &SegmentListener::new(), BINS, CALIBRATION)?.repeat(SEGMENT as i64);
        Ok(SegmentInput { constants, device: settings.device, kind: settings.kind() })
    }

    /// Crops to `(segments, 31, 513)`.
    pub(super) fn of(&self, batch: &[Crop]) -> Tensor {
        let features: Vec<f32> = batch.iter().flat_map(|c| c.features.iter().copied()).collect();
        let x = Tensor::from_slice(&features).view([-1, SEGMENT as i64, BINS as i64]).to_device(self.device);
        self.constants.normalise(&x).to_kind(self.kind)
    }

    /// The constants as they ship beside the weights.
    pub(super) fn constants(&self) -> Vec<(String, Tensor)> {
        self.constants.tensors()
    }
}

/// The front end at 8 kHz, behind a low-pass, for training audio has 16 kHz; with the six augmentations of Kum et al. 2020.
pub(super) struct SegmentListener {
    front_end: FrontEnd,
}

impl SegmentListener {
    pub(super) fn new() -> Self {
        SegmentListener { front_end: FrontEnd::new() }
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

    fn listen(&self, samples: &[f32], draw: &mut Draw) -> Result<Vec<f32>, ModelError> {
        let mut samples = samples.to_vec();
        six_augmentations(&mut samples, draw);
        let samples = resample(&samples, qbh_synthesis::SAMPLE_RATE as u32, SAMPLE_RATE)?;
        Ok(self.front_end.spectrogram(&samples, FRAMES))
    }
}
