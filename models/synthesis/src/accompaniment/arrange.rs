//! Parts for instruments: bass, chords in several figures, leads that answer the voice or take over, drums.

use super::drums::{Drum, Hit};
use super::harmony::{Chord, Grid, Key};
use crate::random::Draw;
use qbh_models::Note;

/// What a track is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Roots, low.
    Bass,
    /// Chords.
    Comp,
    /// A melody of its own.
    Lead,
}

/// A note of an instrument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Played {
    /// When, how long, which pitch.
    pub note: Note,
    /// Loudness 0..=1.
    pub velocity: f32,
}

/// The notes of one instrument.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// What it is there for.
    pub role: Role,
    /// Its notes; several may sound at once.
    pub notes: Vec<Played>,
}

/// All parts of a piece.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arrangement {
    /// The pitched instruments.
    pub tracks: Vec<Track>,
    /// The drums; none when empty.
    pub hits: Vec<Hit>,
}

/// What the arranger knows about the piece.
pub struct Score<'a> {
    /// The voice's notes, where it sings.
    pub voice: &'a [Note],
    /// Melody that an instrument plays in the voice's place.
    pub solos: &'a [Note],
    /// The key.
    pub key: Key,
    /// The beats.
    pub grid: Grid,
    /// The chords.
    pub chords: &'a [Chord],
    /// Length of the piece.
    pub seconds: f32,
}

/// Arranges a piece for a random band.
pub fn arrange(score: &Score, draw: &mut Draw) -> Arrangement {
    let mut tracks = Vec::new();
    if draw.chance(0.88) {
        tracks.push(bass(score, draw));
    }
    for _ in 0..draw.weighted(&[0.04, 0.35, 0.4, 0.21]) {
        tracks.push(comp(score, draw));
    }
    if !score.solos.is_empty() {
        tracks.push(melody(score.solos, 12 * draw.integer(-1, 1), draw));
    }
    if draw.chance(0.55) {
        tracks.push(answers(score, draw));
    }
    if draw.chance(0.12) {
        tracks.push(melody(score.voice, draw.pick(&[-12, 0, 12]), draw));
    }
    if tracks.is_empty() {
        tracks.push(comp(score, draw));
    }
    let hits = if draw.chance(0.75) { drums(score, draw) } else { Vec::new() };
    Arrangement { tracks, hits }
}

fn played(onset: f32, duration: f32, pitch: i32, velocity: f32) -> Played {
    Played { note: Note { onset, duration, pitch: pitch as f32 }, velocity: velocity.clamp(0.05, 1.0) }
}

/// The lowest pitch at or above `floor` of a pitch class.
fn above(floor: i32, class: i32) -> i32 {
    floor + (class - floor).rem_euclid(12)
}

fn bass(score: &Score, draw: &mut Draw) -> Track {
    let floor = draw.integer(26, 33);
    let figure = draw.index(4);
    let (strength, fifths) = (draw.range(0.6, 0.95), draw.range(0.0, 0.3));
    let mut notes = Vec::new();
    for chord in score.chords {
        let root = above(floor, chord.tones[0]);
        let beat = score.grid.beat;
        for i in chord.from..chord.to {
            let time = score.grid.time(i);
            let pitch = if i > chord.from && draw.chance(fifths) { root + draw.pick(&[7, 12, 5]) } else { root };
            match figure {
                0 if i == chord.from => {
                    notes.push(played(time, beat * (chord.to - chord.from) as f32 * 0.95, root, strength));
                }
                1 => notes.push(played(time, 0.9 * beat, pitch, strength)),
                2 => {
                    notes.push(played(time, 0.45 * beat, root, strength));
                    notes.push(played(time + 0.5 * beat, 0.45 * beat, pitch, 0.85 * strength));
                }
                3 if i % 2 == chord.from % 2 => {
                    notes.push(played(time, 1.4 * beat, root, strength));
                    notes.push(played(time + 1.5 * beat, 0.4 * beat, pitch, 0.8 * strength));
                }
                _ => {}
            }
        }
    }
    Track { role: Role::Bass, notes }
}

fn comp(score: &Score, draw: &mut Draw) -> Track {
    let floor = draw.integer(45, 58);
    let figure = draw.index(6);
    let strength = draw.range(0.4, 0.9);
    let strum = if draw.chance(0.4) { draw.range(0.005, 0.03) } else { 0.0 };
    let doubled = draw.chance(0.4);
    let beat = score.grid.beat;
    let mut notes = Vec::new();
    for chord in score.chords {
        let mut pitches: Vec<i32> = if figure == 5 {
            let root = above(floor - 8, chord.tones[0]);
            vec![root, root + 7, root + 12]
        } else {
            chord.tones.iter().map(|t| above(floor, *t)).collect()
        };
        if doubled && figure != 5 {
            pitches.push(pitches[0] + 12);
        }
        pitches.sort_unstable();
        let mut block = |time: f32, length: f32, velocity: f32, draw: &mut Draw| {
            for (n, p) in pitches.iter().enumerate() {
                notes.push(played(time + n as f32 * strum, length, *p, velocity * draw.range(0.85, 1.1)));
            }
        };
        let length = (chord.to - chord.from) as f32 * beat;
        let start = score.grid.time(chord.from);
        match figure {
            0 => block(start, 0.97 * length, strength, draw),
            1 | 5 => (chord.from..chord.to).for_each(|i| block(score.grid.time(i), 0.85 * beat, strength, draw)),
            2 => (chord.from..chord.to).for_each(|i| block(score.grid.time(i) + 0.5 * beat, 0.3 * beat, strength, draw)),
            3 => {
                for i in 0..2 * (chord.to - chord.from) {
                    let accent = if i % 2 == 0 { 1.0 } else { 0.7 };
                    block(start + i as f32 * 0.5 * beat, 0.45 * beat, strength * accent, draw);
                }
            }
            _ => {
                let steps = if beat > 0.6 { 4 } else { 2 };
                let total = steps * (chord.to - chord.from);
                let up = draw.chance(0.6);
                for i in 0..total {
                    let n = pitches.len();
                    let turn = i % (2 * n - 2).max(1);
                    let index = if up { i % n } else { turn.min(2 * n - 2 - turn) };
                    let each = beat / steps as f32;
                    notes.push(played(
                        start + i as f32 * each,
                        1.6 * each,
                        pitches[index.min(n - 1)] + 12 * i32::from(floor < 50),
                        strength,
                    ));
                }
            }
        }
    }
    Track { role: Role::Comp, notes }
}

