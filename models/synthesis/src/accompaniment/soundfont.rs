//! Playing arrangements through a SoundFont, with random General MIDI programs.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use rustysynth::{Synthesizer, SynthesizerSettings};

use super::arrange::{Arrangement, Role};
use crate::SAMPLE_RATE;
use crate::random::Draw;
use qbh_models::{ModelError, Note};

/// Leads: anything that can carry a tune.
const LEADS: [i32; 54] = [
    56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 84, 85, 86, 87,
    21, 22, 23, 40, 41, 42, 104, 105, 109, 110, 111, 24, 25, 26, 27, 28, 29, 30, 11, 12, 0, 4, 5,
];
const COMPS: [i32; 45] = [
    0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 21, 24, 24, 25, 25, 26, 27, 27, 28, 29, 30, 46, 48, 49, 50, 51, 88, 89, 90, 91,
    94, 95, 11, 12, 52, 54, 29, 30, 29, 30, 62,
];
const BASSES: [i32; 11] = [32, 33, 33, 33, 34, 35, 36, 38, 39, 43, 58];
const KITS: [i32; 8] = [0, 0, 8, 16, 24, 25, 32, 40];

/// A SoundFont, shared between threads.
#[derive(Clone)]
pub struct SoundFont(Arc<rustysynth::SoundFont>);

impl std::fmt::Debug for SoundFont {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SoundFont").field(&self.0.get_info().get_bank_name()).finish()
    }
}

impl SoundFont {
    /// Reads a `.sf2` file.
    ///
    /// # Errors
    /// When the file cannot be read or is no SoundFont.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let error = |e: &dyn std::fmt::Display| ModelError::Training(format!("cannot read SoundFont {}: {e}", path.display()));
        let mut file = BufReader::new(File::open(path).map_err(|e| error(&e))?);
        Ok(SoundFont(Arc::new(rustysynth::SoundFont::new(&mut file).map_err(|e| error(&e))?)))
    }
}

/// A MIDI message at a sample of the render. Of those at the same time, notes begin last.
struct Event {
    at: usize,
    command: i32,
    channel: i32,
    data: (i32, i32),
}

const NOTE_OFF: i32 = 0x80;
const NOTE_ON: i32 = 0x90;
const CONTROL: i32 = 0xB0;
const PROGRAM: i32 = 0xC0;
const PITCH_WHEEL: i32 = 0xE0;

/// Renders at twice the rate and halves it, so that resampled instrument samples alias less.
const OVERSAMPLING: usize = 2;

/// Plays an arrangement.
pub fn play(arrangement: &Arrangement, font: &SoundFont, samples: usize, draw: &mut Draw) -> Vec<f32> {
    let mut settings = SynthesizerSettings::new((OVERSAMPLING * SAMPLE_RATE) as i32);
    settings.enable_reverb_and_chorus = draw.chance(0.3);
    let Ok(mut synthesizer) = Synthesizer::new(&font.0, &settings) else { return vec![0.0; samples] };
    let events = events(arrangement, draw);
    let total = samples * OVERSAMPLING;
    let (mut left, mut right) = (vec![0.0f32; total], vec![0.0f32; total]);
    let mut done = 0;
    for event in &events {
        let at = event.at.min(total);
        if at > done {
            synthesizer.render(&mut left[done..at], &mut right[done..at]);
            done = at;
        }
        synthesizer.process_midi_message(event.channel, event.command, event.data.0, event.data.1);
    }
    synthesizer.render(&mut left[done..], &mut right[done..]);
    let pan = draw.range(0.35, 0.65);
    let mono: Vec<f32> = left.iter().zip(&right).map(|(l, r)| l * pan + r * (1.0 - pan)).collect();
    halve(&mono)
}

/// All messages in their order, with programs, volumes and expression drawn per track.
fn events(arrangement: &Arrangement, draw: &mut Draw) -> Vec<Event> {
    let mut events = Vec::new();
    for (i, track) in arrangement.tracks.iter().enumerate().take(15) {
        // Channel 9 is for drums.
        let channel = if i < 9 { i as i32 } else { i as i32 + 1 };
        let programs = match track.role {
            Role::Bass => &BASSES[..],
            Role::Comp => &COMPS,
            Role::Lead => &LEADS,
        };
        let volume = if track.role == Role::Comp { draw.range(50.0, 110.0) } else { draw.range(70.0, 120.0) };
        let expressive = track.role == Role::Lead && draw.chance(0.5);
        set_up(&mut events, channel, draw.pick(programs), volume as i32);
        if expressive {
            events.push(Event { at: 0, command: CONTROL, channel, data: (1, draw.integer(0, 90)) });
        }
        let slides = if expressive { draw.range(0.0, 0.5) } else { 0.0 };
        for played in &track.notes {
            note(&mut events, channel, &played.note, played.note.pitch.round() as i32, played.velocity * 0.9);
            if expressive {
                let depth = if draw.chance(slides) { draw.range(-2.0, 0.7) } else { 0.0 };
                slide(&mut events, channel, played.note.onset, depth, draw.range(0.04, 0.2));
            }
        }
    }
    set_up(&mut events, 9, draw.pick(&KITS), draw.integer(60, 115));
    for hit in &arrangement.hits {
        let stroke = Note { onset: hit.time, duration: 0.1, pitch: 0.0 };
        note(&mut events, 9, &stroke, hit.drum.midi_key(), hit.velocity);
    }
    // Stable: what a track sets up at time 0 stays before its first note.
    events.sort_by_key(|e| (e.at, e.command == NOTE_ON));
    events
}

