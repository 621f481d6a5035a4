//! A person hums a section of a melody from memory.

use std::ops::Range;

use rand::{Rng, RngExt};

use super::ranges::{self, HIGHEST, LONGEST_HUM, LOWEST};
use super::render::Voice;
use super::{chance, clip, fault, median, normal};
use crate::Note;
use crate::contour::CONTOUR_STEP;

/// The contour of a hum of `section` (seconds) of `notes` (in order of time, one at a time), `tempo` times as fast.
/// `strength` scales every fault: 0 = none but those of the voice, 1 = a typical bad singer. Empty where fewer than two notes are left.
pub fn hum(notes: &[Note], section: Range<f32>, tempo: f32, strength: f32, rng: &mut impl Rng) -> Vec<f32> {
    let mut notes = remember(&clip(notes, &section), strength, rng);
    if notes.len() < 2 {
        return Vec::new();
    }
    retime(&mut notes, tempo, strength, rng);
    intone(&mut notes, strength, rng);
    let end = notes.last().map_or(0.0, Note::offset);
    let steps = ((end / CONTOUR_STEP as f32).ceil() as usize).min(LONGEST_HUM);
    let mut contour = Voice::draw(ranges::JITTER, strength, rng).render(&notes, steps, rng);
    mistrack(&mut contour, strength, rng);
    contour
}

/// What is left of the notes in memory: some forgotten, merged, invented, wrong, or replaced at one end by others.
fn remember(notes: &[Note], strength: f32, rng: &mut impl Rng) -> Vec<Note> {
    let delete = fault(ranges::DELETE, strength, rng);
    let insert = fault(ranges::INSERT, strength, rng);
    let merge = fault(ranges::MERGE, strength, rng);
    let wrong = if chance(0.6, rng) { fault(ranges::WRONG, strength, rng) } else { 0.0 };
    let mut kept: Vec<Note> = Vec::with_capacity(notes.len() + 4);
    for &note in notes {
        if let Some(last) = kept.last_mut() {
            let forgotten = chance(delete * if note.duration < 0.25 { 1.5 } else { 0.5 }, rng);
            let merged = !forgotten && (last.pitch - note.pitch).abs() <= 2.0 && chance(merge, rng);
            // The note before is held over a merged note, and over most forgotten ones.
            if merged || (forgotten && chance(0.6, rng)) {
                last.duration = note.offset() - last.onset;
            }
            if merged || forgotten {
                continue;
            }
        }
        kept.push(note);
        if note.duration > 0.2 && chance(insert, rng) {
            let cut = note.duration * rng.random_range(0.4..0.7);
            let pitch = note.pitch + rng.random_range(-2..=2) as f32;
            if let Some(last) = kept.last_mut() {
                last.duration = cut;
            }
            kept.push(Note { onset: note.onset + cut, duration: note.duration - cut, pitch });
        }
    }
    for note in &mut kept {
        if chance(wrong, rng) {
            let size = rng.random_range(1..=4) as f32;
            note.pitch += if chance(0.5, rng) { size } else { -size };
        }
    }
    if chance(ranges::WANDER * strength, rng) {
        let lost = (kept.len() as f32 * rng.random_range(ranges::WANDERED)) as usize;
        if chance(0.6, rng) {
            let right = kept.len().saturating_sub(lost + 1);
            wander(kept[right..].iter_mut(), rng);
        } else {
            wander(kept.iter_mut().take(lost + 1).rev(), rng);
        }
    }
    kept
}

/// Replaces the melody by a random walk that sets out from its first note.
fn wander<'a>(mut notes: impl Iterator<Item = &'a mut Note>, rng: &mut impl Rng) {
    let Some(first) = notes.next() else { return };
    let mut pitch = first.pitch;
    for note in notes {
        pitch = (pitch + rng.random_range(-4..=4) as f32).clamp(first.pitch - 9.0, first.pitch + 9.0);
        note.pitch = pitch;
    }
}

