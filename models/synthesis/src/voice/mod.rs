//! Singing by source and filter: notes become syllables, these [`articulate`]d control frames (pitch, loudness, mouth), and
//! frames become sound in [`render`] (harmonics of a glottal pulse through a moving vocal tract, and noise).

pub mod articulate;
pub mod frame;
pub mod glottis;
mod intonation;
mod movement;
pub mod phonemes;
pub mod render;
pub mod speech;
pub mod style;
mod syllables;
pub mod tract;

pub use frame::FRAME;
pub use style::{Kind, VoiceStyle};

use super::random::Draw;
use super::{LABEL_HOP, level};
use frame::Frame;
use qbh_models::Note;

/// A voice frame is labelled unvoiced when it is this much quieter than the voice's active level (-28 dB).
pub const AUDIBLE: f32 = 0.04;

/// A sung line.
#[derive(Debug, Clone)]
pub struct Sung {
    /// 16 kHz, dry, active level 0.1.
    pub samples: Vec<f32>,
    /// f0 in Hz per 10 ms, 0 where the voice does not sound.
    pub f0: Vec<f32>,
    frames: Vec<Frame>,
    timbre: render::Timbre,
}

impl Sung {
    /// f0 as in [`Sung::f0`], judged by another version of the sound: compression lifts what was too quiet to be heard.
    pub fn audible(&self, heard: &[f32]) -> Vec<f32> {
        let threshold = AUDIBLE * level::active_rms(heard);
        let frames = self.frames.iter().step_by(LABEL_HOP / FRAME);
        let f0 = level::frame_rms(heard).into_iter().zip(frames);
        f0.map(|(rms, frame)| if rms > threshold { frame.f0 } else { 0.0 }).collect()
    }

    /// The same performance by the same singer once more, `semitones` away and not quite alike: for double tracks and
    /// parallel harmonies. `wander` is the deviation of its pitch in semitones.
    pub fn again(&self, semitones: f32, wander: f32, draw: &mut Draw) -> Vec<f32> {
        let mut drift = super::random::Wander::new(wander, 80.0, draw);
        let mut frames = self.frames.clone();
        for frame in &mut frames {
            frame.f0 *= ((semitones + drift.step(draw)) / 12.0).exp2();
        }
        let mut samples = render::render(&frames, &self.timbre, self.samples.len(), draw);
        level::normalise(&mut samples, 0.1);
        samples
    }
}

/// Sings notes (seconds; sorted, one at a time) for a number of samples.
pub fn sing(notes: &[Note], style: &VoiceStyle, samples: usize, draw: &mut Draw) -> Sung {
    let frames = articulate::articulate(notes, samples.div_ceil(FRAME) + 1, style, draw);
    perform(frames, style, samples, draw)
}

/// Sings notes as [`sing`] does, but on a given pitch: `f0` in Hz per 10 ms, 0 where the voice rests. Consonants may still
/// silence it for a moment.
pub fn sing_on(notes: &[Note], f0: &[f32], style: &VoiceStyle, samples: usize, draw: &mut Draw) -> Sung {
    let mut frames = articulate::articulate(notes, samples.div_ceil(FRAME) + 1, style, draw);
    let at = |frame: usize| f0.get(frame).copied().unwrap_or(0.0);
    for (i, frame) in frames.iter_mut().enumerate() {
        let (a, b) = (at(i / 2), at(i.div_ceil(2)));
        let wanted = if a > 0.0 && b > 0.0 { (a * b).sqrt() } else { 0.0 };
        if frame.f0 > 0.0 && wanted > 0.0 {
            frame.f0 = wanted;
        } else {
            (frame.f0, frame.voice) = (0.0, 0.0);
        }
    }
    perform(frames, style, samples, draw)
}

