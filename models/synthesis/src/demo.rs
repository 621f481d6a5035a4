//! The demo's songs, and a person who hums one of them.

use super::SAMPLE_RATE;
use super::accompaniment::arrange::{Score, arrange};
use super::accompaniment::harmony::{Key, chords, grid};
use super::accompaniment::play;
use super::effects::biquad::Biquad;
use super::effects::noise::background;
use super::effects::reverb::Reverb;
use super::level::{self, from_db};
use super::melody::{MelodySource, median_pitch, without_overlaps};
use super::random::Draw;
use super::voice::{Kind, VoiceStyle, sing};
use qbh_models::Note;

/// A song of the demo's library.
#[derive(Debug, Clone)]
pub struct DemoSong {
    /// Its name.
    pub title: String,
    /// Who sings it.
    pub artist: String,
    /// Mono, within -1..=1.
    pub samples: Vec<f32>,
    /// Samples per second.
    pub rate: u32,
    /// What is sung.
    pub notes: Vec<Note>,
}

/// A hummed passage.
#[derive(Debug, Clone)]
pub struct Hum {
    /// Mono, within -1..=1.
    pub samples: Vec<f32>,
    /// Samples per second.
    pub rate: u32,
    /// How many semitones off-key the hum is, beside whole octaves.
    pub transposition: f32,
    /// How much faster than the song it is.
    pub tempo: f32,
}

const ADJECTIVES: [&str; 12] =
    ["Silver", "Quiet", "Paper", "Northern", "Broken", "Golden", "Distant", "Electric", "Winter", "Hollow", "Velvet", "Little"];
const NOUNS: [&str; 12] = [
    "Harbour",
    "Lantern",
    "River",
    "Window",
    "Carousel",
    "Meadow",
    "Signal",
    "Orchard",
    "Summer",
    "Station",
    "Garden",
    "Satellite",
];
const ARTISTS: [&str; 6] =
    ["The Oscillators", "Clara Formant", "Low Pass", "Nyquist & Daughters", "Viola Hertz", "The Sine Waves"];

/// Renders `n` songs of 40 to 60 s with generated melodies, sung and accompanied by built-in instruments.
pub fn demo_songs(n: usize, seed: u64) -> Vec<DemoSong> {
    (0..n).map(|i| demo_song(i, seed)).collect()
}

fn demo_song(index: usize, seed: u64) -> DemoSong {
    let draw = &mut Draw::stream(seed, 1000 + index as u64);
    let seconds = draw.range(40.0, 60.0);
    let samples = (seconds * SAMPLE_RATE as f32) as usize;
    let passage = MelodySource::generated().passage(seconds - 2.0, draw);
    let mut style = VoiceStyle::draw(Kind::Sung, draw);
    style.growl = 0.0;
    let shift = (style.register - median_pitch(&passage.notes)).round();
    let notes: Vec<Note> = passage.notes.iter().map(|n| Note { pitch: n.pitch + shift, ..*n }).collect();
    let mut voice = sing(&notes, &style, samples, draw).samples;
    Reverb { decay: 0.9, size: 0.8, damping: 0.4, wet: 0.15, delay: 0.02 }.run(&mut voice);
    let grid = grid(&notes, passage.beat, draw);
    let key = Key::of(&notes);
    let chords = chords(&notes, key, &grid, seconds, draw);
    let score = Score { voice: &notes, solos: &[], key, grid, chords: &chords, seconds };
    let accompaniment = play(&arrange(&score, draw), &[], samples, draw);
    let mut mix: Vec<f32> = voice.iter().zip(&accompaniment).map(|(v, a)| 2.4 * v + a).collect();
    fade_out(&mut mix);
    super::effects::dynamics::limit_peak(&mut mix, 0.95);
    let title = format!("{} {}", ADJECTIVES[index % 12], NOUNS[(index * 5 + index / 12 + seed as usize % 12) % 12]);
    DemoSong { title, artist: ARTISTS[index % 6].to_owned(), samples: mix, rate: SAMPLE_RATE as u32, notes }
}

fn fade_out(samples: &mut [f32]) {
    let length = (2 * SAMPLE_RATE).min(samples.len());
    let start = samples.len() - length;
    for (n, x) in samples[start..].iter_mut().enumerate() {
        *x *= 1.0 - n as f32 / length as f32;
    }
}

/// Hums notes as somebody does into a telephone: up to three semitones off-key, at 0.8 to 1.25 of the tempo, with errors of
/// pitch and time, in a noisy room. The hum begins with the first note.
pub fn demo_hum(notes: &[Note], seed: u64) -> Hum {
    let draw = &mut Draw::stream(seed, 2000);
    let transposition = draw.range(-3.0, 3.0);
    let tempo = draw.log_range(0.8, 1.25);
    let start = notes.first().map_or(0.0, |n| n.onset);
    let (mut time, mut drift) = (0.3f32, 0.0f32);
    let mut hummed: Vec<Note> = Vec::with_capacity(notes.len());
    for (i, note) in notes.iter().enumerate() {
        drift = 0.9 * drift + 0.08 * draw.normal();
        let onset = (0.3 + (note.onset - start) / tempo + 0.03 * draw.normal()).max(time);
        let next = notes.get(i + 1).map_or(f32::INFINITY, |n| (n.onset - note.onset) / tempo);
        let duration = (note.duration / tempo * draw.range(0.75, 1.0)).min(next);
        hummed.push(Note { onset, duration, pitch: note.pitch + transposition + drift + 0.2 * draw.normal() });
        time = onset + 0.5 * duration;
    }
    let mut style = VoiceStyle::draw(Kind::Hummed, draw);
    style.growl = 0.0;
    let octaves = 12.0 * ((style.register - median_pitch(&hummed)) / 12.0).round();
    hummed.iter_mut().for_each(|n| n.pitch += octaves);
    let seconds = hummed.iter().map(Note::offset).fold(0.0, f32::max) + 0.5;
    let length = (seconds * SAMPLE_RATE as f32) as usize;
    let mut samples = sing(&without_overlaps(hummed), &style, length, draw).samples;
    Reverb { decay: 0.3, size: 0.4, damping: 0.5, wet: 0.1, delay: 0.0 }.run(&mut samples);
    let noise = background(length, draw);
    let level = 0.1 * from_db(-draw.range(28.0, 40.0));
    samples.iter_mut().zip(&noise).for_each(|(x, n)| *x += level * n);
    Biquad::high_pass(120.0, 0.7).run(&mut samples);
    Biquad::low_pass(6000.0, 0.7).run(&mut samples);
    level::normalise(&mut samples, 0.15);
    super::effects::dynamics::limit_peak(&mut samples, 0.95);
    Hum { samples, rate: SAMPLE_RATE as u32, transposition, tempo }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn songs_and_hums_are_made() {
        let songs = demo_songs(3, 1);
        assert!(songs.iter().all(|s| s.samples.iter().all(|x| x.abs() <= 1.0) && s.notes.len() > 20));
        assert!(songs.windows(2).all(|w| w[0].title != w[1].title && w[0].notes != w[1].notes));
        let hum = demo_hum(&songs[1].notes[..20], 7);
        assert!((0.8..=1.25).contains(&hum.tempo));
        assert!(hum.samples.iter().all(|x| x.abs() <= 1.0) && hum.samples.len() > 3 * SAMPLE_RATE);
        assert_eq!(hum.samples, demo_hum(&songs[1].notes[..20], 7).samples);
    }
}
