//! Labelled network inputs. Recording `i` of step `n` has a seed of its own.

use super::Source;
use super::student::{Crop, Listener};
use crate::settings::Settings;
use qbh_models::ModelError;
use qbh_synthesis::SAMPLE_RATE;
use qbh_synthesis::level::{active_rms, frame_rms};
use qbh_synthesis::random::{Draw, stream};

/// A voice this far below its usual level (24 dB) is faint.
const FAINT: f32 = 0.063;

/// The crops of a step.
pub(super) fn batch(source: &Source, listener: &dyn Listener, settings: &Settings, step: u64) -> Result<Vec<Crop>, ModelError> {
    (0..settings.batch as u32).map(|i| make_crop(source, listener, &mut stream(settings.seed, step, i))).collect()
}

/// One crop: a recording through the front end, with its labels.
pub(super) fn make_crop(source: &Source, listener: &dyn Listener, draw: &mut Draw) -> Result<Crop, ModelError> {
    let mut example = source(draw.seed(), listener.samples() as f32 / SAMPLE_RATE as f32);
    example.mix.resize(listener.samples(), 0.0);
    let faint = FAINT * active_rms(&example.voice);
    let loudness = frame_rms(&example.voice);
    let nearest = |frame: usize| (frame as f64 * listener.label_step()).round() as usize;
    let label = |values: &[f32], frame: usize| values.get(nearest(frame)).copied().unwrap_or(0.0);
    let f0: Vec<f32> = (0..listener.frames()).map(|frame| label(&example.pitch.f0, frame)).collect();
    // Where somebody has said how far the labels are to be believed, nothing is too faint.
    let weight = |frame: usize| match example.weight.get(nearest(frame)) {
        Some(believed) => *believed,
        None if f0[frame] > 0.0 && label(&loudness, frame) < faint => 0.0,
        None => 1.0,
    };
    let weight = (0..listener.frames()).map(weight).collect();
    Ok(Crop { features: listener.listen(&example.mix, draw)?, f0, weight })
}
