//! Composes songs: a scale, a few motifs of rhythm and steps, phrases made of them, verse and refrain.

use super::{Passage, without_overlaps};
use crate::random::Draw;
use qbh_models::Note;

const SCALES: [[i32; 7]; 4] = [[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10], [0, 2, 3, 5, 7, 9, 10], [0, 2, 4, 5, 7, 9, 10]];
/// Rhythms of one bar of four beats, in beats.
const RHYTHMS: [&[f32]; 12] = [
    &[1.0, 1.0, 1.0, 1.0],
    &[1.5, 0.5, 1.0, 1.0],
    &[0.5, 0.5, 1.0, 0.5, 0.5, 1.0],
    &[1.0, 0.5, 0.5, 2.0],
    &[0.5, 0.5, 0.5, 0.5, 1.0, 1.0],
    &[2.0, 1.0, 1.0],
    &[1.5, 1.5, 1.0],
    &[0.75, 0.75, 0.5, 1.0, 1.0],
    &[0.5, 1.0, 0.5, 1.0, 1.0],
    &[1.0, 2.0, 1.0],
    &[3.0, 1.0],
    &[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0],
];

/// One bar: lengths in beats, and steps of the scale from note to note.
#[derive(Clone)]
struct Motif {
    lengths: Vec<f32>,
    steps: Vec<i32>,
}

impl Motif {
    fn draw(draw: &mut Draw) -> Self {
        let lengths = draw.pick(&RHYTHMS).to_vec();
        let steps = lengths.iter().map(|_| step(draw)).collect();
        Motif { lengths, steps }
    }

    /// The same with a change.
    fn varied(&self, draw: &mut Draw) -> Self {
        let mut motif = self.clone();
        let i = draw.index(motif.steps.len());
        motif.steps[i] = step(draw);
        motif
    }
}

/// Small steps are common, leaps rare.
fn step(draw: &mut Draw) -> i32 {
    let size = draw.weighted(&[0.22, 0.44, 0.16, 0.09, 0.05, 0.04]) as i32;
    if draw.chance(0.5) { size } else { -size }
}

/// A song of about `seconds`.
pub fn song(seconds: f32, draw: &mut Draw) -> Passage {
    let beat = 60.0 / draw.range(72.0, 150.0);
    let scale = draw.pick(&SCALES);
    let tonic = draw.range(52.0, 64.0).round();
    let motifs: Vec<Motif> = (0..4).map(|_| Motif::draw(draw)).collect();
    let sections: Vec<Vec<(f32, f32, i32)>> = (0..2).map(|part| section(&motifs[2 * part..][..2], draw)).collect();
    let mut notes = Vec::new();
    let mut start = draw.pick(&[0.0, 2.0, 4.0]) * beat + 0.1;
    for turn in 0.. {
        if start > seconds {
            break;
        }
        let part = draw.pick(&[turn % 2, turn % 2, (turn / 2) % 2]);
        for &(onset, length, degree) in &sections[part] {
            let pitch = tonic + (12 * degree.div_euclid(7) + scale[degree.rem_euclid(7) as usize]) as f32;
            notes.push(Note { onset: start + onset * beat, duration: length * beat, pitch });
        }
        start += 32.0 * beat + draw.pick(&[0.0, 0.0, 4.0, 8.0]) * beat;
    }
    notes.retain(|n| n.onset < seconds);
    Passage { notes: without_overlaps(notes), beat: Some(beat) }
}

/// Eight bars: four phrases of two bars, each ending in a held note and a breath; (onset, length) in beats, degree.
fn section(motifs: &[Motif], draw: &mut Draw) -> Vec<(f32, f32, i32)> {
    let mut notes = Vec::new();
    let mut degree = draw.pick(&[0, 2, 4, 4, 7]);
    let home = draw.integer(2, 5);
    for phrase in 0..4 {
        let opening = if phrase % 2 == 0 { motifs[0].clone() } else { motifs[draw.index(2)].varied(draw) };
        let mut time = phrase as f32 * 8.0;
        for (length, step) in opening.lengths.iter().zip(&opening.steps) {
            notes.push((time, *length, degree));
            time += length;
            // Away from the middle of the range, steps lead back.
            let away = degree - home;
            degree += if away.abs() > 4 && step.signum() == away.signum() { -step } else { *step };
        }
        let closing = motifs[1].varied(draw);
        let rest = draw.pick(&[0.5, 1.0, 1.0, 2.0]);
        for (length, step) in closing.lengths.iter().zip(&closing.steps) {
            if time + length > phrase as f32 * 8.0 + 8.0 - rest {
                break;
            }
            notes.push((time, *length, degree));
            time += length;
            degree = (degree + step).clamp(home - 6, home + 6);
        }
        let last = if phrase == 3 { 0 } else { draw.pick(&[0, 1, 2, 4]) };
        let end = phrase as f32 * 8.0 + 8.0 - rest;
        if end - time >= 0.5 {
            notes.push((time, end - time, last));
        } else if let Some(note) = notes.last_mut() {
            note.2 = last;
        }
    }
    notes
}
