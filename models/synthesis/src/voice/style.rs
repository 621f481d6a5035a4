//! Who sings, and how: everything that stays the same during a song, drawn once.

use std::sync::Arc;

use super::speech::{Speaker, SpeechBank};
use crate::random::Draw;

/// How the sound is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// With vowels and consonants.
    Sung,
    /// With the mouth closed, or on one syllable.
    Hummed,
    /// Through the lips.
    Whistled,
}

/// A singer and a way of singing. Pitches in semitones, times in seconds, rates in Hz.
#[derive(Debug, Clone, PartialEq)]
pub struct VoiceStyle {
    /// How the sound is made.
    pub kind: Kind,
    /// Whose recorded speech it is made of; formants when nobody's.
    pub speaker: Option<Arc<Speaker>>,
    /// Median MIDI pitch the melody is transposed to (by octaves, or freely).
    pub register: f32,
    /// Scale of the formants: 1 an average man, 1.17 a woman, 1.3 a child.
    pub scale: f32,
    /// Strength of the singer's formant, 0..=1.
    pub ring: f32,
    /// Mean `Rd` of the glottal source.
    pub rd: f32,
    /// How much louder notes are sung brighter (change of `Rd`).
    pub effort: f32,
    /// Amplitude of breath noise in the voice.
    pub breath: f32,
    /// Nasality of vowels, 0..=1.
    pub nasality: f32,
    /// Notes nearer than this are joined.
    pub join: f32,
    /// Probability that a joined note goes on with the vowel of the one before.
    pub melisma: f32,
    /// Probability that a note ends early, leaving a short gap.
    pub gap: f32,
    /// Probability of a consonant at a note's end.
    pub coda: f32,
    /// Deviation of the notes' intonation.
    pub intonation: f32,
    /// Deviation of the pitch's slope and curvature within a note.
    pub inflection: f32,
    /// Range of time constants of glides between notes.
    pub portamento: (f32, f32),
    /// Probability that a note begins with a scoop from below.
    pub scoop: f32,
    /// Probability that a note before a rest falls at its end.
    pub fall: f32,
    /// Probability of vibrato on a long note.
    pub vibrato: f32,
    /// Mean rate of the vibrato.
    pub vibrato_rate: f32,
    /// Mean amplitude of the vibrato.
    pub vibrato_depth: f32,
    /// Deviation of the slow wandering of pitch.
    pub drift: f32,
    /// Deviation of the f0 of single periods.
    pub jitter: f32,
    /// Deviation of the amplitude of single periods.
    pub shimmer: f32,
    /// Depth of subharmonic roughness (growl), 0 for most.
    pub growl: f32,
    /// Probability of a heard breath before a phrase.
    pub inhale: f32,
    /// Range of dynamics within a phrase, 0..=1.
    pub dynamics: f32,
}

impl VoiceStyle {
    /// A style among everything that people record.
    pub fn draw(kind: Kind, draw: &mut Draw) -> Self {
        let (register, scale) = match draw.weighted(&[0.46, 0.44, 0.1]) {
            0 => (draw.range(47.0, 62.0), draw.range(0.88, 1.08)),
            1 => (draw.range(57.0, 71.0), draw.range(1.05, 1.25)),
            _ => (draw.range(62.0, 75.0), draw.range(1.15, 1.4)),
        };
        let breathy = draw.chance(0.25);
        let trained = draw.chance(0.25);
        let hummed = kind == Kind::Hummed;
        let mut style = VoiceStyle {
            kind,
            speaker: None,
            register: if kind == Kind::Whistled { draw.range(76.0, 92.0) } else { register },
            scale,
            ring: if trained { draw.range(0.3, 1.0) } else { 0.0 },
            rd: if breathy { draw.range(1.6, 2.6) } else { draw.range(0.45, 1.7) },
            effort: draw.range(0.0, 1.2),
            breath: if breathy { draw.log_range(0.015, 0.1) } else { draw.log_range(0.002, 0.03) },
            nasality: if hummed { draw.range(0.75, 1.0) } else { draw.range(-0.6, 0.4).max(0.0) },
            join: draw.pick(&[0.03, 0.1, 0.2]),
            melisma: if hummed { draw.range(0.1, 0.9) } else { draw.range(0.02, 0.35) },
            gap: draw.range(-0.1, 0.35).max(0.0),
            coda: if hummed { 0.0 } else { draw.range(0.0, 0.5) },
            intonation: draw.pick(&[0.03, 0.1, 0.25]),
            inflection: draw.log_range(0.03, 0.8),
            portamento: (0.008, draw.range(0.02, 0.07)),
            scoop: draw.range(0.0, 0.6),
            fall: draw.range(0.0, 0.35),
            vibrato: draw.pick(&[0.0, 0.25, 0.6, 0.9]),
            vibrato_rate: draw.range(4.6, 6.8),
            vibrato_depth: if trained { draw.range(0.3, 1.0) } else { draw.range(0.1, 0.6) },
            drift: draw.range(0.03, 0.2),
            jitter: draw.log_range(0.02, 0.12),
            shimmer: draw.log_range(0.02, 0.12),
            growl: if draw.chance(0.06) { draw.range(0.1, 0.5) } else { 0.0 },
            inhale: draw.range(0.0, 0.7),
            dynamics: draw.range(0.1, 0.7),
        };
        if kind == Kind::Sung && draw.chance(0.06) {
            style.half_speak(draw);
        }
        style
    }

    /// Gives most singers the voice of a speaker; hums and whistles, and all when there is no speaker, stay as they are.
    pub fn borrow_voice(&mut self, bank: &SpeechBank, draw: &mut Draw) {
        if self.kind == Kind::Sung
            && let Some(speaker) = bank.choose(draw)
        {
            self.speaker = Some(speaker);
        }
    }

    /// Some singers hardly hold a note: the melody is a hint, and every syllable bends.
    fn half_speak(&mut self, draw: &mut Draw) {
        self.intonation = draw.range(0.5, 2.0);
        self.inflection = draw.range(0.8, 2.5);
        self.vibrato = 0.0;
        self.melisma = 0.03;
        self.drift = draw.range(0.2, 0.8);
    }

    /// A voice without anything that hides its pitch, for checks: no consonants, no noise, no gaps.
    pub fn clean() -> Self {
        let mut style = VoiceStyle::draw(Kind::Sung, &mut Draw::new(0));
        style.breath = 0.0;
        style.gap = 0.0;
        style.coda = 0.0;
        style.melisma = 1.0;
        style.jitter = 0.0;
        style.growl = 0.0;
        style
    }
}
