//! From the items as written to the notes as played.

use super::item::{Item, MAX_PASSES};
use crate::symbolic::{MAX_NOTES, Span};

/// The notes in quarter notes, ties joined, and the tempo changes. A section is what lies between `|:` (or the start, or
/// the end of the section before) and `:|`; it is played twice, or as often as its endings are numbered.
pub(super) fn play(items: &[Item]) -> (Vec<Span>, Vec<(f64, f64)>) {
    let mut player = Player::default();
    let (mut at, mut section, mut pass) = (0, 0, 1);
    let mut ending: &[u8] = &[];
    while let Some(item) = items.get(at) {
        at += 1;
        match item {
            Item::Note { pitch, length, tied } => player.note(*pitch, *length, *tied),
            Item::Tempo(qpm) => player.tempi.push((player.now, *qpm)),
            Item::RepeatStart => (section, pass, ending) = (at, 1, &[]),
            Item::SectionEnd if pass > 1 => (section, pass, ending) = (at, 1, &[]),
            Item::SectionEnd => {}
            Item::Ending(passes) => {
                ending = passes;
                if !passes.iter().any(|p| u32::from(*p) == pass) {
                    at = past_ending(items, at);
                }
            }
            Item::RepeatEnd => {
                let comes = |passes: &[u8]| passes.iter().any(|p| u32::from(*p) == pass + 1);
                let next_ending = matches!(items.get(at), Some(Item::Ending(passes)) if comes(passes));
                if pass < MAX_PASSES && (pass == 1 || comes(ending) || next_ending) {
                    (at, pass, ending) = (section, pass + 1, &[]);
                } else {
                    (section, pass, ending) = (at, 1, &[]);
                }
            }
        }
        if player.spans.len() > MAX_NOTES {
            break;
        }
    }
    (player.spans, player.tempi)
}

/// Where an ending that is not played stops: at the next ending or section, or after the repeat sign.
fn past_ending(items: &[Item], from: usize) -> usize {
    let stops = |i: &Item| matches!(i, Item::Ending(_) | Item::RepeatStart | Item::RepeatEnd | Item::SectionEnd);
    match items[from..].iter().position(stops) {
        Some(distance) if items[from + distance] == Item::RepeatEnd => from + distance + 1,
        Some(distance) => from + distance,
        None => items.len(),
    }
}

#[derive(Default)]
struct Player {
    now: f64,
    tied: bool,
    spans: Vec<Span>,
    tempi: Vec<(f64, f64)>,
}

impl Player {
    fn note(&mut self, pitch: Option<i32>, length: f64, tied: bool) {
        let end = self.now + length;
        if let Some(pitch) = pitch.map(f64::from) {
            match self.spans.last_mut() {
                Some(last) if self.tied && last.pitch == pitch => last.end = end,
                _ => self.spans.push(Span { start: self.now, end, pitch }),
            }
        }
        self.now = end;
        self.tied = tied;
    }
}
