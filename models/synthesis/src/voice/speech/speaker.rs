//! What the recordings of one speaker contain.

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::pitch;
use super::runs::{self, Run};
use super::spectrum::{Analyser, BANDS, BINS};
use crate::level;
use crate::voice::frame::FRAME_RATE;

/// Fewest syllables of a speaker: with less, a song would repeat itself.
const LEAST_RUNS: usize = 8;
/// The least that recordings contain is taken for silence: log power this far below the level of the syllable.
const FLOOR: f32 = -16.0;

/// What the recordings of one speaker contain: about 100 kB per second of speech.
#[derive(Debug, Clone, PartialEq)]
pub struct Speaker {
    /// Log power density per frame, [`BINS`] values each.
    envelopes: Vec<f16>,
    /// Log share of noise per frame, [`BANDS`] values each.
    aperiodicity: Vec<f16>,
    /// The syllables, in the order they were spoken; their times are frames in here.
    pub(super) runs: Vec<Run>,
    /// Scale of the formants: 1 an average man, larger for shorter vocal tracts. A guess by the pitch of the speech.
    pub(super) scale: f32,
}

impl Speaker {
    /// Analyses recordings of one speaker: mono, 16 kHz. `None` when they hold less than eight syllables.
    pub fn analyse<T: AsRef<[f32]>>(recordings: &[T]) -> Option<Speaker> {
        let mut speaker = Speaker { envelopes: Vec::new(), aperiodicity: Vec::new(), runs: Vec::new(), scale: 1.0 };
        let mut analyser = Analyser::new();
        let mut pitches = Vec::new();
        for recording in recordings {
            let mut samples = recording.as_ref().to_vec();
            level::normalise(&mut samples, 0.1);
            let f0 = pitch::track(&samples);
            pitches.extend(f0.iter().filter(|f| **f > 0.0));
            speaker.take(&samples, &f0, &mut analyser);
        }
        if speaker.runs.len() < LEAST_RUNS {
            return None;
        }
        pitches.sort_unstable_by(f32::total_cmp);
        // Men speak near 115 Hz, women near 210 Hz and with formants 17 % higher; children near 280 Hz and 30 % higher.
        let octaves = (pitches[pitches.len() / 2] / 115.0).log2();
        speaker.scale = (1.0 + 0.2 * octaves).clamp(1.0, 1.3);
        Some(speaker)
    }

    /// Seconds of speech held.
    pub fn seconds(&self) -> f32 {
        (self.aperiodicity.len() / BANDS) as f32 / FRAME_RATE
    }

    /// Adds the syllables of a recording.
    fn take(&mut self, samples: &[f32], f0: &[f32], analyser: &mut Analyser) {
        let energy = runs::energy(samples, f0.len());
        let mut analysed = 0;
        for run in runs::syllables(f0, &energy) {
            // The frames between two syllables may belong to both.
            let from = analysed.max(run.start - run.before);
            for (frame, &pitch) in f0.iter().enumerate().take(run.end + run.after).skip(from) {
                let (envelope, noise) = analyser.frame(samples, frame, pitch);
                let floor = run.level + FLOOR;
                self.envelopes.extend(envelope.iter().map(|x| f16::from_f32(x.max(floor))));
                self.aperiodicity.extend(noise.iter().map(|x| f16::from_f32(*x)));
            }
            analysed = run.end + run.after;
            let held = self.aperiodicity.len() / BANDS;
            let at = |frame: usize| held - (analysed - frame);
            self.runs.push(Run { start: at(run.start), peak: at(run.peak), end: at(run.end), ..run });
        }
    }

    /// Log power density at a place between frames.
    pub(super) fn envelope(&self, place: f32, out: &mut [f32; BINS]) {
        between(&self.envelopes, place, out);
    }

    /// Log share of noise at a place between frames.
    pub(super) fn noise(&self, place: f32) -> [f32; BANDS] {
        let mut out = [0.0; BANDS];
        between(&self.aperiodicity, place, &mut out);
        out
    }
}

/// Row `place` of a table of 16-bit rows, linearly interpolated.
fn between<const N: usize>(table: &[f16], place: f32, out: &mut [f32; N]) {
    let last = table.len() / N - 1;
    let row = (place as usize).min(last);
    let weight = place - row as f32;
    let mut next = [0.0; N];
    table[row * N..(row + 1) * N].convert_to_f32_slice(out);
    let row = (row + 1).min(last);
    table[row * N..(row + 1) * N].convert_to_f32_slice(&mut next);
    out.iter_mut().zip(&next).for_each(|(a, b)| *a += (b - *a) * weight);
}
