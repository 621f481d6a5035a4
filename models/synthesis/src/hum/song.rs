//! What an extractor writes down of a section of a recorded song.

use std::ops::Range;

use super::ranges::{self, ACCOMPANIMENT, HIGHEST, LOWEST};
use super::render::{FRAMES_PER_STEP, Voice, steps_of};
use super::{clip, fault, uniform};
use crate::random::Draw;
use qbh_models::contour::CONTOUR_STEP;
use qbh_models::{Contour, Note};

/// The contour of `section` (seconds) of `notes` (in order of time, one at a time): the score itself at `noise` 0, a very
/// bad extraction of a recording at 1. Has one step per 100 ms of the section.
pub fn song(notes: &[Note], section: Range<f32>, noise: f32, draw: &mut Draw) -> Vec<f32> {
    let steps = ((section.end - section.start) / CONTOUR_STEP as f32).round().max(0.0) as usize;
    let notes = clip(notes, &section);
    if noise <= 0.0 {
        let mut contour = Contour::from_notes(&notes).pitch;
        contour.iter_mut().filter(|p| **p > 0.0).for_each(|p| *p = p.clamp(LOWEST, HIGHEST));
        contour.resize(steps, 0.0);
        return contour;
    }
    let notes = perform(notes, noise, draw);
    let frames = Voice::draw(ranges::SONG_GLIDE, ranges::SONG_JITTER, noise, draw).render(&notes, steps, draw);
    leak(steps_of(&frames, FRAMES_PER_STEP as f64), noise, draw)
}

/// A singer's freedom against the score: onsets early or late, notes slightly off pitch.
fn perform(mut notes: Vec<Note>, noise: f32, draw: &mut Draw) -> Vec<Note> {
    let onset = fault(ranges::SONG_ONSET, noise, draw);
    let error = fault(ranges::SONG_NOTE_ERROR, noise, draw);
    let mut after = 0.0f32;
    for note in &mut notes {
        let begin = (note.onset + onset * draw.normal()).max(after);
        let end = note.offset().max(begin + ranges::SHORTEST_NOTE);
        *note = Note { onset: begin, duration: end - begin, pitch: note.pitch + error * draw.normal() };
        after = begin + ranges::SHORTEST_NOTE;
    }
    notes
}

/// The extractor's mistakes on the true contour of a voice: accompaniment in rests and in place of the voice, lost steps, octave jumps.
/// At `noise` 0 short rests are sung through now and then and no more; 1 is a very bad extraction.
pub fn leak(voice: Vec<f32>, noise: f32, draw: &mut Draw) -> Vec<f32> {
    let fill = fault(ranges::FILL, noise, draw);
    let replace = fault(ranges::REPLACE, noise, draw);
    let dropout = fault(ranges::SONG_DROPOUT, noise, draw);
    let octave = if draw.chance(0.6) { fault(ranges::SONG_OCTAVE, noise, draw) } else { 0.0 };
    let jitter = uniform(ranges::SONG_JITTER, draw);
    let mut last = voice.iter().copied().find(|&p| p > 0.0).unwrap_or(60.0);
    let mut heard = voice;
    let mut at = 0;
    while at < heard.len() {
        let rest = heard[at..].iter().take_while(|p| **p == 0.0).count();
        if rest > 0 {
            let gap = &mut heard[at..at + rest];
            if rest <= 3 && draw.chance(ranges::BRIDGED) {
                gap.iter_mut().for_each(|p| *p = sounded(last + jitter * draw.normal()));
            } else if draw.chance(fill) {
                let late = (draw.integer(0, 2) as usize).min(rest);
                accompany(&mut gap[late..], last, jitter, draw);
            }
            at += rest;
            continue;
        }
        let here = &mut heard[at..];
        last = here[0];
        let event = draw.range(0.0, 1.0);
        if event < dropout {
            let length = (draw.integer(1, 4) as usize).min(here.len());
            here[..length].fill(0.0);
            at += length;
        } else if event < dropout + replace {
            let length = (draw.integer(1, 5) as usize).min(here.len());
            accompany(&mut here[..length], last, jitter, draw);
            at += length;
        } else if event < dropout + replace + octave {
            let length = (draw.integer(2, 10) as usize).min(here.len());
            let jump = if draw.chance(0.6) { 12.0 } else { -12.0 };
            here[..length].iter_mut().filter(|p| **p > 0.0).for_each(|p| *p = sounded(*p + jump));
            at += length;
        } else {
            at += 1;
        }
    }
    heard
}

/// Notes of an accompaniment around the melody's pitch `near`, with rests between them.
fn accompany(steps: &mut [f32], near: f32, jitter: f32, draw: &mut Draw) {
    let mut at = 0;
    while at < steps.len() {
        let length = (draw.integer(1, 9) as usize).min(steps.len() - at);
        let colour = if draw.chance(0.7) { 0.0 } else { draw.integer(-3, 3) as f32 };
        let pitch = near + draw.pick(&ACCOMPANIMENT) + colour;
        let voiced = draw.chance(0.75);
        for step in &mut steps[at..at + length] {
            *step = if voiced { sounded(pitch + jitter * draw.normal()) } else { 0.0 };
        }
        at += length;
    }
}

fn sounded(pitch: f32) -> f32 {
    pitch.clamp(LOWEST, HIGHEST)
}
