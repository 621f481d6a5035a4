//! What an extractor writes down of a section of a recorded song.

use std::ops::Range;

use rand::{Rng, RngExt};

use super::ranges::{self, ACCOMPANIMENT, HIGHEST, LOWEST};
use super::render::Voice;
use super::{chance, clip, fault, normal};
use crate::contour::CONTOUR_STEP;
use crate::{Contour, Note};

/// The contour of `section` (seconds) of `notes` (in order of time, one at a time): the score itself at `noise` 0, a very
/// bad extraction of a recording at 1. Has one step per 100 ms of the section.
pub fn song(notes: &[Note], section: Range<f32>, noise: f32, rng: &mut impl Rng) -> Vec<f32> {
    let steps = ((section.end - section.start) / CONTOUR_STEP as f32).round().max(0.0) as usize;
    let notes = clip(notes, &section);
    if noise <= 0.0 {
        let mut contour = Contour::from_notes(&notes).pitch;
        contour.iter_mut().filter(|p| **p > 0.0).for_each(|p| *p = p.clamp(LOWEST, HIGHEST));
        contour.resize(steps, 0.0);
        return contour;
    }
    let notes = perform(notes, noise, rng);
    let contour = Voice::draw(ranges::SONG_JITTER, noise, rng).render(&notes, steps, rng);
    leak(contour, noise, rng)
}

/// A singer's freedom against the score: onsets early or late, notes slightly off pitch.
fn perform(mut notes: Vec<Note>, noise: f32, rng: &mut impl Rng) -> Vec<Note> {
    let onset = fault(ranges::SONG_ONSET, noise, rng);
    let error = fault(ranges::SONG_NOTE_ERROR, noise, rng);
    let mut after = 0.0f32;
    for note in &mut notes {
        let begin = (note.onset + onset * normal(rng)).max(after);
        let end = note.offset().max(begin + ranges::SHORTEST_NOTE);
        *note = Note { onset: begin, duration: end - begin, pitch: note.pitch + error * normal(rng) };
        after = begin + ranges::SHORTEST_NOTE;
    }
    notes
}

/// The extractor's mistakes: accompaniment in rests and in place of the voice, lost steps, octave jumps.
fn leak(voice: Vec<f32>, noise: f32, rng: &mut impl Rng) -> Vec<f32> {
    let fill = fault(ranges::FILL, noise, rng);
    let replace = fault(ranges::REPLACE, noise, rng);
    let dropout = fault(ranges::SONG_DROPOUT, noise, rng);
    let octave = if chance(0.6, rng) { fault(ranges::SONG_OCTAVE, noise, rng) } else { 0.0 };
    let jitter = rng.random_range(ranges::SONG_JITTER);
    let mut last = voice.iter().copied().find(|&p| p > 0.0).unwrap_or(60.0);
    let mut heard = voice;
    let mut at = 0;
    while at < heard.len() {
        let rest = heard[at..].iter().take_while(|p| **p == 0.0).count();
        if rest > 0 {
            let gap = &mut heard[at..at + rest];
            if rest <= 3 && chance(0.5, rng) {
                gap.iter_mut().for_each(|p| *p = sounded(last + jitter * normal(rng)));
            } else if chance(fill, rng) {
                let late = rng.random_range(0..3).min(rest);
                accompany(&mut gap[late..], last, jitter, rng);
            }
            at += rest;
            continue;
        }
        let here = &mut heard[at..];
        last = here[0];
        let event = rng.random::<f32>();
        if event < dropout {
            let length = rng.random_range(2..14).min(here.len());
            here[..length].fill(0.0);
            at += length;
        } else if event < dropout + replace {
            let length = rng.random_range(2..14).min(here.len());
            accompany(&mut here[..length], last, jitter, rng);
            at += length;
        } else if event < dropout + replace + octave {
            let length = rng.random_range(3..30).min(here.len());
            let jump = if chance(0.6, rng) { 12.0 } else { -12.0 };
            here[..length].iter_mut().filter(|p| **p > 0.0).for_each(|p| *p = sounded(*p + jump));
            at += length;
        } else {
            at += 1;
        }
    }
    heard
}

/// Notes of an accompaniment around the melody's pitch `near`, with rests between them.
fn accompany(steps: &mut [f32], near: f32, jitter: f32, rng: &mut impl Rng) {
    let mut at = 0;
    while at < steps.len() {
        let length = rng.random_range(1..10).min(steps.len() - at);
        let colour = if chance(0.7, rng) { 0.0 } else { rng.random_range(-3..=3) as f32 };
        let pitch = near + ACCOMPANIMENT[rng.random_range(0..ACCOMPANIMENT.len())] + colour;
        let voiced = chance(0.75, rng);
        for step in &mut steps[at..at + length] {
            *step = if voiced { sounded(pitch + jitter * normal(rng)) } else { 0.0 };
        }
        at += length;
    }
}

fn sounded(pitch: f32) -> f32 {
    pitch.clamp(LOWEST, HIGHEST)
}
