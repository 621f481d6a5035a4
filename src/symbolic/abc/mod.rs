//! ABC 2.1: one tune or a book of them, one melody per tune.
//!
//! Of several voices the melody counts ([`choose`](super::choose)), of a chord the top note. Repeats, endings, D.C. and its kin, and the order of parts
//! (`P:` in the header) are followed. Grace notes, other decorations, chord symbols, annotations and overlays (`&`) leave no trace; lyrics tell which
//! voice is sung. Macros are not expanded.

mod bars;
mod body;
mod cursor;
mod field;
mod item;
mod key;
mod parts;
mod voices;

use super::{Melody, SymbolicError, Totals, text};
use voices::TuneReader;

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
        let (notes, part) = self.reader.melody()?;
        let id = Some(self.id).filter(|id| !id.is_empty());
        Ok(Melody { id, title: self.title, artist: self.composer, part, notes })
    }
}

pub(super) fn parse(text: &str) -> Result<Vec<Melody>, SymbolicError> {
    let mut file_header = TuneReader::default();
    let mut melodies: Vec<Melody> = Vec::new();
    let mut tune: Option<Tune> = None;
    let (mut tunes, mut totals, mut failure) = (0usize, Totals::of_notation(text.len()), None);
    let mut close = |tune: Option<Tune>| -> Result<(), SymbolicError> {
        match tune.map(Tune::finish) {
            Some(Ok(melody)) => {
                totals.add(&melody)?;
                melodies.push(melody);
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

    fn played(music: &str) -> String {
        let mut reader = TuneReader::default();
        reader.music(music);
        let letter = |note: &qbh_models::Note| match note.pitch as i32 % 12 {
            0 => 'C',
            2 => 'D',
            4 => 'E',
            5 => 'F',
            7 => 'G',
            9 => 'A',
            _ => 'B',
        };
        reader.melody().map(|(notes, _)| notes.iter().map(letter).collect()).unwrap_or_default()
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
        assert_eq!(played("|::C::|D"), "CCCD");
        assert_eq!(played("|:C|[1D|[2E|]F"), "CDCEF");
        assert_eq!(played("|:C|1. D:|2. E|]"), "CDCE");
        assert_eq!(played("|:C [1 D:|] [2 E ||"), "CDCE");
    }

    #[test]
    fn jumps() {
        assert_eq!(played("C|D!fine!|E|F!D.C.!|"), "CDEFCD");
        assert_eq!(played("C|!segno!D|E|\"^D.S.\"F|]"), "CDEFDEF");
        assert_eq!(played("C|D !coda!|E \"D.C. al Coda\"|!coda! F|"), "CDECDF");
        assert_eq!(played("C|D|!D.C.!|]"), "CDCD");
    }

    #[test]
    fn stray_signs_end() {
        assert_eq!(played(":|:|:|C"), "C");
        assert_eq!(played("C:|:|:|"), "CC");
        assert_eq!(played("[1[2[3"), "");
    }
}
