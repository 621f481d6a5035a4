//! Rows of MIDI events as `midicsv` writes them: track, tick, kind of event, what it says.

use super::NOTE_LIST;
use crate::pitchfile::table;
use crate::symbolic::choose::{self, Part};
use crate::symbolic::tempo::TempoMap;
use crate::symbolic::{Melody, Span, SymbolicError, check_count, text, to_notes};
use std::collections::BTreeMap;

/// The channel of drums, 0-based, and what the standard plays until the first tempo.
const DRUMS: u32 = 9;
const DEFAULT_QPM: f64 = 120.0;

/// Whether the first row is `0, 0, Header, format, tracks, division`.
pub(super) fn is_header(cells: &[String]) -> bool {
    cells.get(2).is_some_and(|kind| kind.eq_ignore_ascii_case("header")) && cells.len() >= 6
}

#[derive(Default)]
struct Channel {
    notes: Vec<(f64, f64, u32)>,
    /// The sounding note of each key.
    sounding: BTreeMap<u32, usize>,
}

pub(super) fn parse(text: &str) -> Result<Melody, SymbolicError> {
    let (mut ticks, mut tempi) = (480.0, Vec::new());
    let (mut channels, mut names): (BTreeMap<(u32, u32), Channel>, BTreeMap<u32, String>) = (BTreeMap::new(), BTreeMap::new());
    let mut count = 0;
    for (line, cells) in table::rows(text) {
        let malformed = |reason: &str| SymbolicError::malformed(NOTE_LIST, format!("line {line}"), reason);
        let whole = |at: usize| cells.get(at).and_then(|cell| cell.trim().parse::<u32>().ok());
        let (Some(track), Some(tick), Some(kind)) = (whole(0), whole(1), cells.get(2)) else {
            return Err(malformed("an event is a track, a tick and a kind"));
        };
        let at = f64::from(tick) / ticks;
        match kind.to_ascii_lowercase().as_str() {
            "header" => {
                ticks = whole(5)
                    .filter(|ticks| *ticks > 0)
                    .map(f64::from)
                    .ok_or_else(|| malformed("its division is no number above 0"))?;
            }
            "tempo" => tempi.extend(whole(3).filter(|us| *us > 0).map(|us| (at, 60e6 / f64::from(us)))),
            "title_t" => {
                names.insert(track, cells.get(3).and_then(|name| text::tag(name)).unwrap_or_default());
            }
            kind @ ("note_on_c" | "note_off_c") => {
                let (Some(channel), Some(key), Some(velocity)) = (whole(3), whole(4), whole(5)) else {
                    return Err(malformed("a note is a channel, a key and a velocity"));
                };
                let channel = channels.entry((track, channel)).or_default();
                if let Some(note) = channel.sounding.remove(&key).and_then(|open| channel.notes.get_mut(open)) {
                    note.1 = at;
                }
                if kind == "note_on_c" && velocity > 0 {
                    count += 1;
                    check_count(count)?;
                    channel.sounding.insert(key, channel.notes.len());
                    channel.notes.push((at, at, key));
                }
            }
            _ => {}
        }
    }
    let map = TempoMap::new(DEFAULT_QPM, tempi);
    let parts = channels.into_iter().filter(|((_, channel), _)| *channel != DRUMS).map(|((track, _), channel)| {
        let span = |&(start, end, key): &(f64, f64, u32)| map.span(&Span { start, end, pitch: f64::from(key) });
        let mut notes: Vec<Span> = channel.notes.iter().map(span).collect();
        notes.sort_by(|a, b| a.start.total_cmp(&b.start));
        Part { name: names.get(&track).cloned().unwrap_or_default(), notes, ..Part::default() }
    });
    let (spans, part) = choose::melody(parts.collect(), &[]);
    Ok(Melody { id: None, title: None, artist: None, part, notes: to_notes(NOTE_LIST, spans)? })
}
