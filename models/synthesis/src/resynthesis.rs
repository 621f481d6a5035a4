//! Analysis and synthesis: real music whose voice is replaced by one that sings a known pitch track, so that real
//! accompaniment has exact labels (Kum et al., ISMIR 2020, section 4.1; Salamon et al., ISMIR 2017).
//!
//! An extractor says where the voice is. Its harmonics are brought down to the level of what lies between them, and a
//! synthetic voice of the same loudness sings the same pitch in their place.

use std::ops::Range;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;

use super::effects::dynamics::{compress, limit_peak};
use super::effects::reverb::Reverb;
use super::random::Draw;
use super::studio::Studio;
use super::voice::{Kind, VoiceStyle, sing_on};
use super::{Example, LABEL_HOP, SAMPLE_RATE, level};
use qbh_models::pitch::{hz_to_midi, midi_to_hz};
use qbh_models::{Note, PitchTrack};

/// Window of the suppression, 128 ms, and its hop.
const WINDOW: usize = 2048;
const HOP: usize = WINDOW / 4;
/// Bins on either side of a harmonic that a steady tone reaches, and what movement adds, as a share of the frequency.
const WIDTH: f32 = 2.5;
const SPREAD: f32 = 0.015;
/// Where a voice may be, however unlikely, what was heard is suppressed; elsewhere it would be a voice without a label.
const SUSPECTED: f32 = 0.05;
/// Stretches of melody shorter than this (frames) are not sung.
const SHORTEST: usize = 10;
/// Frames on either side over which the sung pitch is smoothed: voices do not leap within 10 ms.
const SMOOTH: usize = 2;

/// What of a melody a voice can sing, f0 per 10 ms in Hz: stretches of at least 100 ms, their pitch smoothed over 50 ms.
pub fn singable(f0: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; f0.len()];
    for stretch in stretches(f0).filter(|s| s.len() >= SHORTEST) {
        for frame in stretch.clone() {
            let near = frame.saturating_sub(SMOOTH).max(stretch.start)..(frame + SMOOTH + 1).min(stretch.end);
            let mean = f0[near.clone()].iter().map(|&hz| hz_to_midi(hz)).sum::<f32>() / near.len() as f32;
            out[frame] = midi_to_hz(mean);
        }
    }
    out
}

/// Where f0 is positive.
fn stretches(f0: &[f32]) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0;
    std::iter::from_fn(move || {
        let start = end + f0[end..].iter().position(|f| *f > 0.0)?;
        end = f0[start..].iter().position(|f| *f <= 0.0).map_or(f0.len(), |n| start + n);
        Some(start..end)
    })
}

impl Studio {
    /// Replaces the voice of `mix` (16 kHz): `heard` is where an extractor hears it, `f0` (10 ms) what is sung instead, and
    /// `notes` the syllables to sing it in. The example's pitch track is that of the voice that sings now.
    pub fn replace_voice(&self, seed: u64, mix: &[f32], heard: &PitchTrack, f0: &[f32], notes: &[Note]) -> Example {
        let draw = &mut Draw::stream(seed, 5);
        let mut accompaniment = suppress(mix, &suspected(heard));
        let removed: Vec<f32> = mix.iter().zip(&accompaniment).map(|(m, a)| m - a).collect();
        let style = self.singer(f0, draw);
        let sung = sing_on(notes, f0, &style, mix.len(), draw);
        let mut voice = sung.samples.clone();
        compress(&mut voice, 0.3);
        let mut labels = sung.audible(&voice);
        labels.resize(mix.len().div_ceil(LABEL_HOP), 0.0);
        if draw.chance(0.6) {
            Reverb::draw(draw).run(&mut voice);
        }
        level::normalise(&mut voice, level::active_rms(&removed));
        let mut mixed: Vec<f32> = voice.iter().zip(&accompaniment).map(|(v, a)| v + a).collect();
        let gain = limit_peak(&mut mixed, 0.99);
        voice.iter_mut().chain(&mut accompaniment).for_each(|x| *x *= gain);
        Example { mix: mixed, voice, accompaniment, pitch: PitchTrack::from_f0(labels), weight: Vec::new() }
    }