fn perform(frames: Vec<Frame>, style: &VoiceStyle, samples: usize, draw: &mut Draw) -> Sung {
    let timbre = render::Timbre::new(style, draw);
    let mut audio = render::render(&frames, &timbre, samples, draw);
    level::normalise(&mut audio, 0.1);
    let mut sung = Sung { samples: audio, f0: Vec::new(), frames, timbre };
    sung.f0 = sung.audible(&sung.samples);
    sung
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SAMPLE_RATE;

    /// f0 by autocorrelation over 50 ms, near `expected` Hz.
    fn measured(audio: &[f32], centre: usize, expected: f32) -> f32 {
        const HALF: usize = SAMPLE_RATE / 40;
        let correlation = |lag: usize| -> f32 {
            let (a, b) = (&audio[centre - HALF - lag / 2..][..2 * HALF], &audio[centre - HALF - lag / 2 + lag..][..2 * HALF]);
            let product: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
            product / (a.iter().map(|x| x * x).sum::<f32>() * b.iter().map(|x| x * x).sum::<f32>()).sqrt()
        };
        let lag = SAMPLE_RATE as f32 / expected;
        let best = ((0.93 * lag) as usize..(1.07 * lag) as usize + 2)
            .max_by(|a, b| correlation(*a).total_cmp(&correlation(*b)))
            .unwrap();
        let [a, b, c] = [best - 1, best, best + 1].map(correlation);
        SAMPLE_RATE as f32 / (best as f32 + 0.5 * (a - c) / (a - 2.0 * b + c))
    }

    #[test]
    fn labels_are_the_pitch_of_the_sound() {
        let mut spoken = VoiceStyle::clean();
        spoken.speaker = Some(std::sync::Arc::new(speech::tests::speaker(1)));
        for style in [VoiceStyle::clean(), spoken] {
            check_labels(&style);
        }
    }

    fn check_labels(style: &VoiceStyle) {
        let notes: Vec<Note> = [45.0, 52.0, 57.0, 48.0, 55.0, 50.0]
            .iter()
            .enumerate()
            .map(|(i, &pitch)| Note { onset: 0.2 + 0.6 * i as f32, duration: 0.5, pitch })
            .collect();
        for seed in 0..4 {
            let sung = sing(&notes, style, 4 * SAMPLE_RATE, &mut Draw::new(seed));
            let mut cents: Vec<f32> = (10..sung.f0.len() - 10)
                .filter(|i| sung.f0[i - 4..i + 5].iter().all(|f| *f > 0.0))
                .map(|i| 1200.0 * (measured(&sung.samples, i * LABEL_HOP, sung.f0[i]) / sung.f0[i]).log2())
                .collect();
            assert!(cents.len() > 150, "{}", cents.len());
            let bias = cents.iter().sum::<f32>() / cents.len() as f32;
            assert!(bias.abs() < 8.0, "bias {bias} cents");
            cents.iter_mut().for_each(|c| *c = c.abs());
            cents.sort_unstable_by(f32::total_cmp);
            assert!(cents[cents.len() / 2] < 10.0, "median error {} cents", cents[cents.len() / 2]);
        }
    }

    #[test]
    fn consonants_and_breaths_are_unvoiced_and_pauses_silent() {
        let notes: Vec<Note> =
            (0..20).map(|i| Note { onset: 0.5 + 0.5 * i as f32, duration: 0.4, pitch: 55.0 + (i % 4) as f32 }).collect();
        let mut style = VoiceStyle::clean();
        (style.melisma, style.coda, style.inhale) = (0.0, 0.5, 0.0);
        let sung = sing(&notes, &style, 11 * SAMPLE_RATE, &mut Draw::new(2));
        let level = level::frame_rms(&sung.samples);
        let noisy = sung.f0.iter().zip(&level).filter(|(f, e)| **f == 0.0 && **e > 0.005).count();
        assert!(noisy > 20, "{noisy} frames of consonants");
        assert!(sung.f0.iter().zip(&level).all(|(f, e)| *f == 0.0 || *e > 0.9 * AUDIBLE * 0.1));
        assert!(level[..20].iter().all(|e| *e == 0.0), "silence before the first note");
    }

    #[test]
    fn whistles_are_high_and_doubles_are_apart() {
        let mut style = VoiceStyle::draw(Kind::Whistled, &mut Draw::new(1));
        style.join = 0.0;
        let notes = [Note { onset: 0.1, duration: 0.8, pitch: 90.0 }];
        let sung = sing(&notes, &style, SAMPLE_RATE, &mut Draw::new(1));
        assert!(sung.f0[30..60].iter().all(|f| (1200.0..1900.0).contains(f)), "{:?}", &sung.f0[30..60]);
        let double = sung.again(0.0, 0.1, &mut Draw::new(5));
        assert!(double.len() == sung.samples.len() && double != sung.samples);
    }
}
