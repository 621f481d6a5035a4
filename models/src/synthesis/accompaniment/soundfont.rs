//! Playing arrangements through a SoundFont, with random General MIDI programs.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use rustysynth::{Synthesizer, SynthesizerSettings};

use super::arrange::{Arrangement, Role};
use crate::ModelError;
use crate::synthesis::SAMPLE_RATE;
use crate::synthesis::random::Draw;

/// Leads: anything that can carry a tune.
const LEADS: [i32; 54] = [
    56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 84, 85, 86, 87,
    21, 22, 23, 40, 41, 42, 104, 105, 109, 110, 111, 24, 25, 26, 27, 28, 29, 30, 11, 12, 0, 4, 5,
];
const COMPS: [i32; 40] = [
    0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 21, 24, 24, 25, 25, 26, 27, 27, 28, 29, 30, 46, 48, 49, 50, 51, 88, 89, 90, 91,
    94, 95, 11, 12, 52, 54,
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

/// A message to the synthesizer at a sample of the render.
struct Event {
    at: usize,
    on: bool,
    channel: i32,
    key: i32,
    velocity: i32,
}

/// Renders at twice the rate and halves it, so that resampled instrument samples alias less.
const OVERSAMPLING: usize = 2;

/// Plays an arrangement.
pub fn play(arrangement: &Arrangement, font: &SoundFont, samples: usize, draw: &mut Draw) -> Vec<f32> {
    let rate = OVERSAMPLING * SAMPLE_RATE;
    let mut settings = SynthesizerSettings::new(rate as i32);
    settings.enable_reverb_and_chorus = draw.chance(0.3);
    let Ok(mut synthesizer) = Synthesizer::new(&font.0, &settings) else { return vec![0.0; samples] };
    let mut events = Vec::new();
    let mut add = |channel: i32, onset: f32, duration: f32, key: i32, velocity: f32| {
        let start = (onset.max(0.0) * rate as f32) as usize;
        let end = ((onset + duration).max(0.0) * rate as f32) as usize;
        if end > start && (0..128).contains(&key) {
            events.push(Event { at: start, on: true, channel, key, velocity: (velocity * 127.0).clamp(1.0, 127.0) as i32 });
            events.push(Event { at: end, on: false, channel, key, velocity: 0 });
        }
    };
    for (i, track) in arrangement.tracks.iter().enumerate().take(15) {
        // Channel 9 is for drums.
        let channel = if i < 9 { i as i32 } else { i as i32 + 1 };
        let program = draw.pick(match track.role {
            Role::Bass => &BASSES,
            Role::Comp => &COMPS[..],
            Role::Lead => &LEADS[..],
        });
        synthesizer.process_midi_message(channel, 0xC0, program, 0);
        let volume = if track.role == Role::Comp { draw.range(50.0, 110.0) } else { draw.range(70.0, 120.0) };
        synthesizer.process_midi_message(channel, 0xB0, 7, volume as i32);
        let vibrato = if track.role == Role::Lead && draw.chance(0.4) { draw.range(10.0, 90.0) } else { 0.0 };
        synthesizer.process_midi_message(channel, 0xB0, 1, vibrato as i32);
        for played in &track.notes {
            let key = played.note.pitch.round() as i32;
            add(channel, played.note.onset, played.note.duration, key, played.velocity * 0.9);
        }
    }
    synthesizer.process_midi_message(9, 0xC0, draw.pick(&KITS), 0);
    synthesizer.process_midi_message(9, 0xB0, 7, draw.range(60.0, 115.0) as i32);
    for hit in &arrangement.hits {
        add(9, hit.time, 0.1, hit.drum.midi_key(), hit.velocity);
    }
    events.sort_by_key(|e| (e.at, e.on));
    let total = samples * OVERSAMPLING;
    let (mut left, mut right) = (vec![0.0f32; total], vec![0.0f32; total]);
    let mut done = 0;
    for event in &events {
        let at = event.at.min(total);
        if at > done {
            synthesizer.render(&mut left[done..at], &mut right[done..at]);
            done = at;
        }
        if event.on {
            synthesizer.note_on(event.channel, event.key, event.velocity);
        } else {
            synthesizer.note_off(event.channel, event.key);
        }
    }
    synthesizer.render(&mut left[done..], &mut right[done..]);
    let pan = draw.range(0.35, 0.65);
    let mono: Vec<f32> = left.iter().zip(&right).map(|(l, r)| l * pan + r * (1.0 - pan)).collect();
    halve(&mono)
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
