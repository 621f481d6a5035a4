//! The movement of the mouth, by formants.

use super::frame::{FRAME_RATE, Frame, Mouth};
use super::phonemes::{Consonant, DIPHTHONGS, MURMUR, VOWELS, shape};
use super::style::{Kind, VoiceStyle};
use super::syllables::Syllable;
use crate::random::{Draw, Wander};

/// The mouth moves from syllable to syllable.
pub(super) struct Movement {
    /// Where the formants are now (of an average man), Hz.
    formants: [f32; 3],
    /// Where the vowel being sung begins and ends.
    vowel: ([f32; 3], [f32; 3]),
    /// Nobody holds still: deviations of the formants, in proportion.
    sway: [Wander; 3],
    /// And of the loudness.
    push: Wander,
}

impl Movement {
    pub(super) fn new(draw: &mut Draw) -> Self {
        let mut sway = |sigma| Wander::new(sigma, 0.12 * FRAME_RATE, draw);
        let (sway, push) = ([sway(0.04), sway(0.03), sway(0.02)], sway(0.1));
        Movement { formants: VOWELS[13], vowel: (VOWELS[13], VOWELS[13]), sway, push }
    }

    /// Fills in the mouth and the loudness of a syllable whose f0 is written.
    pub(super) fn syllable(&mut self, frames: &mut [Frame], s: &Syllable, loudness: f32, style: &VoiceStyle, draw: &mut Draw) {
        if !s.melisma {
            self.vowel = next_vowel(style.kind, draw);
        }
        let pace = 1.0 - (-1.0 / (draw.range(0.008, 0.035) * FRAME_RATE)).exp();
        if !s.joined {
            self.formants = [0, 1, 2].map(|k| self.vowel.0[k] * draw.range(0.8, 1.2));
        }
        let nasal = matches!(s.consonant, Consonant::Nasal);
        match s.consonant {
            Consonant::Glide { from } => self.formants = from,
            Consonant::Nasal => self.formants = MURMUR,
            Consonant::Voiced { .. } => self.formants[0] = 220.0,
            _ => {}
        }
        self.consonant(frames, s, loudness, style, draw);
        let length = s.end - s.vowel;
        let attack = if s.joined && !s.consonant.unvoiced() { 4.0 } else { draw.log_range(3.0, 16.0) };
        let floor = match (s.joined, s.consonant) {
            (true, Consonant::None) => draw.range(0.55, 1.0),
            (_, c) if c.unvoiced() => 0.3,
            (false, _) => 0.1,
            _ => 0.5,
        };
        let release = draw.log_range(3.0, 30.0).min(0.5 * length as f32);
        let decay = draw.range(0.0, 0.8) / FRAME_RATE;
        let ends = s.coda_end == s.end;
        for (n, frame) in frames[s.vowel..s.end].iter_mut().enumerate() {
            let place = n as f32 / length as f32;
            let turn = ((place - 0.55) / 0.35).clamp(0.0, 1.0);
            for k in 0..3 {
                let target = self.vowel.0[k] + (self.vowel.1[k] - self.vowel.0[k]) * turn;
                let target = target * (1.0 + self.sway[k].step(draw));
                self.formants[k] += (target - self.formants[k]) * pace;
            }
            let rise = floor + (1.0 - floor) * ((n + 1) as f32 / attack).min(1.0);
            let left = (length - n) as f32;
            let close = if ends { (left / release).min(1.0) } else { (left / 4.0).min(1.0) };
            let amplitude = loudness * rise * close.powf(0.7) * (-decay * n as f32).exp() * (1.0 + self.push.step(draw)).max(0.3);
            let opening = if nasal { (-(n as f32) / 8.0).exp() } else { 0.0 };
            frame.voice = amplitude;
            frame.breath = style.breath * amplitude.sqrt();
            frame.rd = (style.rd + style.effort * (0.75 - amplitude)).clamp(0.3, 2.7);
            frame.mouth = Mouth::Modelled(shape(self.formants, style.scale, style.nasality.max(opening), frame.f0));
        }
        self.coda(frames, s, loudness, draw);
    }

    fn consonant(&mut self, frames: &mut [Frame], s: &Syllable, loudness: f32, style: &VoiceStyle, draw: &mut Draw) {
        let length = s.vowel - s.start;
        let murmur = loudness * draw.range(0.35, 0.8);
        for n in 0..length {
            let frame = &mut frames[s.start + n];
            let place = n as f32 / length as f32;
            let edge = (n.min(length - 1 - n) as f32 / 3.0).min(1.0);
            let nasality = if s.consonant == Consonant::Nasal { 1.0 } else { style.nasality };
            frame.mouth = Mouth::Modelled(shape(self.formants, style.scale, nasality, frame.f0));
            match s.consonant {
                Consonant::Fricative { centre, width, level } => {
                    frame.hiss = level * loudness * (0.3 + 0.7 * edge);
                    frame.hiss_band = (centre, width);
                }
                Consonant::Stop { centre, aspiration } => {
                    let burst = length.saturating_sub(if aspiration > 0.0 { 1 + length / 3 } else { 2 });
                    if n >= burst {
                        frame.hiss = 0.35 * loudness * (-((n - burst) as f32) / 2.0).exp();
                        frame.hiss_band = (centre, 0.5 * centre);
                        frame.breath = aspiration * loudness;
                    }
                }
                Consonant::Nasal => {
                    frame.voice = murmur * (0.4 + 0.6 * edge.max(place));
                }
                Consonant::Glide { .. } => {
                    frame.voice = murmur.max(0.5 * loudness) * (0.5 + 0.5 * place);
                }
                Consonant::Voiced { noise, centre } => {
                    frame.voice = 0.4 * murmur;
                    frame.rd = 2.2;
                    frame.hiss = noise * loudness;
                    frame.hiss_band = (centre, 1500.0);
                }
                Consonant::Glottal | Consonant::None | Consonant::Spoken { .. } => {}
            }
        }
    }

    fn coda(&mut self, frames: &mut [Frame], s: &Syllable, loudness: f32, draw: &mut Draw) {
        let length = s.coda_end - s.end;
        let silent = draw.range(0.3, 0.7) * length as f32;
        for n in 0..length {
            let frame = &mut frames[s.end + n];
            match s.coda {
                Consonant::Fricative { centre, width, level } => {
                    frame.hiss = level * loudness * (1.0 - n as f32 / length as f32).sqrt();
                    frame.hiss_band = (centre, width);
                }
                Consonant::Stop { centre, .. } if n as f32 > silent => {
                    frame.hiss = 0.25 * loudness * (-(n as f32 - silent) / 2.0).exp();
                    frame.hiss_band = (centre, 0.5 * centre);
                }
                _ => {}
            }
        }
    }
}

fn next_vowel(kind: Kind, draw: &mut Draw) -> ([f32; 3], [f32; 3]) {
    let vary = |f: [f32; 3], draw: &mut Draw| f.map(|x| x * draw.range(0.92, 1.08));
    if kind == Kind::Hummed && draw.chance(0.8) {
        let hum = vary(MURMUR, draw);
        return (hum, hum);
    }
    if draw.chance(0.3) {
        let (a, b) = draw.pick(&DIPHTHONGS);
        return (vary(VOWELS[a], draw), vary(VOWELS[b], draw));
    }
    let vowel = vary(draw.pick(&VOWELS), draw);
    (vowel, vowel)
}
