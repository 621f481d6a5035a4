//! How a recorded vocal tract answers in one frame, made another singer's: warped, tilted, with a singer's formant.

use std::f32::consts::LOG2_E;
use std::sync::Arc;

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::speaker::Speaker;
use super::spectrum::{BANDS, BINS, EDGES, SPACING};
use crate::SAMPLE_RATE;
use crate::random::Draw;
use crate::voice::style::VoiceStyle;

/// Length of the transform between spectrum and cepstrum.
const SIZE: usize = 2 * (BINS - 1);
/// Log power of 1 dB per octave, per octave.
const DB: f32 = 0.230_258_5;
/// Share of noise that no voice goes below.
const LEAST_NOISE: f32 = 1e-4;

/// A speaker's vocal tract as one singer has it.
#[derive(Clone)]
pub struct Colour {
    speaker: Arc<Speaker>,
    /// How much shorter the singer's vocal tract is than the speaker's.
    warp: f32,
    /// Log power added to every bin.
    added: Vec<f32>,
    /// Power that the measured share of noise is raised to: glides of speech pass for noise, and sung notes have none.
    purity: f32,
    /// Breath added to the share of noise, at 8 kHz.
    breath: f32,
    fft: Arc<dyn Fft<f32>>,
}

impl Colour {
    /// The speaker's tract scaled to the style's; tilt, singer's formant and breath as the style has them, and a little of
    /// the singer's own.
    pub fn new(speaker: &Arc<Speaker>, style: &VoiceStyle, draw: &mut Draw) -> Self {
        let warp = (style.scale / speaker.scale).clamp(0.85, 1.4);
        let tilt = 2.5 * (1.1 - style.rd) + draw.range(-2.5, 2.5);
        let (ring, centre) = (12.0 * style.ring, draw.range(2700.0, 3200.0) * style.scale.min(1.15));
        let added = (0..BINS).map(|k| {
            let f = k as f32 * SPACING;
            let off = (f - centre) / 500.0;
            DB * (tilt * octaves(f) + ring * (-off * off).exp())
        });
        Colour {
            speaker: Arc::clone(speaker),
            warp,
            added: added.collect(),
            purity: draw.range(1.3, 2.5),
            breath: 4.0 * style.breath,
            fft: FftPlanner::new().plan_fft_forward(SIZE),
        }
    }

    /// Log power density at a place among the speaker's frames; `tilt` in dB per octave.
    fn envelope(&self, place: f32, tilt: f32) -> [f32; BINS] {
        let mut recorded = [0.0; BINS];
        self.speaker.envelope(place, &mut recorded);
        let step = 1.0 / self.warp;
        std::array::from_fn(|k| {
            let place = (k as f32 * step).min(BINS as f32 - 1.001);
            let i = place as usize;
            let power = recorded[i] + (recorded[i + 1] - recorded[i]) * (place - i as f32);
            power + self.added[k] + if tilt == 0.0 { 0.0 } else { DB * tilt * octaves(k as f32 * SPACING) }
        })
    }

    /// Share of noise at `f` Hz, given that of the bands.
    fn noise_share(&self, bands: &[f32; BANDS], f: f32) -> f32 {
        let source = f / self.warp;
        let centre = |band: usize| 0.5 * (EDGES[band] + EDGES[band + 1]);
        let upper = (1..BANDS - 1).find(|b| source < centre(*b)).unwrap_or(BANDS - 1);
        let place = ((source - centre(upper - 1)) / (centre(upper) - centre(upper - 1))).clamp(0.0, 1.0);
        let share = (self.purity * (bands[upper - 1] + (bands[upper] - bands[upper - 1]) * place)).exp();
        (share + self.breath * f / 8000.0).clamp(LEAST_NOISE, 1.0)
    }

    /// Writes the complex amplitudes of the harmonics of `f0`, phases those of the minimum-phase filter of the envelope.
    pub fn harmonics(&self, place: f32, tilt: f32, f0: f32, out: &mut [Complex32]) {
        let envelope = self.envelope(place, tilt);
        let mut filter = [Complex32::default(); SIZE];
        for (k, bin) in filter.iter_mut().enumerate() {
            *bin = Complex32::new(0.5 * envelope[k.min(SIZE - k)] / SIZE as f32, 0.0);
        }
        // The causal part of the cepstrum, doubled, has the same magnitudes and the least phase.
        self.fft.process(&mut filter);
        filter[1..SIZE / 2].iter_mut().for_each(|c| *c *= 2.0);
        filter[SIZE / 2 + 1..].fill(Complex32::default());
        self.fft.process(&mut filter);
        let bands = self.speaker.noise(place);
        // A harmonic has the power of the band around it, which is as wide as f0.
        let power = 2.0 * f0 / (0.5 * SAMPLE_RATE as f32);
        for (k, out) in out.iter_mut().enumerate() {
            let f = (k + 1) as f32 * f0;
            let place = (f / SPACING).min(BINS as f32 - 1.001);
            let i = place as usize;
            let log = filter[i] + (filter[i + 1] - filter[i]) * (place - i as f32);
            let voiced = (power * (1.0 - self.noise_share(&bands, f))).sqrt();
            *out = Complex32::from_polar(log.re.exp() * voiced, log.im);
        }
    }

    /// Magnitude of the noise at the bins of a transform of `2 * out.len()` samples; `voiced` where the folds vibrate.
    pub fn noise(&self, place: f32, voiced: bool, out: &mut [f32]) {
        let envelope = self.envelope(place, 0.0);
        let bands = self.speaker.noise(place);
        let spacing = 0.5 * SAMPLE_RATE as f32 / out.len() as f32;
        for (k, out) in out.iter_mut().enumerate() {
            let f = k as f32 * spacing;
            let share = if voiced { self.noise_share(&bands, f) } else { 1.0 };
            *out = (0.5 * envelope[(f / SPACING) as usize]).exp() * share.sqrt();
        }
    }
}

/// Octaves above 500 Hz; what is below 80 Hz counts as 80 Hz.
fn octaves(f: f32) -> f32 {
    (f.max(80.0) / 500.0).ln() * LOG2_E
}
