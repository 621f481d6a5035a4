//! ABC 2.1: one tune or a book of them, one melody per tune.
//!
//! Of several voices the first that plays counts, of a chord the top note. Repeats and numbered endings are played as
//! written; the order of parts (`P:` in the header) is not followed. Grace notes, decorations, chord symbols, annotations,
//! lyrics and overlays (`&`) leave no trace. Macros are not expanded.

mod body;
mod cursor;
mod field;
mod item;
mod key;
mod repeats;

use super::tempo::TempoMap;
use super::{Melody, NOTATION_QPM, SymbolicError, check_totals, text, to_notes};
use body::TuneReader;

const ABC: &str = "ABC";

/// A tune while it is being read.
struct Tune {
    id: String,
    title: Option<String>,
    composer: Option<String>,
    reader: TuneReader,
    /// `K:` ends the header.
    in_body: bool,
}

impl Tune {
    /// A new tune starts from the fields of the file header.
    fn new(id: &str, file_header: &TuneReader) -> Self {
        Tune { id: id.chars().take(100).collect(), title: None, composer: None, reader: file_header.clone(), in_body: false }
    }

    fn line(&mut self, line: &str) {
        match field::split(line) {
            Some(('T', value)) if self.title.is_none() => self.title = text::tag(value),
            Some(('C', value)) if self.composer.is_none() => self.composer = text::tag(value),
            Some((code, value)) => {
                self.reader.field(code, value, self.in_body);
                self.in_body |= code == 'K';
            }
            None if self.in_body => self.reader.music(line),
            None => {}
        }
    }

    fn finish(self) -> Result<Melody, SymbolicError> {
        let (spans, tempi) = repeats::play(&self.reader.items);
        let map = TempoMap::new(NOTATION_QPM, tempi);
        let notes = to_notes(ABC, spans.iter().map(|s| map.span(s)).collect())?;
        let id = Some(self.id).filter(|id| !id.is_empty());
        Ok(Melody { id, title: self.title, artist: self.composer, notes })
    }
}

pub(super) fn parse(text: &str) -> Result<Vec<Melody>, SymbolicError> {
    let mut file_header = TuneReader::default();
    let mut melodies: Vec<Melody> = Vec::new();
    let mut tune: Option<Tune> = None;
    let (mut tunes, mut notes, mut failure) = (0usize, 0, None);
    let mut close = |tune: Option<Tune>| -> Result<(), SymbolicError> {
        match tune.map(Tune::finish) {
            Some(Ok(melody)) => {
                notes += melody.notes.len();
                melodies.push(melody);
                check_totals(melodies.len(), notes)?;
            }
            // One bad tune does not spoil the book.
            Some(Err(error)) => failure = Some(error),
            None => {}
        }
        Ok(())
    };
    let mut text_block = false;
    for raw in text.lines() {
        // Between these directives stands text to print.
        text_block = (text_block || raw.starts_with("%%begintext")) && !raw.starts_with("%%endtext");
        let line = field::without_comment(raw);
        if text_block || line.starts_with("+:") {
            // `+:` continues the field before, which is text too wherever it matters.
        } else if let Some(('X', id)) = field::split(line) {
            close(tune.take())?;
            tunes += 1;
            tune = Some(Tune::new(id.trim(), &file_header));
        } else if raw.trim().is_empty() {
            // An empty line (one that holds only a comment is none) ends a tune; before the music it is a slip.
            if tune.as_ref().is_some_and(|t| t.in_body) {
                close(tune.take())?;
            }
        } else if let Some(tune) = &mut tune {
            tune.line(line);
        } else if let Some((code, value)) = field::split(line) {
            if tunes == 0 && code == 'K' {
                // A tune that forgot its X: line.
                tunes += 1;
                let mut nameless = Tune::new("", &file_header);
                nameless.line(line);
                tune = Some(nameless);
            } else if tunes == 0 {
                file_header.field(code, value, false);
            }
        }
    }
    close(tune)?;
    if tunes == 0 {
        return Err(SymbolicError::malformed(ABC, "whole file", "there is no tune: a tune begins with an X: line"));
    }
    match failure {
        Some(error) if melodies.is_empty() => Err(error),
        _ => Ok(melodies),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::Span;

    fn played(music: &str) -> String {
        let mut reader = TuneReader::default();
        reader.music(music);
        let letter = |s: &Span| match s.pitch as i32 % 12 {
            0 => 'C',
            2 => 'D',
            4 => 'E',
            5 => 'F',
            7 => 'G',
            9 => 'A',
            _ => 'B',
        };
        repeats::play(&reader.items).0.iter().map(letter).collect()
    }

    #[test]
    fn sections_and_endings() {
        assert_eq!(played("|:C D:| E"), "CDCDE");
        assert_eq!(played("C D:|: E F :|"), "CDCDEFEF");
        assert_eq!(played("C::D:|"), "CCDD");
        assert_eq!(played("|:C|1 D:|2 E|| F:|"), "CDCEFF");
        assert_eq!(played("|:C [1 D:| [2 E:| F"), "CDCEF");
        assert_eq!(played("|:C [1,2 D:| [3 E|] F"), "CDCDCEF");
        assert_eq!(played("|:C [1-3 D:|[4 E|] F"), "CDCDCDCEF");
        assert_eq!(played("|:C [1 D:| E"), "CDCE");
        assert_eq!(played("C|D||E|]"), "CDE");
    }

    #[test]
    fn stray_signs_end() {
        assert_eq!(played(":|:|:|C"), "C");
        assert_eq!(played("C:|:|:|"), "CC");
        assert_eq!(played("[1[2[3"), "");
    }
}
