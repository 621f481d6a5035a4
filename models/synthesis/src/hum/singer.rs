//! A person hums a section of a melody from memory.

use std::ops::Range;

use super::ranges::{self, HIGHEST, LONGEST_HUM, LOWEST};
use super::render::{FRAMES_PER_STEP, Voice, steps_of};
use super::{clip, fault, median, uniform};
use crate::random::Draw;
use qbh_models::contour::{CONTOUR_STEP, SLOWDOWN, slowed_step};
use qbh_models::{Contour, Note};

/// The contour of a hum of `section` (seconds) of `notes` (in order of time, one at a time), `tempo` times as fast.
/// `strength` scales every fault: 0 = none but those of the voice, 1 = a typical bad singer. Empty where fewer than two notes are left.
pub fn hum(notes: &[Note], section: Range<f32>, tempo: f32, strength: f32, draw: &mut Draw) -> Contour {
    let notes = hummed_notes(notes, section, tempo, strength, draw);
    if notes.is_empty() {
        return Contour::default();
    }
    let voice = Voice::draw(ranges::GLIDE, ranges::JITTER, strength, draw);
    heard(&notes, &voice, strength, draw)
}

/// The contour of notes, at least one, in a voice, with the mistakes of an extractor.
pub(super) fn heard(notes: &[Note], voice: &Voice, strength: f32, draw: &mut Draw) -> Contour {
    let end = notes.last().map_or(0.0, Note::offset);
    let steps = ((end / CONTOUR_STEP as f32).ceil() as usize).min(LONGEST_HUM);
    let frames = voice.render(notes, steps, draw);
    let [pitch, mut slowed] = [1.0, SLOWDOWN].map(|slowdown| steps_of(&frames, FRAMES_PER_STEP as f64 / slowdown));
    slowed.resize(slowed_step(pitch.len()), 0.0);
    let mut tracked = pitch.clone();
    mistrack(&mut tracked, strength, draw);
    for (step, (&hummed, &heard)) in pitch.iter().zip(&tracked).enumerate().filter(|(_, (hummed, heard))| hummed != heard) {
        let both = hummed > 0.0 && heard > 0.0;
        let within = &mut slowed[slowed_step(step)..slowed_step(step + 1)];
        within.iter_mut().for_each(|p| *p = if both && *p > 0.0 { (*p + heard - hummed).clamp(LOWEST, HIGHEST) } else { heard });
    }
    Contour { pitch: tracked, slowed }
}

/// The notes that are hummed, as [`hum`] has them; none where fewer than two are left.
pub(super) fn hummed_notes(notes: &[Note], section: Range<f32>, tempo: f32, strength: f32, draw: &mut Draw) -> Vec<Note> {
    let mut notes = remember(&clip(notes, &section), strength, draw);
    if notes.len() < 2 {
        return Vec::new();
    }
    retime(&mut notes, tempo, strength, draw);
    intone(&mut notes, strength, draw);
    notes
}

/// What is left of the notes in memory: some forgotten, merged, invented, wrong, or replaced at one end by others.
pub(super) fn remember(notes: &[Note], strength: f32, draw: &mut Draw) -> Vec<Note> {
    let delete = fault(ranges::DELETE, strength, draw);
    let insert = fault(ranges::INSERT, strength, draw);
    let merge = fault(ranges::MERGE, strength, draw);
    let wrong = if draw.chance(0.6) { fault(ranges::WRONG, strength, draw) } else { 0.0 };
    let mut kept: Vec<Note> = Vec::with_capacity(notes.len() + 4);
    for &note in notes {
        if let Some(last) = kept.last_mut() {
            let forgotten = draw.chance(delete * if note.duration < 0.25 { 1.5 } else { 0.5 });
            let merged = !forgotten && (last.pitch - note.pitch).abs() <= 2.0 && draw.chance(merge);
            // The note before is held over a merged note, and over most forgotten ones.
            if merged || (forgotten && draw.chance(0.6)) {
                last.duration = note.offset() - last.onset;
            }
            if merged || forgotten {
                continue;
            }
        }
        kept.push(note);
        if note.duration > 0.2 && draw.chance(insert) {
            let cut = note.duration * draw.range(0.4, 0.7);
            let pitch = note.pitch + draw.integer(-2, 2) as f32;
            if let Some(last) = kept.last_mut() {
                last.duration = cut;
            }
            kept.push(Note { onset: note.onset + cut, duration: note.duration - cut, pitch });
        }
    }
    for note in &mut kept {
        if draw.chance(wrong) {
            let size = draw.integer(1, 4) as f32;
            note.pitch += if draw.chance(0.5) { size } else { -size };
        }
    }
    if draw.chance(ranges::WANDER * strength) {
        let lost = (kept.len() as f32 * uniform(ranges::WANDERED, draw)) as usize;
        if draw.chance(0.6) {
            let right = kept.len().saturating_sub(lost + 1);
            wander(kept[right..].iter_mut(), draw);
        } else {
            wander(kept.iter_mut().take(lost + 1).rev(), draw);
        }
    }
    kept
}

/// Replaces the melody by a random walk that sets out from its first note.
fn wander<'a>(mut notes: impl Iterator<Item = &'a mut Note>, draw: &mut Draw) {
    let Some(first) = notes.next() else { return };
    let mut pitch = first.pitch;
    for note in notes {
        pitch = (pitch + draw.integer(-4, 4) as f32).clamp(first.pitch - 9.0, first.pitch + 9.0);
        note.pitch = pitch;
    }
}

