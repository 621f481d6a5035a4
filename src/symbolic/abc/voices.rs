//! The voices of a tune.

use super::ABC;
use super::bars::bars;
use super::body::VoiceReader;
use super::cursor::Cursor;
use crate::symbolic::choose::{self, Part};
use crate::symbolic::score::perform;
use crate::symbolic::tempo::TempoMap;
use crate::symbolic::{MAX_BARS, MAX_NOTES, NOTATION_QPM, Span, SymbolicError, check_count, to_notes};
use qbh_models::Note;

/// Most voices of a tune; the notes of others are left out.
const MAX_VOICES: usize = 100;

/// A voice of a tune.
#[derive(Debug, Clone)]
struct Voice {
    id: String,
    name: String,
    lyrics: bool,
    /// `None` until something is written in it.
    reader: Option<VoiceReader>,
}

impl Voice {
    fn reader(&mut self, header: &VoiceReader) -> &mut VoiceReader {
        self.reader.get_or_insert_with(|| header.clone())
    }
}

/// Reads fields and lines of music of all voices of a tune.
#[derive(Debug, Clone, Default)]
pub(super) struct TuneReader {
    /// What the header says, with which every voice begins.
    header: VoiceReader,
    voices: Vec<Voice>,
    /// The voice that is written; `None` until there is one.
    current: Option<usize>,
    /// The order of parts.
    parts: Option<String>,
}

impl TuneReader {
    /// A field line or an inline field.
    pub fn field(&mut self, code: char, value: &str, in_body: bool) {
        match code {
            'V' => self.voice(value, in_body),
            'P' if !in_body => self.parts = Some(value.chars().take(1000).collect()),
            'w' if in_body => {
                if let Some(voice) = self.current.and_then(|at| self.voices.get_mut(at)) {
                    voice.lyrics |= value.chars().any(char::is_alphabetic);
                }
            }
            // What stands before the music of the first voice is for all; and parts begin in all voices at once, though they are written in one.
            _ if in_body && self.voices.iter().all(|voice| voice.reader.is_none()) => self.header.field(code, value, true),
            'P' => self.voices.iter_mut().for_each(|voice| voice.reader(&self.header).field(code, value, true)),
            _ if in_body => {
                if let Some((voice, header)) = self.here() {
                    voice.reader(header).field(code, value, true);
                }
            }
            _ => self.header.field(code, value, false),
        }
    }

    /// A line of music.
    pub fn music(&mut self, line: &str) {
        let mut cursor = Cursor::new(line);
        while let Some(byte) = cursor.peek() {
            if let Some((code, value)) = cursor.inline_field() {
                self.field(code, &String::from_utf8_lossy(value), true);
            } else if let Some((voice, header)) = self.here() {
                voice.reader(header).symbol(byte, &mut cursor);
            } else {
                cursor.at += 1;
            }
        }
    }

    /// `V:1 name="Soprano" clef=treble`: declares a voice, in the body goes on with it.
    fn voice(&mut self, value: &str, in_body: bool) {
        let id: String = value.split_whitespace().next().unwrap_or_default().chars().take(100).collect();
        let known = self.voices.iter().position(|voice| voice.id == id);
        let at = known.or_else(|| (self.voices.len() < MAX_VOICES).then(|| self.add(id)));
        if let Some(voice) = at.and_then(|at| self.voices.get_mut(at)) {
            voice.name = name(value).unwrap_or(std::mem::take(&mut voice.name));
        }
        if in_body {
            self.current = at;
        }
    }

    fn add(&mut self, id: String) -> usize {
        self.voices.push(Voice { id, name: String::new(), lyrics: false, reader: None });
        self.voices.len() - 1
    }

    /// The voice that is written, and the header: the first, where none was named, called 1; `None` where one voice too many was.
    fn here(&mut self) -> Option<(&mut Voice, &VoiceReader)> {
        if self.voices.is_empty() {
            self.add("1".to_string());
        }
        if self.current.is_none() && self.voices.iter().all(|voice| voice.reader.is_none()) {
            self.current = Some(0);
        }
        Some((self.voices.get_mut(self.current?)?, &self.header))
    }

    /// The notes of the melody in seconds, and which voice it is.
    pub fn melody(self) -> Result<(Vec<Note>, Option<String>), SymbolicError> {
        let mut parts = Vec::new();
        let mut total = 0;
        for voice in &self.voices {
            let Some(reader) = voice.reader.as_ref().filter(|reader| reader.has_notes()) else { continue };
            let (bars, order) = bars(&reader.items, self.parts.as_deref(), MAX_BARS);
            let (spans, tempi) = perform(&bars, &order, MAX_NOTES + 1);
            total += spans.len();
            check_count(total)?;
            let map = TempoMap::new(NOTATION_QPM, tempi);
            let notes: Vec<Span> = spans.iter().map(|s| map.span(s)).collect();
            let name = if voice.name.is_empty() { voice.id.clone() } else { voice.name.clone() };
            parts.push(Part { name, lyrics: voice.lyrics, notes, ..Part::default() });
        }
        let (spans, part) = choose::melody(parts, &[]);
        Ok((to_notes(ABC, spans)?, part))
    }
}

/// The name of a voice, in quotes or a word: `name="Soprano"`, `nm=Alto`.
fn name(value: &str) -> Option<String> {
    let at = ["name=", "nm="].into_iter().find_map(|key| Some(value.find(key)? + key.len()))?;
    let rest = &value[at..];
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split_whitespace().next()?,
    };
    Some(name.chars().take(100).collect())
}
