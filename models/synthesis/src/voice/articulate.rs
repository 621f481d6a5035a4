//! From notes to control frames: syllables, pitch, loudness, the movement of the mouth.

use super::intonation;
use super::phonemes::{Consonant, DIPHTHONGS, MURMUR, VOWELS, shape};
use super::speech::recite::{Script, recite};
use super::style::{Kind, VoiceStyle};
use super::tract::Shape;
use crate::random::{Draw, Wander};
use qbh_models::Note;

/// Control frames per second.
pub const FRAME_RATE: f32 = 200.0;

/// What the voice does during 5 ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Hz, 0 when the vocal folds rest.
    pub f0: f32,
    /// Amplitude of the glottal source.
    pub voice: f32,
    /// Amplitude of noise at the glottis, heard through the tract.
    pub breath: f32,
    /// Amplitude of noise at teeth and lips.
    pub hiss: f32,
    /// Centre and half width of that noise, Hz.
    pub hiss_band: (f32, f32),
    /// Glottal `Rd`.
    pub rd: f32,
    /// What filters the source.
    pub mouth: Mouth,
}

/// How the mouth is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mouth {
    /// By formants.
    Modelled(Shape),
    /// As the speaker held it: a place among the speaker's frames.
    Recorded(f32),
}

/// A note as it will be sung; times in frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syllable {
    /// Where its consonant begins.
    pub start: usize,
    /// Where its vowel begins.
    pub vowel: usize,
    /// Where it ends.
    pub end: usize,
    /// MIDI pitch as written.
    pub pitch: f32,
    /// Whether the voice goes on from the syllable before.
    pub joined: bool,
    /// Whether the vowel does, too.
    pub melisma: bool,
    /// What it begins with.
    pub consonant: Consonant,
    /// What it ends with.
    pub coda: Consonant,
    /// Where that ends.
    pub coda_end: usize,
}

/// What is sung: every syllable asks for its consonants.
pub(super) trait Lyrics {
    /// What the next syllable begins with.
    fn onset(&mut self, draw: &mut Draw) -> Consonant;

    /// What the syllable asked for last ends with.
    fn coda(&mut self, draw: &mut Draw) -> Consonant;
}

/// Syllables as they come.
struct Invented(Kind);

impl Lyrics for Invented {
    fn onset(&mut self, draw: &mut Draw) -> Consonant {
        match self.0 {
            Kind::Whistled => Consonant::None,
            Kind::Sung => Consonant::draw(draw),
            Kind::Hummed => draw.pick(&[
                Consonant::None,
                Consonant::Nasal,
                Consonant::Nasal,
                Consonant::Glottal,
                Consonant::Stop { centre: 1800.0, aspiration: 0.0 },
            ]),
        }
    }

    fn coda(&mut self, draw: &mut Draw) -> Consonant {
        Consonant::draw(draw)
    }
}

/// Sings notes into `count` frames.
pub fn articulate(notes: &[Note], count: usize, style: &VoiceStyle, draw: &mut Draw) -> Vec<Frame> {
    let syllables = match &style.speaker {
        Some(speaker) => syllables(notes, count, style, &mut Script::new(speaker, draw), draw),
        None => syllables(notes, count, style, &mut Invented(style.kind), draw),
    };
    let silent = Frame {
        f0: 0.0,
        voice: 0.0,
        breath: 0.0,
        hiss: 0.0,
        hiss_band: (4000.0, 2000.0),
        rd: style.rd,
        mouth: Mouth::Modelled(shape(VOWELS[13], style.scale, style.nasality, 0.0)),
    };
    let mut frames = vec![silent; count];
    intonation::write(&mut frames, &syllables, style, draw);
    let mut speech = Vec::new();
    let mut movement = Movement::new(draw);
    let mut loudness = 0.7;
    for (i, syllable) in syllables.iter().enumerate() {
        if !syllable.joined {
            loudness = draw.range(0.5, 1.0);
            let rest = syllable.start - if i > 0 { syllables[i - 1].coda_end } else { 0 };
            if rest > 50 && draw.chance(style.inhale) {
                inhale(&mut frames[..syllable.start], rest, draw);
            }
        }
        loudness = (loudness + style.dynamics * draw.range(-0.3, 0.3)).clamp(0.35, 1.0);
        match style.speaker {
            Some(_) => speech.push(loudness),
            None => movement.syllable(&mut frames, syllable, loudness, style, draw),
        }
    }
    recite(&mut frames, &syllables, &speech, style, draw);
    frames
}