/// The singer's time: an unsteady tempo, uneven durations, rests cut short, notes that end early.
pub(super) fn retime(notes: &mut [Note], tempo: f32, strength: f32, draw: &mut Draw) {
    let sigma = fault(ranges::DURATION, strength, draw);
    let warp = fault(ranges::WARP, strength, draw);
    let period = uniform(ranges::WARP_PERIOD, draw);
    let exponent = if draw.chance(0.3 * strength.min(1.0)) { uniform(ranges::COMPRESSION, draw) } else { 1.0 };
    let articulated = if draw.chance(0.4) { 0.0 } else { fault(ranges::ARTICULATED, strength.min(1.0), draw) };
    let gap_length = uniform(ranges::GAP, draw);
    let typical = median(notes.iter().map(|n| n.duration)).max(0.01);
    let (mut left, mut right, mut anchor) = (0.5 * warp * draw.normal(), warp * draw.normal(), notes[0].onset);
    let mut now = if draw.chance(0.5) { notes[0].onset / tempo } else { 0.0 };
    for k in 0..notes.len() {
        let Note { onset, duration, .. } = notes[k];
        while onset - anchor > period {
            (left, right, anchor) = (right, warp * draw.normal(), anchor + period);
        }
        let drift = left + (right - left) * (onset - anchor) / period;
        let mut pace = || (sigma * draw.normal() + drift).exp() / tempo;
        let mut rest = notes.get(k + 1).map_or(0.0, |next| (next.onset - onset - duration).max(0.0));
        let factor = pace();
        let rest_factor = pace();
        let mut held = typical.powf(1.0 - exponent) * duration.powf(exponent) * factor;
        if rest > 0.8 && draw.chance(0.5 * strength.min(1.0)) {
            rest *= uniform(ranges::REST, draw);
        } else if rest < 0.3 && draw.chance(0.5) {
            held += rest * factor;
            rest = 0.0;
        }
        let early = if draw.chance(articulated) { (gap_length * draw.range(0.5, 1.5)).min(0.5 * held) } else { 0.0 };
        notes[k] = Note { onset: now, duration: (held - early).max(0.08).min(held), ..notes[k] };
        now += held + rest * rest_factor;
    }
}

/// The singer's pitch: a key of one's own that drifts and slips, intervals too wide or narrow, notes off their pitch.
fn intone(notes: &mut [Note], strength: f32, draw: &mut Draw) {
    let centre = median(notes.iter().map(|n| n.pitch));
    let stretch = if draw.chance(0.5) { (draw.normal() * ranges::STRETCH * strength).exp() } else { 1.0 };
    let error = draw.normal().abs() * ranges::NOTE_ERROR * strength;
    let drift = draw.normal().abs() * ranges::DRIFT * strength;
    let slope = if draw.chance(0.4) { draw.normal() * ranges::SLOPE * strength } else { 0.0 };
    let slip_at = if draw.chance(ranges::SLIP * strength) { draw.index(notes.len()) } else { usize::MAX };
    let mut key = uniform(ranges::KEY, draw);
    let mut octave = 0.0f32;
    for (k, note) in notes.iter_mut().enumerate() {
        key += draw.normal() * drift;
        if k == slip_at {
            key += slip(draw);
        }
        octave = fold(octave, ranges::FOLD * strength, draw);
        let pitch = centre + (note.pitch - centre) * stretch + key + slope * note.onset + octave + draw.normal() * error;
        note.pitch = pitch.clamp(LOWEST, HIGHEST);
    }
}

/// By how much a key slips at once, semitones.
pub(super) fn slip(draw: &mut Draw) -> f32 {
    let size = uniform(ranges::SLIPPED, draw);
    if draw.chance(0.5) { size } else { -size }
}

/// The octave that a hum goes on in, semitones: by this chance another one, or back.
pub(super) fn fold(octave: f32, chance: f32, draw: &mut Draw) -> f32 {
    match octave {
        _ if !draw.chance(chance) => octave,
        0.0 if draw.chance(0.5) => 12.0,
        0.0 => -12.0,
        _ => 0.0,
    }
}

/// Adds the extractor's mistakes to the contour of a hum: lost steps, octave jumps, stray pitches.
pub fn mistrack(contour: &mut [f32], strength: f32, draw: &mut Draw) {
    let dropout = if draw.chance(0.5) { fault(ranges::HUM_DROPOUT, strength, draw) } else { 0.0 };
    let octave = if draw.chance(0.35) { ranges::HUM_OCTAVE * strength } else { 0.0 };
    let spurious = if draw.chance(0.5) { fault(ranges::HUM_SPURIOUS, strength, draw) } else { 0.0 };
    let centre = median(contour.iter().copied().filter(|&p| p > 0.0));
    let mut at = 0;
    while at < contour.len() {
        let here = &mut contour[at..];
        if draw.chance(dropout) {
            let length = (draw.integer(1, 4) as usize).min(here.len());
            here[..length].fill(0.0);
            at += length;
        } else if draw.chance(octave) {
            let length = (draw.integer(2, 14) as usize).min(here.len());
            let jump = if draw.chance(0.6) { 12.0 } else { -12.0 };
            here[..length].iter_mut().filter(|p| **p > 0.0).for_each(|p| *p = (*p + jump).clamp(LOWEST, HIGHEST));
            at += length;
        } else if draw.chance(spurious) && centre > 0.0 {
            here[0] = (centre + 8.0 * draw.normal()).clamp(LOWEST, HIGHEST);
        }
        at += 1;
    }
}
