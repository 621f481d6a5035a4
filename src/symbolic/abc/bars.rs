//! From the items as written to bars, and to their order.

use super::item::Item;
use super::parts;
use crate::symbolic::score::{Bar, Written, order};

/// Bars and the parts that they belong to, each with the place of its first bar.
#[derive(Default)]
struct Bars {
    bars: Vec<Bar>,
    parts: Vec<(char, usize)>,
    bar: Bar,
    ending: Vec<u8>,
    tied: bool,
}

/// The bars of a voice, and the order in which they are played: that of the `parts` of the header, if there are any.
pub(super) fn bars(items: &[Item], parts: Option<&str>, most: usize) -> (Vec<Bar>, Vec<usize>) {
    let mut reader = Bars::default();
    items.iter().for_each(|item| reader.item(item));
    reader.close();
    reader.settle();
    let Bars { bars, parts: labels, .. } = reader;
    let signs =
        |from: usize, to: usize| order(bars[from..to].iter().map(|bar| &bar.signs), most).into_iter().map(move |at| at + from);
    let played = match parts.filter(|_| !labels.is_empty()) {
        None => signs(0, bars.len()).collect(),
        Some(parts) => {
            let ends = labels.iter().skip(1).map(|(_, start)| *start).chain([bars.len()]);
            let sections: Vec<(char, usize, usize)> =
                labels.iter().zip(ends).map(|((name, from), to)| (*name, *from, to)).filter(|(_, from, to)| from < to).collect();
            // What stands before the first label is played first.
            let mut played: Vec<usize> = signs(0, labels[0].1).collect();
            for name in parts::sequence(parts) {
                if let Some((_, from, to)) = sections.iter().find(|(known, ..)| *known == name) {
                    played.extend(signs(*from, *to).take(most.saturating_sub(played.len())));
                }
            }
            played
        }
    };
    (bars, played)
}

impl Bars {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Note { pitch, length, tied } => {
                if let Some(pitch) = pitch {
                    let note =
                        Written { start: self.bar.length, length: *length, pitch: f64::from(*pitch), continues: self.tied };
                    self.bar.notes.push(note);
                }
                self.bar.length += length;
                self.tied = *tied;
            }
            Item::Tempo(qpm) => self.bar.tempi.push((self.bar.length, *qpm)),
            Item::BarLine => self.close(),
            Item::RepeatStart => {
                self.close();
                self.end_of_ending();
                self.bar.signs.repeat_start = true;
            }
            Item::RepeatEnd(times) => {
                self.close();
                if let Some(last) = self.bars.last_mut() {
                    last.signs.repeat_end.get_or_insert(*times);
                }
                self.end_of_ending();
            }
            Item::SectionEnd => {
                self.close();
                if let Some(last) = self.bars.last_mut() {
                    last.signs.section_end = true;
                }
                self.end_of_ending();
            }
            Item::Ending(passes) => {
                self.close();
                // An ending that another follows leads back, be it written or not.
                let leads_back = !self.ending.is_empty() && self.ending != *passes;
                if let Some(last) = self.bars.last_mut().filter(|last| leads_back && !last.signs.ending.is_empty()) {
                    last.signs.repeat_end.get_or_insert(0);
                }
                self.ending.clone_from(passes);
                self.bar.signs.ending.clone_from(passes);
            }
            Item::Part(name) => {
                self.close();
                self.settle();
                self.end_of_ending();
                self.parts.push((*name, self.bars.len()));
            }
            Item::Signs(signs) => self.bar.signs.merge(signs.clone()),
        }
    }

    /// Ends the bar at hand, unless nothing has sounded in it.
    fn close(&mut self) {
        if self.bar.length > 0.0 {
            self.bars.push(std::mem::take(&mut self.bar));
            self.bar.signs.ending.clone_from(&self.ending);
        }
    }

    fn end_of_ending(&mut self) {
        self.ending.clear();
        self.bar.signs.ending.clear();
    }

    /// Signs behind the last bar line belong to the bar before it.
    fn settle(&mut self) {
        let signs = std::mem::take(&mut self.bar.signs);
        if let Some(last) = self.bars.last_mut() {
            last.signs.fine |= signs.fine;
            last.signs.to_coda |= signs.to_coda;
            last.signs.jump = last.signs.jump.or(signs.jump);
        }
    }
}