/// The singer's time: an unsteady tempo, uneven durations, rests cut short, notes that end early.
fn retime(notes: &mut [Note], tempo: f32, strength: f32, rng: &mut impl Rng) {
    let sigma = fault(ranges::DURATION, strength, rng);
    let warp = fault(ranges::WARP, strength, rng);
    let period = rng.random_range(ranges::WARP_PERIOD);
    let exponent = if chance(0.3 * strength.min(1.0), rng) { rng.random_range(ranges::COMPRESSION) } else { 1.0 };
    let articulated = if chance(0.4, rng) { 0.0 } else { fault(ranges::ARTICULATED, strength.min(1.0), rng) };
    let gap_length = rng.random_range(ranges::GAP);
    let typical = median(notes.iter().map(|n| n.duration)).max(0.01);
    let (mut left, mut right, mut anchor) = (0.5 * warp * normal(rng), warp * normal(rng), notes[0].onset);
    let mut now = if chance(0.5, rng) { notes[0].onset / tempo } else { 0.0 };
    for k in 0..notes.len() {
        let Note { onset, duration, .. } = notes[k];
        while onset - anchor > period {
            (left, right, anchor) = (right, warp * normal(rng), anchor + period);
        }
        let drift = left + (right - left) * (onset - anchor) / period;
        let mut pace = || (sigma * normal(rng) + drift).exp() / tempo;
        let mut rest = notes.get(k + 1).map_or(0.0, |next| (next.onset - onset - duration).max(0.0));
        let factor = pace();
        let rest_factor = pace();
        let mut held = typical.powf(1.0 - exponent) * duration.powf(exponent) * factor;
        if rest > 0.8 && chance(0.5 * strength.min(1.0), rng) {
            rest *= rng.random_range(ranges::REST);
        } else if rest < 0.3 && chance(0.5, rng) {
            held += rest * factor;
            rest = 0.0;
        }
        let early = if chance(articulated, rng) { (gap_length * rng.random_range(0.5..1.5)).min(0.5 * held) } else { 0.0 };
        notes[k] = Note { onset: now, duration: (held - early).max(0.08).min(held), ..notes[k] };
        now += held + rest * rest_factor;
    }
}

/// The singer's pitch: a key of one's own that drifts and slips, intervals too wide or narrow, notes off their pitch.
fn intone(notes: &mut [Note], strength: f32, rng: &mut impl Rng) {
    let centre = median(notes.iter().map(|n| n.pitch));
    let stretch = if chance(0.5, rng) { (normal(rng) * ranges::STRETCH * strength).exp() } else { 1.0 };
    let error = normal(rng).abs() * ranges::NOTE_ERROR * strength;
    let drift = normal(rng).abs() * ranges::DRIFT * strength;
    let slope = if chance(0.4, rng) { normal(rng) * ranges::SLOPE * strength } else { 0.0 };
    let slip_at = if chance(ranges::SLIP * strength, rng) { rng.random_range(0..notes.len()) } else { usize::MAX };
    let mut key = rng.random_range(ranges::KEY);
    let mut octave = 0.0f32;
    for (k, note) in notes.iter_mut().enumerate() {
        key += normal(rng) * drift;
        if k == slip_at {
            let size = rng.random_range(ranges::SLIPPED);
            key += if chance(0.5, rng) { size } else { -size };
        }
        if chance(ranges::FOLD * strength, rng) {
            octave = match octave {
                0.0 if chance(0.5, rng) => 12.0,
                0.0 => -12.0,
                _ => 0.0,
            };
        }
        let pitch = centre + (note.pitch - centre) * stretch + key + slope * note.onset + octave + normal(rng) * error;
        note.pitch = pitch.clamp(LOWEST, HIGHEST);
    }
}

/// The extractor's mistakes on a hum: lost steps, octave jumps, stray pitches.
fn mistrack(contour: &mut [f32], strength: f32, rng: &mut impl Rng) {
    let dropout = if chance(0.5, rng) { fault(ranges::HUM_DROPOUT, strength, rng) } else { 0.0 };
    let octave = if chance(0.35, rng) { ranges::HUM_OCTAVE * strength } else { 0.0 };
    let spurious = if chance(0.5, rng) { fault(ranges::HUM_SPURIOUS, strength, rng) } else { 0.0 };
    let centre = median(contour.iter().copied().filter(|&p| p > 0.0));
    let mut at = 0;
    while at < contour.len() {
        let here = &mut contour[at..];
        if chance(dropout, rng) {
            let length = rng.random_range(1..5).min(here.len());
            here[..length].fill(0.0);
            at += length;
        } else if chance(octave, rng) {
            let length = rng.random_range(2..15).min(here.len());
            let jump = if chance(0.6, rng) { 12.0 } else { -12.0 };
            here[..length].iter_mut().filter(|p| **p > 0.0).for_each(|p| *p = (*p + jump).clamp(LOWEST, HIGHEST));
            at += length;
        } else if chance(spurious, rng) && centre > 0.0 {
            here[0] = (centre + 8.0 * normal(rng)).clamp(LOWEST, HIGHEST);
        }
        at += 1;
    }
}