fn melody(notes: &[Note], octave: i32, draw: &mut Draw) -> Track {
    let strength = draw.range(0.6, 0.95);
    let notes = notes
        .iter()
        .map(|n| Played { note: Note { pitch: n.pitch + octave as f32, ..*n }, velocity: strength * draw.range(0.85, 1.1) })
        .collect();
    Track { role: Role::Lead, notes }
}

/// Where the voice rests for more than a second, an instrument plays runs of the scale towards chord tones.
fn answers(score: &Score, draw: &mut Draw) -> Track {
    let scale = score.key.scale();
    let centre = draw.range(58.0, 80.0) as i32;
    let eager = draw.range(0.4, 1.0);
    let mut notes = Vec::new();
    let mut sung: Vec<(f32, f32)> = score.voice.iter().chain(score.solos).map(|n| (n.onset, n.offset())).collect();
    sung.sort_by(|a, b| a.0.total_cmp(&b.0));
    sung.push((score.seconds, score.seconds));
    let mut silent_from = 0.0f32;
    for (onset, offset) in sung {
        if onset - silent_from > 1.0 && draw.chance(eager) {
            let mut time = silent_from + draw.pick(&[0.0, 0.25, 0.5]) * score.grid.beat;
            let mut degree = draw.integer(-3, 4);
            while time < onset - 0.2 {
                let length = score.grid.beat * draw.pick(&[0.25, 0.5, 0.5, 1.0, 1.0, 2.0]);
                let length = length.min(onset - time);
                if draw.chance(0.88) {
                    let pitch = above(centre, scale[0])
                        + 12 * degree.div_euclid(7)
                        + (scale[degree.rem_euclid(7) as usize] - scale[0]).rem_euclid(12);
                    notes.push(played(time, 0.95 * length, pitch, draw.range(0.55, 0.9)));
                }
                degree = (degree + draw.pick(&[-2, -1, -1, 1, 1, 2, 3])).clamp(-7, 8);
                time += length;
            }
        }
        silent_from = silent_from.max(offset);
    }
    Track { role: Role::Lead, notes }
}

fn drums(score: &Score, draw: &mut Draw) -> Vec<Hit> {
    let grid = &score.grid;
    let mut hits = Vec::new();
    let mut hit = |time: f32, drum, velocity| {
        if time >= 0.0 {
            hits.push(Hit { time, drum, velocity });
        }
    };
    let kicks: Vec<bool> = (0..2 * grid.bar).map(|i| i == 0 || draw.chance(if i % 2 == 0 { 0.45 } else { 0.2 })).collect();
    let snare = draw.pick(&[Drum::Snare, Drum::Snare, Drum::Rim, Drum::Clap]);
    const TOPS: [Drum; 9] =
        [Drum::Hat, Drum::Hat, Drum::Hat, Drum::OpenHat, Drum::OpenHat, Drum::Ride, Drum::Crash, Drum::Shaker, Drum::Tambourine];
    let top = draw.pick(&TOPS);
    // A cymbal that is struck all the time is struck softly.
    let level = draw.range(0.25, 0.8) * if top == Drum::Crash { 0.4 } else { 1.0 };
    let strokes = if grid.beat > 0.42 { draw.pick(&[1, 2, 2, 4]) } else { draw.pick(&[1, 1, 2]) };
    let swing = if draw.chance(0.2) { 0.16 } else { 0.0 };
    let fills = draw.chance(0.5);
    for i in 0..grid.beats(score.seconds) {
        let (time, place) = (grid.time(i), i % grid.bar);
        let fill = fills && i / grid.bar % 4 == 3 && place == grid.bar - 1;
        let half = (0.5 + swing) * grid.beat;
        if kicks[2 * place] {
            hit(time, Drum::Kick, draw.range(0.8, 1.0));
        }
        if kicks[2 * place + 1] {
            hit(time + half, Drum::Kick, draw.range(0.6, 0.9));
        }
        if fill {
            for (n, drum) in [Drum::HighTom, Drum::HighTom, Drum::LowTom, Drum::LowTom].into_iter().enumerate() {
                hit(time + 0.25 * grid.beat * n as f32, drum, draw.range(0.7, 1.0));
            }
        } else if place % 2 == 1 {
            hit(time, snare, draw.range(0.75, 1.0));
        }
        for n in 0..strokes {
            let late = if strokes == 2 && n == 1 { half } else { grid.beat * n as f32 / strokes as f32 };
            let accent = if n == 0 { draw.range(0.8, 1.1) } else { draw.range(0.5, 0.9) };
            hit(time + late, top, level * accent);
        }
        if fills && i % (4 * grid.bar) == 0 {
            hit(time, Drum::Crash, draw.range(0.5, 0.9));
        }
    }
    hits
}
