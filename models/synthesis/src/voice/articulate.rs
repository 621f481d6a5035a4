//! From notes to control frames: syllables, pitch, loudness, the movement of the mouth.

use super::frame::{FRAME_RATE, Frame, Mouth};
use super::intonation;
use super::movement::Movement;
use super::phonemes::{VOWELS, shape};
use super::speech::recite::{Script, recite};
use super::style::VoiceStyle;
use super::syllables::{Invented, syllables};
use crate::random::Draw;
use qbh_models::Note;

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
