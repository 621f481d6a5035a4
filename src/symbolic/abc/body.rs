//! A voice of the tune body: lines of music to a list of [`Item`]s.

use super::cursor::Cursor;
use super::field::{self, Meter};
use super::item::{Item, MAX_PASSES};
use super::key::{self, Signature, letter_index};
use crate::symbolic::MAX_NOTES;
use crate::symbolic::score::Signs;

/// Tuplet notes still to come, and the factor of their length.
#[derive(Debug, Clone, Copy)]
struct Tuplet {
    left: u32,
    factor: f64,
}

/// Reads fields and lines of music of one voice; holds what they change.
#[derive(Debug, Clone)]
pub(super) struct VoiceReader {
    pub items: Vec<Item>,
    signature: Signature,
    /// Accidentals of the current bar, by letter.
    accidentals: [Option<i8>; 7],
    /// Letter, octave and alteration of a note tied to the next one: across a bar line the accidental holds.
    tied: Option<(u8, i32, i8)>,
    meter: Option<Meter>,
    /// Unit note length in quarter notes, where `L:` told.
    unit: Option<f64>,
    tuplet: Option<Tuplet>,
    /// Factor for the next note, from `>` or `<`.
    broken: f64,
    /// Within `&` ... up to the next bar line.
    overlay: bool,
}

impl Default for VoiceReader {
    fn default() -> Self {
        VoiceReader {
            items: Vec::new(),
            signature: [0; 7],
            accidentals: [None; 7],
            tied: None,
            meter: Some(Meter { whole_notes: 1.0, compound: false }),
            unit: None,
            tuplet: None,
            broken: 1.0,
            overlay: false,
        }
    }
}

impl VoiceReader {
    /// A field line or an inline field.
    pub fn field(&mut self, code: char, value: &str, in_body: bool) {
        match code {
            'K' => self.signature = key::signature(value).unwrap_or(self.signature),
            'M' => self.meter = field::meter(value),
            'L' => self.unit = field::fraction(value).map(|f| 4.0 * f).or(self.unit),
            'Q' => {
                // Of several in a header the last counts.
                if !in_body {
                    self.items.clear();
                }
                self.items.extend(field::tempo(value, self.unit()).map(Item::Tempo));
            }
            'P' if in_body => self.items.extend(value.trim().chars().next().filter(char::is_ascii_alphabetic).map(Item::Part)),
            _ => {}
        }
    }

    /// Whether it has any note.
    pub fn has_notes(&self) -> bool {
        self.items.iter().any(|i| matches!(i, Item::Note { pitch: Some(_), .. }))
    }

    /// Unit note length in quarter notes: `L:`, else 1/16 for meters under 3/4 and 1/8 otherwise.
    fn unit(&self) -> f64 {
        self.unit.unwrap_or_else(|| if self.meter.is_some_and(|m| m.whole_notes < 0.75) { 0.25 } else { 0.5 })
    }

    /// The symbol at the cursor, which moves on.
    pub fn symbol(&mut self, byte: u8, cursor: &mut Cursor) {
        if self.items.len() > 2 * MAX_NOTES {
            cursor.at += 1;
        } else if matches!(byte, b'|' | b':') || (byte == b'[' && cursor.byte(1) == Some(b'|')) {
            self.bar(cursor);
        } else if byte == b'[' && cursor.byte(1).is_some_and(|b| b.is_ascii_digit()) {
            cursor.at += 1;
            self.items.push(Item::Ending(cursor.ending()));
        } else if self.overlay {
            cursor.at += 1;
        } else {
            self.note_or_mark(byte, cursor);
        }
    }