fn sample(seconds: f32) -> usize {
    (seconds.max(0.0) * (OVERSAMPLING * SAMPLE_RATE) as f32) as usize
}

fn set_up(events: &mut Vec<Event>, channel: i32, program: i32, volume: i32) {
    events.push(Event { at: 0, command: PROGRAM, channel, data: (program, 0) });
    events.push(Event { at: 0, command: CONTROL, channel, data: (7, volume) });
}

fn note(events: &mut Vec<Event>, channel: i32, note: &Note, key: i32, velocity: f32) {
    let (start, end) = (sample(note.onset), sample(note.offset()));
    if end > start && (0..128).contains(&key) {
        let loudness = (velocity * 127.0).clamp(1.0, 127.0) as i32;
        events.push(Event { at: start, command: NOTE_ON, channel, data: (key, loudness) });
        events.push(Event { at: end, command: NOTE_OFF, channel, data: (key, 0) });
    }
}

/// Bends the pitch from `depth` semitones (at most two) to that of the key within `seconds`.
fn slide(events: &mut Vec<Event>, channel: i32, onset: f32, depth: f32, seconds: f32) {
    const STEPS: i32 = 8;
    for step in 0..=STEPS {
        let place = step as f32 / STEPS as f32;
        let wheel = (8192.0 + 4096.0 * depth * (1.0 - place) * (1.0 - place)).clamp(0.0, 16383.0) as i32;
        let at = sample(onset + seconds * place);
        events.push(Event { at, command: PITCH_WHEEL, channel, data: (wheel & 0x7f, wheel >> 7) });
        if depth == 0.0 {
            break;
        }
    }
}

/// Halves the sampling rate after a half-band low-pass (23 taps, Hamming window).
fn halve(samples: &[f32]) -> Vec<f32> {
    const HALF: i32 = 11;
    let taps: Vec<f32> = (-HALF..=HALF)
        .map(|n| {
            let x = 0.5 * std::f32::consts::PI * n as f32;
            let sinc = if n == 0 { 1.0 } else { x.sin() / x };
            0.5 * sinc * (0.54 + 0.46 * (std::f32::consts::PI * n as f32 / (HALF + 1) as f32).cos())
        })
        .collect();
    let at = |i: i64| samples.get(i.max(0) as usize).copied().unwrap_or(0.0);
    (0..samples.len() / 2)
        .map(|n| taps.iter().enumerate().map(|(k, t)| t * at(2 * n as i64 + k as i64 - i64::from(HALF))).sum())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accompaniment::arrange::{Played, Track};

    #[test]
    fn programs_come_first_and_every_note_ends() {
        let note = |onset| Played { note: Note { onset, duration: 0.4, pitch: 60.0 }, velocity: 0.7 };
        let track = Track { role: Role::Lead, notes: (0..9).map(|i| note(0.5 * i as f32)).collect() };
        let arrangement = Arrangement { tracks: vec![track], hits: Vec::new() };
        for seed in 0..10 {
            let events = events(&arrangement, &mut Draw::new(seed));
            assert!(events.windows(2).all(|w| w[0].at <= w[1].at));
            let first = |command| events.iter().position(|e| e.command == command).unwrap();
            assert!(first(PROGRAM) < first(NOTE_ON));
            let count = |command| events.iter().filter(|e| e.command == command).count();
            assert!(count(NOTE_ON) == 9 && count(NOTE_OFF) == 9);
            let wheels = events.iter().filter(|e| e.command == PITCH_WHEEL);
            assert!(wheels.into_iter().all(|e| (0..128).contains(&e.data.0) && (0..128).contains(&e.data.1)));
        }
    }

    #[test]
    fn halving_keeps_low_and_removes_high_tones() {
        let level = |f: f32| {
            let tone: Vec<f32> = (0..3200).map(|n| (std::f32::consts::TAU * f * n as f32 / 32_000.0).sin()).collect();
            let half = halve(&tone);
            assert_eq!(half.len(), 1600);
            (half[100..1500].iter().map(|x| x * x).sum::<f32>() / 700.0).sqrt()
        };
        assert!((level(1000.0) - 1.0).abs() < 0.02 && level(12_000.0) < 0.01);
    }
}
