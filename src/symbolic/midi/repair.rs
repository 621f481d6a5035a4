//! A mistake some programs make: absolute times written where the format wants the time since the last event.
//!
//! Played as it stands, such a file slows down note by note, and no hum follows. It gives itself away: the deltas of its
//! note events only ever grow, which no music does. Taken as absolute times they are right again, up to their unit, which
//! such programs do not scale to ticks either.

use crate::symbolic::Span;
use midly::{EventIter, MidiMessage, TrackEventKind};
use qbh_models::median;

/// Note events needed to tell, and the share of them whose delta must be larger than the one before.
const FEWEST_EVENTS: usize = 16;
const GROWING: f64 = 0.75;
/// Median seconds between onsets that a melody can have, and the one given to melodies without a credible one.
const CREDIBLE_PACE: std::ops::RangeInclusive<f64> = 0.15..=2.0;
const USUAL_PACE: f64 = 0.5;

/// Whether the deltas of a track are absolute times.
pub(super) fn has_absolute_times(events: EventIter) -> bool {
    let is_note = |k: &TrackEventKind| {
        matches!(k, TrackEventKind::Midi { message: MidiMessage::NoteOn { .. } | MidiMessage::NoteOff { .. }, .. })
    };
    let mut deltas = events.map_while(Result::ok).filter(|e| is_note(&e.kind)).map(|e| e.delta.as_int());
    let Some(mut last) = deltas.next() else {
        return false;
    };
    let (mut count, mut growing) = (1usize, 0usize);
    for delta in deltas {
        if delta < last {
            return false;
        }
        count += 1;
        growing += usize::from(delta > last);
        last = delta;
    }
    count >= FEWEST_EVENTS && growing as f64 >= GROWING * count as f64
}

/// Gives notes whose unit of time is unknown the pace of singing, unless theirs is credible. Sorted by start.
pub(super) fn restore_pace(notes: &mut [Span]) {
    let mut gaps: Vec<f64> = notes.windows(2).map(|w| w[1].start - w[0].start).filter(|gap| *gap > 0.0).collect();
    let Some(median) = median(&mut gaps, f64::total_cmp) else { return };
    if !CREDIBLE_PACE.contains(&median) {
        for note in notes {
            note.start *= USUAL_PACE / median;
            note.end *= USUAL_PACE / median;
        }
    }
}
