//! From several notes at a time to one.

use super::{Note, Span};

/// Notes that begin this close together (seconds) form a chord.
const CHORD: f64 = 0.03;
/// What is left of a note after being cut must last this long (seconds).
const SHORTEST: f64 = 0.03;
/// Notes that overlap by no more than this (seconds) follow each other: their times have been rounded.
const ROUNDING: f64 = 0.001;
/// A lower note that begins while a higher one still sounds takes over if the rest of the higher is at most this share of
/// either: then the two are legato, not melody and accompaniment.
const LEGATO: f64 = 0.4;
/// Semitones beyond which a lower note is accompaniment, however the notes overlap.
const OCTAVE: f64 = 12.0;

/// The skyline (Uitdenbogerd and Zobel, ACM Multimedia 1998): the highest of the notes that begin together, until the next
/// kept note begins. A lower note under a sounding higher one is left out, unless they merely overlap (legato); a covered
/// note does not resume. Spans in seconds, any order; the result is sorted and does not overlap.
pub fn skyline(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|s| s.start.is_finite() && s.end.is_finite() && s.end > s.start);
    spans.sort_by(|a, b| a.start.total_cmp(&b.start).then(b.pitch.total_cmp(&a.pitch)));
    let mut melody: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        let Some(last) = melody.last_mut() else {
            melody.push(span);
            continue;
        };
        if span.start < last.end {
            let rest = last.end - span.start;
            let chord = span.start - last.start < CHORD;
            let legato = !chord
                && last.pitch - span.pitch <= OCTAVE
                && rest <= LEGATO * (last.end - last.start)
                && rest <= LEGATO * (span.end - span.start);
            if rest > ROUNDING && span.pitch <= last.pitch && !legato {
                continue;
            }
            last.end = span.start;
            if last.end - last.start < SHORTEST {
                melody.pop();
            }
        }
        melody.push(span);
    }
    melody
}

/// Notes of one melody, one at a time: their [`skyline`].
pub fn monophonic(notes: impl IntoIterator<Item = Note>) -> Vec<Note> {
    skyline(notes.into_iter().map(Span::from).collect()).into_iter().map(Note::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(start: f64, end: f64, pitch: f64) -> Span {
        Span { start, end, pitch }
    }

    #[test]
    fn the_top_of_chords_over_a_held_bass() {
        let melody = skyline(vec![
            span(0.0, 4.0, 40.0),
            span(0.0, 1.0, 72.0),
            span(0.0, 1.0, 67.0),
            span(0.5, 1.0, 64.0),
            span(1.0, 2.0, 74.0),
        ]);
        assert_eq!(melody, [span(0.0, 1.0, 72.0), span(1.0, 2.0, 74.0)]);
    }

    #[test]
    fn legato_overlap_keeps_the_lower_note() {
        let melody = skyline(vec![span(0.0, 1.05, 72.0), span(1.0, 2.0, 71.0), span(1.95, 3.0, 74.0)]);
        assert_eq!(melody, [span(0.0, 1.0, 72.0), span(1.0, 1.95, 71.0), span(1.95, 3.0, 74.0)]);
    }

    #[test]
    fn a_leap_down_is_no_accompaniment_where_notes_only_touch() {
        let notes = [span(0.0, 1.0000001, 80.0), span(1.0, 2.0, 60.0)];
        assert_eq!(skyline(notes.to_vec()), [span(0.0, 1.0, 80.0), notes[1]]);
        assert_eq!(skyline(vec![span(0.0, 1.1, 80.0), notes[1]]), [span(0.0, 1.1, 80.0)]);
    }

    proptest! {
        #[test]
        fn is_monophonic(raw in prop::collection::vec((0.0..50.0f64, 0.01..5.0f64, 30.0..90.0f64), 0..60)) {
            let melody = skyline(raw.iter().map(|&(s, d, p)| span(s, s + d, p)).collect());
            prop_assert!(raw.is_empty() == melody.is_empty());
            for pair in melody.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start && pair[0].start < pair[0].end);
            }
        }
    }
}