    /// A singer whose register is near the median of the pitch: the best of twelve.
    fn singer(&self, f0: &[f32], draw: &mut Draw) -> VoiceStyle {
        let mut sung: Vec<f32> = f0.iter().copied().filter(|f| *f > 0.0).map(hz_to_midi).collect();
        sung.sort_unstable_by(f32::total_cmp);
        let median = sung.get(sung.len() / 2).copied().unwrap_or(60.0);
        let styles: Vec<VoiceStyle> = (0..12).map(|_| VoiceStyle::draw(Kind::Sung, draw)).collect();
        let distance = |style: &VoiceStyle| (style.register - median).abs();
        let nearest = styles.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let mut style = nearest.unwrap_or_else(|| VoiceStyle::draw(Kind::Sung, draw));
        style.borrow_voice(&self.config.speech, draw);
        style
    }
}

/// f0 wherever a voice may be.
fn suspected(heard: &PitchTrack) -> Vec<f32> {
    let frames = heard.f0.iter().zip(&heard.guess).zip(&heard.voicing);
    frames.map(|((&f0, &guess), &p)| if f0 > 0.0 || p >= SUSPECTED { f0.max(guess) } else { 0.0 }).collect()
}

/// Takes the harmonics of `f0` (Hz per 10 ms) out of `samples`, as far as they stand out from what lies between them.
fn suppress(samples: &[f32], f0: &[f32]) -> Vec<f32> {
    let mut planner = FftPlanner::new();
    let (forward, backward) = (planner.plan_fft_forward(WINDOW), planner.plan_fft_inverse(WINDOW));
    let window: Vec<f32> = (0..WINDOW).map(|n| 0.5 - 0.5 * (std::f32::consts::TAU * n as f32 / WINDOW as f32).cos()).collect();
    // Squared Hann windows at a quarter of their length add up to 1.5.
    let scale = 1.0 / (1.5 * WINDOW as f32);
    let mut out = vec![0.0; samples.len()];
    let mut buffer = vec![Complex32::default(); WINDOW];
    for frame in 0..samples.len() / HOP + 4 {
        // The frame's first sample lies this far before the signal's first.
        let start = (frame * HOP) as isize - (WINDOW - HOP) as isize;
        let inside = |n: usize| usize::try_from(start + n as isize).ok().filter(|i| *i < samples.len());
        for (n, value) in buffer.iter_mut().enumerate() {
            *value = Complex32::new(inside(n).map_or(0.0, |i| samples[i]) * window[n], 0.0);
        }
        let centre = (start + (WINDOW / 2) as isize).max(0) as usize;
        let pitch = f0.get((centre + LABEL_HOP / 2) / LABEL_HOP).copied().unwrap_or(0.0);
        if pitch > 0.0 {
            forward.process(&mut buffer);
            hush(&mut buffer, pitch * WINDOW as f32 / SAMPLE_RATE as f32);
            backward.process(&mut buffer);
        } else {
            buffer.iter_mut().for_each(|x| *x *= WINDOW as f32);
        }
        for (n, value) in buffer.iter().enumerate() {
            if let Some(i) = inside(n) {
                out[i] += value.re * window[n] * scale;
            }
        }
    }
    out
}

