//! The pitch of a sung line. Notes are targets that f0 runs after like a damped second-order system, with overshoot, as
//! Saitou, Unoki and Akagi found in singers (Speech Communication 46, 2005); to it come vibrato, drift, scoops, falls,
//! bends within the note, and what consonants do to f0.

use super::frame::{FRAME_RATE, Frame};
use super::phonemes::Consonant;
use super::style::VoiceStyle;
use super::syllables::Syllable;
use crate::random::{Draw, Wander};
use qbh_models::pitch::midi_to_hz;

/// What f0 aims at in one frame.
#[derive(Debug, Clone, Copy)]
struct Aim {
    /// MIDI pitch of the note.
    target: f32,
    /// Added after the damped system, semitones.
    offset: f32,
    /// Natural frequency of the system, radians per frame.
    stiffness: f32,
    /// 1 is critical; below, f0 overshoots.
    damping: f32,
}

/// Writes f0 wherever the folds vibrate.
pub fn write(frames: &mut [Frame], syllables: &[Syllable], style: &VoiceStyle, draw: &mut Draw) {
    let mut drift = Wander::new(style.drift, 0.35 * FRAME_RATE, draw);
    let aims = aims(frames.len(), syllables, style, draw);
    let (mut pitch, mut speed) = (f32::NAN, 0.0f32);
    let mut silent = 0;
    for (frame, aim) in frames.iter_mut().zip(&aims) {
        let wander = drift.step(draw);
        let Some(aim) = aim else {
            silent += 1;
            continue;
        };
        if silent > 0 || pitch.is_nan() {
            // After a consonant the pitch still remembers a little where it came from; after a pause it does not.
            let memory = if silent < 40 && pitch.is_finite() { draw.range(0.0, 0.35) } else { 0.0 };
            pitch = if memory > 0.0 { aim.target + memory * (pitch - aim.target) } else { aim.target };
            speed = 0.0;
            silent = 0;
        }
        speed += aim.stiffness * (aim.stiffness * (aim.target - pitch) - 2.0 * aim.damping * speed);
        pitch += speed;
        frame.f0 = midi_to_hz(pitch + aim.offset + wander);
    }
}

fn aims(count: usize, syllables: &[Syllable], style: &VoiceStyle, draw: &mut Draw) -> Vec<Option<Aim>> {
    let mut aims: Vec<Option<Aim>> = vec![None; count];
    for (i, s) in syllables.iter().enumerate() {
        let target = s.pitch + style.intonation * draw.normal();
        let stiffness = 1.0 / (draw.range(style.portamento.0, style.portamento.1) * FRAME_RATE);
        let damping = draw.range(0.55, 1.1);
        let from = if s.consonant.unvoiced() { s.vowel } else { s.start };
        if s.joined && !s.consonant.unvoiced() {
            // The pitch sets out a little before the note.
            let early = (draw.range(0.0, 1.5) / stiffness) as usize;
            for aim in aims[from.saturating_sub(early)..from].iter_mut().flatten() {
                aim.target = target;
            }
        }
        let rests = syllables.get(i + 1).is_none_or(|n| n.start > s.end + 10);
        let mut shape = Shape::draw(s, s.end - from, rests, style, draw);
        for aim in &mut aims[from..s.end] {
            *aim = Some(Aim { target, offset: shape.step(), stiffness, damping });
        }
    }
    aims
}

/// What happens to the pitch within one note.
struct Shape {
    time: f32,
    length: f32,
    /// Semitones below the note at its beginning, and frames until most of that is gone.
    scoop: (f32, f32),
    /// Semitones lost at the end, and in how many frames.
    fall: (f32, f32),
    /// What the consonant did.
    nudge: f32,
    /// Slope and curvature over the note, semitones.
    bend: (f32, f32),
    depth: f32,
    rate: f32,
    delay: f32,
    phase: f32,
}

impl Shape {
    fn draw(s: &Syllable, length: usize, rests: bool, style: &VoiceStyle, draw: &mut Draw) -> Self {
        let scoops = draw.chance(if s.joined { 0.3 * style.scoop } else { style.scoop });
        let falls = rests && draw.chance(style.fall);
        let swings = length as f32 > 0.25 * FRAME_RATE && draw.chance(style.vibrato);
        Shape {
            time: 0.0,
            length: length as f32,
            scoop: if scoops { (draw.log_range(0.3, 3.5), draw.range(0.02, 0.09) * FRAME_RATE) } else { (0.0, 1.0) },
            fall: if falls { (draw.range(0.5, 4.0), draw.range(0.06, 0.2) * FRAME_RATE) } else { (0.0, 1.0) },
            // Consonants that stop the air raise the pitch for a moment, voiced ones lower it (microprosody).
            nudge: match s.consonant {
                Consonant::Voiced { .. } => -draw.range(0.0, 0.9),
                c if c.unvoiced() => draw.range(-0.3, 0.7),
                _ => draw.range(-0.2, 0.2),
            },
            bend: (style.inflection * draw.normal(), style.inflection * draw.normal()),
            depth: if swings { style.vibrato_depth * draw.range(0.5, 1.3) } else { 0.0 },
            rate: style.vibrato_rate * draw.range(0.92, 1.08),
            delay: draw.range(0.0, 0.4),
            phase: draw.range(0.0, 1.0),
        }
    }

    fn step(&mut self) -> f32 {
        let seconds = self.time / FRAME_RATE;
        self.phase += self.rate * (1.0 + 0.04 * (5.0 * seconds).sin()) / FRAME_RATE;
        let grown = ((seconds - self.delay) / 0.25).clamp(0.0, 1.0);
        let place = 2.0 * self.time / self.length - 1.0;
        let offset = self.depth * grown * (std::f32::consts::TAU * self.phase).sin()
            - self.scoop.0 * (-self.time / self.scoop.1).exp()
            + self.nudge * (-self.time / 6.0).exp()
            - self.fall.0 * (1.0 - (self.length - self.time) / self.fall.1).max(0.0).powi(2)
            + 0.5 * self.bend.0 * place
            + self.bend.1 * (place * place - 0.33);
        self.time += 1.0;
        offset
    }
}
