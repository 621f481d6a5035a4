//! A line of music, byte by byte.

use super::item::MAX_PASSES;

/// A place in a line of music. Only ASCII means anything there.
pub(super) struct Cursor<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(line: &'a str) -> Self {
        Cursor { bytes: line.as_bytes(), at: 0 }
    }

    pub fn peek(&self) -> Option<u8> {
        self.byte(0)
    }

    pub fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Moves past the next `end` after this byte, or to the end of the line.
    pub fn skip_past(&mut self, end: u8) {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        self.at = match rest.iter().position(|b| *b == end) {
            Some(distance) => self.at + distance + 2,
            // An unclosed `!` or `+` is an old line break: nothing to skip.
            None if matches!(end, b'!' | b'+') => self.at + 1,
            None => self.bytes.len(),
        };
    }

    /// A whole number of up to four digits; more are read past.
    pub fn number(&mut self) -> Option<u32> {
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = &self.bytes[from..self.at];
        let value = digits.iter().take(4).fold(0, |n, d| 10 * n + u32::from(d - b'0'));
        (!digits.is_empty()).then_some(value)
    }

    /// A note length in units: nothing, `2`, `3/2`, `/`, `//`, `/4`.
    pub fn length(&mut self) -> f64 {
        let mut length = f64::from(self.number().unwrap_or(1));
        while self.peek() == Some(b'/') {
            self.at += 1;
            length /= f64::from(self.number().filter(|n| *n > 0).unwrap_or(2));
        }
        length
    }

    /// The byte after a note length that begins here.
    pub fn after_length(&self) -> Option<u8> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        rest.iter().copied().find(|b| !b.is_ascii_digit() && *b != b'/')
    }

    /// `[K:Gm]`: code and value, and the cursor moves past it.
    pub fn inline_field(&mut self) -> Option<(char, &'a [u8])> {
        let rest = self.bytes.get(self.at..)?;
        let [b'[', code, b':', ..] = rest else {
            return None;
        };
        let end = rest.iter().take(200).position(|b| *b == b']').filter(|_| code.is_ascii_alphabetic())?;
        self.at += end + 1;
        Some((*code as char, &rest[3..end]))
    }

    /// The passes of an ending: `1`, `1,3`, `1-3`, `1.`
    pub fn ending(&mut self) -> Vec<u8> {
        let mut passes = Vec::new();
        while let Some(number) = self.number() {
            let from = match (passes.last(), self.at.checked_sub(2).and_then(|at| self.bytes.get(at))) {
                (Some(&last), Some(b'-')) => last + 1,
                _ => number.min(MAX_PASSES) as u8,
            };
            passes.extend(from..=number.min(MAX_PASSES) as u8);
            match (self.peek(), self.byte(1)) {
                (Some(b',' | b'-'), Some(b'0'..=b'9')) if passes.len() < 16 => self.at += 1,
                _ => break,
            }
        }
        if self.peek() == Some(b'.') && !self.byte(1).is_some_and(|b| b.is_ascii_alphabetic()) {
            self.at += 1;
        }
        passes
    }
}
