//! The hum as sound: what a telephone records of a person who hums, for tests of the whole way from audio to answer.

use std::ops::Range;

use super::singer::hummed_notes;
use crate::SAMPLE_RATE;
use crate::effects::biquad::Biquad;
use crate::effects::dynamics::limit_peak;
use crate::effects::noise::background;
use crate::effects::reverb::Reverb;
use crate::level;
use crate::melody::{median_pitch, without_overlaps};
use crate::random::Draw;
use crate::voice::{Kind, Sung, VoiceStyle, sing};
use qbh_models::Note;

/// Who hums: mouths closed or on a syllable, singers, whistlers.
const KINDS: [(Kind, f32); 3] = [(Kind::Hummed, 0.6), (Kind::Sung, 0.3), (Kind::Whistled, 0.1)];
/// The room's noise below the voice, decibels.
const NOISE: Range<f32> = 20.0..45.0;
/// Silence before and after, seconds.
const SILENCE: f32 = 0.4;

/// A recording (mono, [`SAMPLE_RATE`]) of a hum of `section` of `notes`; the arguments are those of [`super::hum`]. The key is the
/// singer's own: what the model of the hum draws, and whole octaves to where the voice lies. Empty where fewer than two notes are left.
pub fn record(notes: &[Note], section: Range<f32>, tempo: f32, strength: f32, draw: &mut Draw) -> Vec<f32> {
    let notes = hummed_notes(notes, section, tempo, strength, draw);
    if notes.is_empty() {
        return Vec::new();
    }
    let kind = KINDS[draw.weighted(&KINDS.map(|(_, share)| share))].0;
    perform(notes, kind, draw).samples
}

/// Sings `notes`, at least one, and records it.
pub(super) fn perform(mut notes: Vec<Note>, kind: Kind, draw: &mut Draw) -> Sung {
    let mut style = VoiceStyle::draw(kind, draw);
    style.growl = 0.0;
    let octaves = 12.0 * ((style.register - median_pitch(&notes)) / 12.0).round();
    for note in &mut notes {
        note.pitch += octaves;
        note.onset += SILENCE;
    }
    let end = notes.iter().map(Note::offset).fold(0.0, f32::max);
    let length = ((end + SILENCE) * SAMPLE_RATE as f32) as usize;
    let mut sound = sing(&without_overlaps(notes), &style, length, draw);
    let samples = &mut sound.samples;
    let decay = draw.range(0.15, 0.6);
    Reverb { decay, size: 0.4, damping: 0.5, wet: draw.range(0.02, 0.2), delay: 0.0 }.run(samples);
    let noise = background(length, draw);
    let gain = 0.1 * level::from_db(-draw.range(NOISE.start, NOISE.end));
    samples.iter_mut().zip(&noise).for_each(|(x, n)| *x += gain * n);
    Biquad::high_pass(draw.range(80.0, 200.0), 0.7).run(samples);
    Biquad::low_pass(draw.range(3400.0, 7000.0), 0.7).run(samples);
    level::normalise(samples, 0.15);
    limit_peak(samples, 0.95);
    sound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn a_recording_sounds_as_long_as_the_hum() {
        let notes: Vec<Note> =
            (0..40).map(|i| Note { onset: 0.5 * i as f32, duration: 0.45, pitch: 60.0 + (i * 5 % 9) as f32 }).collect();
        for item in 0..6 {
            let samples = record(&notes, 4.0..12.0, 1.25, 0.5, &mut stream(1, 0, item));
            let seconds = samples.len() as f32 / SAMPLE_RATE as f32;
            assert!((4.5..11.0).contains(&seconds), "{seconds} s of 8 s hummed 1.25 times as fast");
            assert!(samples.iter().all(|x| x.abs() <= 1.0));
            assert!(level::active_rms(&samples) > 0.05);
            assert_eq!(samples, record(&notes, 4.0..12.0, 1.25, 0.5, &mut stream(1, 0, item)));
        }
        assert!(record(&notes, 30.0..40.0, 1.0, 0.5, &mut stream(1, 0, 0)).is_empty(), "there is nothing to hum");
    }
}