fn syllables(notes: &[Note], count: usize, style: &VoiceStyle, lyrics: &mut dyn Lyrics, draw: &mut Draw) -> Vec<Syllable> {
    let frame = |seconds: f32| (seconds * FRAME_RATE).max(0.0) as usize;
    let mut line: Vec<Syllable> = Vec::with_capacity(notes.len());
    for (i, note) in notes.iter().enumerate() {
        let next = notes.get(i + 1).map_or(f32::INFINITY, |n| n.onset);
        let mut offset = note.offset().min(next);
        if next - offset < style.join {
            offset = next;
        }
        if draw.chance(style.gap) {
            offset -= draw.log_range(0.05, 0.35).min(0.5 * (offset - note.onset));
        }
        let (onset, end) = (frame(note.onset), frame(offset).min(count));
        if end < onset + 8 {
            continue;
        }
        let earliest = line.last().map_or(0, |s| s.coda_end);
        let joined = !line.is_empty() && onset < earliest + 4;
        let melisma = joined && draw.chance(style.melisma);
        let consonant = if melisma { Consonant::None } else { lyrics.onset(draw) };
        let length = (frame(consonant.duration(draw))).min((end - onset) / 2);
        // A consonant takes part of its time from the note before.
        let before = (length as f32 * draw.range(0.3, 0.9)) as usize;
        let start = if joined {
            let last = line.last_mut().expect("joined to one");
            last.end -= before.min((last.end - last.vowel) * 2 / 5);
            last.coda = Consonant::None;
            last.coda_end = last.end;
            last.end
        } else {
            onset.saturating_sub(before).max(earliest)
        };
        let apart = next - offset > 0.05;
        let coda = if apart && draw.chance(style.coda) { lyrics.coda(draw) } else { Consonant::None };
        let coda_end = if coda.unvoiced() { end + frame(coda.duration(draw).min(next - offset)) } else { end };
        let vowel = start + length;
        line.push(Syllable {
            start,
            vowel,
            end,
            pitch: note.pitch,
            joined,
            melisma,
            consonant,
            coda,
            coda_end: coda_end.min(count),
        });
    }
    line
}

/// The mouth moves from syllable to syllable.
struct Movement {
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
    fn new(draw: &mut Draw) -> Self {
        let mut sway = |sigma| Wander::new(sigma, 0.12 * FRAME_RATE, draw);
        let (sway, push) = ([sway(0.04), sway(0.03), sway(0.02)], sway(0.1));
        Movement { formants: VOWELS[13], vowel: (VOWELS[13], VOWELS[13]), sway, push }
    }

    fn syllable(&mut self, frames: &mut [Frame], s: &Syllable, loudness: f32, style: &VoiceStyle, draw: &mut Draw) {
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

/// Air drawn in just before the end of `frames`.
fn inhale(frames: &mut [Frame], rest: usize, draw: &mut Draw) {
    let length = ((draw.range(0.15, 0.45) * FRAME_RATE) as usize).min(rest * 2 / 3);
    let level = draw.log_range(0.01, 0.12);
    let pause = draw.index(12).min(rest / 6);
    let end = frames.len() - pause;
    for (n, frame) in frames[end - length..end].iter_mut().enumerate() {
        let place = (n as f32 + 0.5) / length as f32;
        frame.breath = level * (std::f32::consts::PI * place).sin();
    }
}