    /// A bar line with its repeat signs, such as `|`, `||`, `:|`, `|:`, `::`, `:|2`, `|]`.
    fn bar(&mut self, cursor: &mut Cursor) {
        let from = cursor.at;
        while matches!(cursor.peek(), Some(b'|' | b':' | b']')) || (cursor.peek() == Some(b'[') && cursor.byte(1) == Some(b'|')) {
            cursor.at += 1;
        }
        let signs = &cursor.bytes[from..cursor.at];
        (self.accidentals, self.overlay) = ([None; 7], false);
        // A lone colon is no bar line.
        if signs == b":" {
            return;
        }
        let only_colons = signs.iter().all(|b| *b == b':');
        let colons = signs.iter().take_while(|b| **b == b':').count() as u32;
        if colons > 0 {
            // `::|` ends what is played three times.
            self.items.push(Item::RepeatEnd(if only_colons || colons < 2 { 0 } else { (colons + 1).min(MAX_PASSES) }));
        } else if signs.len() >= 2 && !signs.ends_with(b":") {
            self.items.push(Item::SectionEnd);
        } else {
            self.items.push(Item::BarLine);
        }
        if signs.ends_with(b":") || only_colons {
            self.items.push(Item::RepeatStart);
        }
        if cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.items.push(Item::Ending(cursor.ending()));
        }
    }

    /// A mark that tells where to go, as a decoration (`!D.C.!`) or an annotation (`"^Fine"`); the cursor stands on its quote.
    fn mark(&mut self, quote: u8, cursor: &Cursor) {
        let rest = cursor.bytes.get(cursor.at + 1..).unwrap_or_default();
        let Some(end) = rest.iter().take(100).position(|b| *b == quote) else { return };
        let text = String::from_utf8_lossy(&rest[..end]);
        let text = text.trim_start_matches(['^', '_', '<', '>', '@']);
        let mut signs = Signs::default();
        match text.to_ascii_lowercase().as_str() {
            "dacoda" => signs.to_coda = true,
            _ => signs.read(text),
        }
        if signs != Signs::default() {
            self.items.push(Item::Signs(signs));
        }
    }

    /// Anything but bar lines, endings and inline fields.
    fn note_or_mark(&mut self, byte: u8, cursor: &mut Cursor) {
        match byte {
            b'"' | b'!' | b'+' => {
                self.mark(byte, cursor);
                return cursor.skip_past(byte);
            }
            b'{' => return cursor.skip_past(b'}'),
            b'&' => self.overlay = true,
            b'>' | b'<' => return self.broken_rhythm(cursor),
            b'-' => self.tie(),
            b'(' if cursor.byte(1).is_some_and(|b| b.is_ascii_digit()) => return self.start_tuplet(cursor),
            b'[' => return self.chord(cursor),
            b'z' | b'x' => {
                cursor.at += 1;
                let length = cursor.length() * self.unit();
                return self.push(None, length);
            }
            b'Z' | b'X' => {
                cursor.at += 1;
                let measures = f64::from(cursor.number().unwrap_or(1));
                let length = 4.0 * self.meter.map_or(1.0, |m| m.whole_notes) * measures;
                return self.push(None, length);
            }
            b'y' => {
                cursor.at += 1;
                cursor.length();
                return;
            }
            _ => {
                if let Some(pitch) = self.note(cursor) {
                    let length = cursor.length() * self.unit();
                    return self.push(Some(pitch), length);
                }
            }
        }
        cursor.at += 1;
    }

    /// MIDI pitch of the note at the cursor, which moves past its letter and octave marks, or not at all if there is no note.
    fn note(&mut self, cursor: &mut Cursor) -> Option<i32> {
        let from = cursor.at;
        let mut accidental: Option<i8> = None;
        while let Some(step) = cursor.peek().and_then(|b| Some([(b'^', 1), (b'_', -1), (b'=', 0)].iter().find(|s| s.0 == b)?.1)) {
            accidental = Some((accidental.unwrap_or(0) + step).clamp(-2, 2));
            cursor.at += 1;
        }
        let letter = cursor.peek().filter(|b| b.is_ascii_alphabetic());
        let Some((letter, index)) = letter.and_then(|l| Some((l, letter_index(l)?))) else {
            cursor.at = from;
            return None;
        };
        cursor.at += 1;
        let mut octave = if letter.is_ascii_lowercase() { 6 } else { 5 };
        while let Some(mark @ (b'\'' | b',')) = cursor.peek() {
            octave = (octave + if mark == b'\'' { 1 } else { -1 }).clamp(0, 10);
            cursor.at += 1;
        }
        let letter = letter.to_ascii_uppercase();
        let held = self.tied.take().filter(|t| (t.0, t.1) == (letter, octave)).map(|t| t.2);
        if accidental.is_some() {
            self.accidentals[index] = accidental;
        }
        let alter = accidental.or(self.accidentals[index]).or(held).unwrap_or(self.signature[index]);
        if cursor.after_length() == Some(b'-') {
            self.tied = Some((letter, octave, alter));
        }
        Some(12 * octave + [0, 2, 4, 5, 7, 9, 11][index] + i32::from(alter))
    }

    /// `[CEG]2`: the top note counts, as long as the first note says, times the length after the bracket.
    fn chord(&mut self, cursor: &mut Cursor) {
        cursor.at += 1;
        let (mut top, mut length, mut tied) = (None, None, false);
        while let Some(byte) = cursor.peek() {
            if byte == b']' {
                cursor.at += 1;
                break;
            }
            if let Some(pitch) = self.note(cursor) {
                let own = cursor.length();
                length.get_or_insert(own);
                if top.is_none_or(|t| pitch > t) {
                    (top, tied) = (Some(pitch), cursor.peek() == Some(b'-'));
                }
            } else if byte == b'"' || byte == b'!' {
                cursor.skip_past(byte);
            } else {
                cursor.at += 1;
            }
        }
        if let (Some(pitch), Some(length)) = (top, length) {
            let length = length * cursor.length() * self.unit();
            self.push(Some(pitch), length);
            if tied {
                self.tie();
            }
        }
    }

    /// Adds a note or rest, scaled by the tuplet and broken rhythm it stands in.
    fn push(&mut self, pitch: Option<i32>, length: f64) {
        let mut length = length * std::mem::replace(&mut self.broken, 1.0);
        if let Some(tuplet) = &mut self.tuplet {
            length *= tuplet.factor;
            tuplet.left -= 1;
            self.tuplet = Some(*tuplet).filter(|t| t.left > 0);
        }
        self.items.push(Item::Note { pitch, length, tied: false });
    }

    fn tie(&mut self) {
        if let Some(Item::Note { tied, .. }) = self.items.last_mut() {
            *tied = true;
        }
    }

    /// `A>B` dots the first note and halves the second, `>>` doubly so; `<` the other way round.
    fn broken_rhythm(&mut self, cursor: &mut Cursor) {
        let sign = cursor.peek();
        let mut short = 1.0;
        while cursor.peek() == sign {
            short *= 0.5;
            cursor.at += 1;
        }
        let (first, second) = if sign == Some(b'>') { (2.0 - short, short) } else { (short, 2.0 - short) };
        if let Some(Item::Note { length, .. }) = self.items.last_mut() {
            *length *= first;
            self.broken = second;
        }
    }

    /// `(p:q:r`: the next r notes are played p in the time of q.
    fn start_tuplet(&mut self, cursor: &mut Cursor) {
        cursor.at += 1;
        let p = cursor.number().unwrap_or(0);
        let mut part = || {
            (cursor.peek() == Some(b':')).then(|| {
                cursor.at += 1;
                cursor.number()
            })?
        };
        let (q, r) = (part(), part());
        let usual = match p {
            2 | 4 | 8 => 3,
            3 | 6 => 2,
            _ if self.meter.is_some_and(|m| m.compound) => 3,
            _ => 2,
        };
        let (q, r) = (q.filter(|q| *q > 0).unwrap_or(usual), r.filter(|r| *r > 0).unwrap_or(p));
        self.tuplet = (p >= 2 && r > 0).then(|| Tuplet { left: r, factor: f64::from(q) / f64::from(p) });
    }
}
