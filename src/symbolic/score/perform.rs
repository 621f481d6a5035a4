//! The notes of bars in the order in which they are played.

use super::Bar;
use crate::symbolic::Span;

/// Two times in quarter notes that are the same.
const SAME: f64 = 1e-6;
/// Notes among which that one is looked for which a tied one continues: those of a chord.
const CHORD: usize = 16;

/// Notes in quarter notes from the beginning, ties joined, and tempo changes likewise. Notes end before there are more than `most`.
pub(in crate::symbolic) fn perform(bars: &[Bar], order: &[usize], most: usize) -> (Vec<Span>, Vec<(f64, f64)>) {
    // The tempo that rules where each bar begins.
    let mut ruling: Vec<Option<f64>> = Vec::with_capacity(bars.len());
    let mut tempo = None;
    for bar in bars {
        ruling.push(tempo);
        tempo = bar.tempi.iter().max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, qpm)| *qpm).or(tempo);
    }
    let (mut now, mut next) = (0.0, 0);
    let (mut spans, mut tempi): (Vec<Span>, Vec<(f64, f64)>) = (Vec::new(), Vec::new());
    for &at in order {
        let Some(bar) = bars.get(at) else { continue };
        if at != next {
            // After a jump the tempo is again what it was there.
            let first = bars.iter().flat_map(|bar| &bar.tempi).map(|(_, qpm)| *qpm).next();
            tempi.extend(ruling[at].or(first.filter(|_| at == 0)).map(|qpm| (now, qpm)));
        }
        next = at + 1;
        tempi.extend(bar.tempi.iter().map(|(place, qpm)| (now + place, *qpm)));
        for note in &bar.notes {
            let (start, end) = (now + note.start, now + note.start + note.length);
            if spans.len() >= most {
                return (spans, tempi);
            }
            let before = spans.iter_mut().rev().take(CHORD).find(|s| s.pitch == note.pitch && (s.end - start).abs() < SAME);
            match before {
                Some(before) if note.continues => before.end = end,
                _ => spans.push(Span { start, end, pitch: note.pitch }),
            }
        }
        now += bar.length;
    }
    (spans, tempi)
}
