//! Labelled network inputs, made ahead of time by worker threads.
//!
//! Recording `i` of step `n` has a seed of its own, so that a training sees the same data whatever the number of threads, and
//! goes on with the same data after a resume.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;
use std::time::Instant;

use super::student::{Crop, Listener};
use super::{Settings, Source};
use crate::synthesis::SAMPLE_RATE;
use crate::synthesis::level::{active_rms, frame_rms};
use crate::synthesis::random::Draw;

/// A voice this far below its usual level (24 dB) is faint.
const FAINT: f32 = 0.063;

/// The crops of one step.
pub(super) struct Batch {
    /// The crops.
    pub(super) crops: Vec<Crop>,
    /// Seconds that one thread took to make them.
    pub(super) seconds: f64,
}

/// Hands out batches in order.
pub(super) struct Feeder {
    workers: Vec<Receiver<Batch>>,
    next: std::cell::Cell<usize>,
}

impl Feeder {
    /// Starts the worker threads: of `n` workers, each makes every `n`-th batch and keeps one in store.
    pub(super) fn start<'scope, 'env: 'scope>(
        scope: &'scope Scope<'scope, 'env>,
        settings: &'env Settings,
        source: &'env Source,
        listener: &'scope dyn Listener,
        first_step: u64,
    ) -> Self {
        let count = settings.threads.max(1);
        let workers = (0..count)
            .map(|worker| {
                let (sender, receiver) = sync_channel(1);
                scope.spawn(move || {
                    for step in (first_step + worker as u64..).step_by(count) {
                        let began = Instant::now();
                        let crops = (0..settings.batch)
                            .map(|i| make_crop(source, listener, &mut Draw::stream(settings.seed ^ (step << 20), i as u64)))
                            .collect();
                        // The training has ended when nobody listens any more.
                        if sender.send(Batch { crops, seconds: began.elapsed().as_secs_f64() }).is_err() {
                            break;
                        }
                    }
                });
                receiver
            })
            .collect();
        Feeder { workers, next: std::cell::Cell::new(0) }
    }

    /// The next step's batch; `None` when its worker has died.
    pub(super) fn next(&self) -> Option<Batch> {
        let worker = self.next.get();
        self.next.set((worker + 1) % self.workers.len());
        self.workers[worker].recv().ok()
    }
}

/// One crop: a recording through the front end, with its labels.
pub(super) fn make_crop(source: &Source, listener: &dyn Listener, draw: &mut Draw) -> Crop {
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
    Crop { features: listener.listen(&example.mix, draw), f0, weight }
}