/// Hushes the harmonics of one spectrum; `f0` in bins.
fn hush(spectrum: &mut [Complex32], f0: f32) {
    let half = WINDOW / 2;
    let between = |spectrum: &[Complex32], bin: f32| {
        let bin = (bin.round() as usize).clamp(1, half - 1);
        spectrum[bin - 1..=bin + 1].iter().map(|x| x.norm()).sum::<f32>() / 3.0
    };
    for harmonic in 1.. {
        let centre = harmonic as f32 * f0;
        let width = (WIDTH + SPREAD * centre).min(0.45 * f0.max(2.0 * WIDTH));
        if centre + 0.5 * f0 >= half as f32 {
            break;
        }
        let floor = 0.5 * (between(spectrum, centre - 0.5 * f0) + between(spectrum, centre + 0.5 * f0));
        let (from, to) = ((centre - width).ceil().max(1.0) as usize, (centre + width).floor() as usize);
        for bin in from..=to.min(half - 1) {
            let now = spectrum[bin].norm();
            if now > floor {
                spectrum[bin] *= floor / now;
                spectrum[WINDOW - bin] = spectrum[bin].conj();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::StudioConfig;

    /// `count` harmonics of `hz`.
    fn tone(hz: f32, count: usize, seconds: usize) -> Vec<f32> {
        let at = |n: usize| (1..=count).map(|k| 0.1 * (std::f32::consts::TAU * hz * k as f32 * n as f32 / 16e3).sin()).sum();
        (0..seconds * SAMPLE_RATE).map(at).collect()
    }

    fn rms(x: &[f32]) -> f32 {
        let middle = &x[SAMPLE_RATE / 2..x.len() - SAMPLE_RATE / 2];
        (middle.iter().map(|x| x * x).sum::<f32>() / middle.len() as f32).sqrt()
    }

    #[test]
    fn suppression_takes_the_voice_and_leaves_the_rest() {
        let (voice, other) = (tone(220.0, 8, 2), tone(330.0 * 1.06, 1, 2));
        let mix: Vec<f32> = voice.iter().zip(&other).map(|(v, o)| v + o).collect();
        let left = suppress(&mix, &[220.0; 200]);
        let difference: Vec<f32> = left.iter().zip(&other).map(|(l, o)| l - o).collect();
        assert!(rms(&difference) < 0.15 * rms(&voice), "{} of {}", rms(&difference), rms(&voice));
        // Without a voice nothing changes.
        let same = suppress(&mix, &[0.0; 200]);
        assert!(same.iter().zip(&mix).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn short_stretches_are_not_sung_and_leaps_are_glides() {
        let mut f0 = vec![0.0; 100];
        f0[5..10].fill(200.0);
        f0[20..50].fill(200.0);
        f0[50..90].fill(300.0);
        let sung = singable(&f0);
        assert!(sung[..20].iter().chain(&sung[90..]).all(|f| *f == 0.0) && sung[20..90].iter().all(|f| *f > 0.0));
        assert!((sung[25] - 200.0).abs() < 0.01 && (210.0..290.0).contains(&sung[50]), "{}", sung[50]);
    }

    #[test]
    fn the_new_voice_sings_the_given_pitch_as_loud_as_the_old_one() {
        let mut f0 = vec![0.0; 400];
        f0[50..350].iter_mut().enumerate().for_each(|(i, f)| *f = 220.0 + 20.0 * (i as f32 * 0.05).sin());
        let mut mix = tone(220.0, 8, 4);
        mix[..8000].fill(0.0);
        mix[56_000..].fill(0.0);
        let notes = [(0.5, 1.0), (1.5, 1.0), (2.5, 1.0)].map(|(onset, duration)| Note { onset, duration, pitch: 57.0 });
        let heard = PitchTrack::from_f0(f0.clone());
        let studio = Studio::new(StudioConfig::default());
        let example = studio.replace_voice(3, &mix, &heard, &f0, &notes);
        let sung: Vec<usize> = (0..400).filter(|&i| example.pitch.f0[i] > 0.0).collect();
        assert!(sung.len() > 150, "{} frames", sung.len());
        assert!(sung.iter().all(|&i| (example.pitch.f0[i] / f0[i] - 1.0).abs() < 1e-3));
        let (now, before) = (level::active_rms(&example.voice), level::active_rms(&mix));
        assert!((0.5..1.3).contains(&(now / before)), "{now} for {before}");
    }
}
