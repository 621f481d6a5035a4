//! Humdrum **kern.
//!
//! The melody is chosen among the **kern spines ([`choose`](super::choose)) by the lyrics in the spines beside them (`**text`), their instruments
//! (`*I"...`, `*I...`) and what they play. Of a split spine the first branch counts, of a chord the top note. Grace notes are left out. The sections of a
//! piece (`*>A`) are played as its expansion list says (`*>[A,A,B]`); where there is none, repeat signs are followed.

mod sections;

use super::choose::{self, Part};
use super::score::{Bar, Written, perform};
use super::tempo::{TempoMap, plausible_qpm};
use super::{MAX_NOTES, Melody, NOTATION_QPM, Span, SymbolicError, check_count, text, to_notes};
use sections::Sections;

const KERN: &str = "**kern";
/// Most columns in a line, and most spines in a file.
const MAX_SPINES: usize = 1000;

/// A spine from the column where it began, through its splits and joins.
#[derive(Default)]
struct Spine {
    kind: Kind,
    name: String,
    /// Whether it holds words.
    words: bool,
    /// Quarter notes so far.
    position: f64,
    /// Line and position of tempo marks, and quarter notes per minute.
    tempi: Vec<(usize, f64, f64)>,
    tokens: Vec<Token>,
    /// Whether the last note is tied to the next.
    tied: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Kind {
    Kern,
    /// Words under the notes of the spine before.
    Lyrics,
    #[default]
    Other,
}

/// A note, a chord or a rest, in quarter notes.
struct Token {
    line: usize,
    start: f64,
    end: f64,
    pitch: Option<f64>,
    continues: bool,
}

pub(super) fn parse(text: &str) -> Result<Melody, SymbolicError> {
    let mut spines: Vec<Spine> = Vec::new();
    // For each column of the current line, the spine it belongs to.
    let mut columns: Vec<usize> = Vec::new();
    let (mut title, mut artist) = (None, None);
    let mut sections = Sections::default();
    let mut sounded = 0;
    for (number, line) in text.lines().enumerate() {
        let malformed = |reason: String| SymbolicError::malformed(KERN, format!("line {}", number + 1), reason);
        if let Some(record) = line.strip_prefix("!!!") {
            if let Some((key, value)) = record.split_once(':') {
                match key {
                    _ if key.starts_with("OTL") && title.is_none() => title = text::tag(value),
                    "COM" if artist.is_none() => artist = text::tag(value),
                    _ => {}
                }
            }
            continue;
        }
        if line.trim().is_empty() || line.starts_with('!') {
            continue;
        }
        let tokens: Vec<&str> = line.split('\t').take(MAX_SPINES + 1).collect();
        if tokens.len() > MAX_SPINES || spines.len() > MAX_SPINES {
            return Err(malformed(format!("more than {MAX_SPINES} spines")));
        }
        if columns.is_empty() {
            if !line.starts_with("**") {
                return Err(malformed("expected the **kern line before any music".to_string()));
            }
            columns = (spines.len()..spines.len() + tokens.len()).collect();
            spines.extend(tokens.iter().map(|_| Spine::default()));
        }
        if tokens.len() != columns.len() {
            return Err(malformed(format!("{} columns where {} spines are open", tokens.len(), columns.len())));
        }
        if line.starts_with('*') {
            sections.interpret(number, &tokens);
            for (i, token) in tokens.iter().enumerate() {
                spines[columns[i]].interpret(token, number);
            }
            columns = next_columns(&tokens, &columns, &mut spines);
        } else if line.starts_with('=') {
            sections.bar_line(number, tokens[0]);
        } else {
            for (i, token) in tokens.iter().enumerate() {
                // Later branches of a split spine run beside the first: its own time must not count them.
                if *token != "." && (i == 0 || columns[i - 1] != columns[i]) {
                    spines[columns[i]].sound(token, number).map_err(malformed)?;
                    sounded += 1;
                }
            }
            check_count(sounded)?;
        }
    }
    if !spines.iter().any(|s| s.kind == Kind::Kern) {
        return Err(SymbolicError::malformed(KERN, "whole file", "there is no **kern spine"));
    }
    let mut parts = Vec::new();
    let mut total = 0;
    let sung = |at: usize| spines[at + 1..].iter().take_while(|s| s.kind != Kind::Kern).any(|s| s.words);
    // The last spine is by convention the top voice: of equal ones it is the melody.
    for (at, spine) in spines.iter().enumerate().rev().filter(|(_, spine)| spine.kind == Kind::Kern) {
        // Tempo is written in every spine; where it is not, any spine's will do.
        let tempi = if spine.tempi.is_empty() { spines.iter().find(|s| !s.tempi.is_empty()).unwrap_or(spine) } else { spine };
        let bars = spine.bars(&sections, &tempi.tempi);
        let (spans, tempi) = perform(&bars, &sections.order(), MAX_NOTES + 1);
        total += spans.len();
        check_count(total)?;
        let map = TempoMap::new(NOTATION_QPM, tempi);
        let notes: Vec<Span> = spans.iter().map(|s| map.span(s)).collect();
        parts.push(Part { name: spine.name.trim().to_string(), lyrics: sung(at), notes, ..Part::default() });
    }
    if parts.iter().all(|part| part.notes.is_empty()) {
        return Err(SymbolicError::no_notes(KERN, "its **kern spines hold no notes"));
    }
    let (spans, part) = choose::melody(parts, &[]);
    let notes = to_notes(KERN, spans)?;
    Ok(Melody { id: None, title, artist, part, notes })
}

/// Applies splits (`*^`), joins (`*v`), exchanges (`*x`), new (`*+`) and ended (`*-`) spines.
fn next_columns(tokens: &[&str], columns: &[usize], spines: &mut Vec<Spine>) -> Vec<usize> {
    let mut next = Vec::with_capacity(columns.len());
    let mut exchange: Option<usize> = None;
    for (i, (&token, &spine)) in tokens.iter().zip(columns).enumerate() {
        match token {
            "*-" => {}
            "*^" => next.extend([spine, spine]),
            "*v" if i > 0 && tokens[i - 1] == "*v" => {}
            "*+" => {
                next.extend([spine, spines.len()]);
                spines.push(Spine::default());
            }
            _ => next.push(spine),
        }
        if token == "*x" {
            let here = next.len() - 1;
            match exchange.take() {
                Some(other) => next.swap(other, here),
                None => exchange = Some(here),
            }
        }
    }
    next
}

impl Spine {
    fn interpret(&mut self, token: &str, line: usize) {
        if let Some(kind) = token.strip_prefix("**") {
            self.kind = match kind {
                "kern" => Kind::Kern,
                "text" | "silbe" | "lyrics" | "lyric" | "vox" => Kind::Lyrics,
                _ => Kind::Other,
            };
        } else if let Some(qpm) = token.strip_prefix("*MM").and_then(|t| t.parse().ok()).and_then(plausible_qpm) {
            self.tempi.push((line, self.position, qpm));
        } else if let Some(name) = token.strip_prefix("*I").filter(|n| !n.starts_with("Tr")) {
            self.name = format!("{} {}", self.name.chars().take(200).collect::<String>(), name.trim_start_matches(['"', '\'']));
        }
    }

    /// Reads a data token: note, rest or chord, or words.
    fn sound(&mut self, token: &str, line: usize) -> Result<(), String> {
        if self.kind == Kind::Lyrics {
            self.words |= token.chars().any(char::is_alphabetic);
        }
        if self.kind != Kind::Kern || token.contains(['q', 'Q']) {
            return Ok(());
        }
        let mut notes = token.split(' ').filter(|n| !n.is_empty());
        let Some(length) = notes.clone().next().map(quarters).transpose()?.flatten() else {
            return Ok(());
        };
        let (start, end) = (self.position, self.position + length);
        self.position = end;
        let top = notes.by_ref().filter_map(|n| Some((pitch(n)?, n))).max_by(|a, b| a.0.total_cmp(&b.0));
        let (pitch, note) = top.map_or((None, ""), |(pitch, note)| (Some(pitch), note));
        let continues = self.tied && note.contains(['_', ']']);
        self.tokens.push(Token { line, start, end, pitch, continues });
        self.tied = note.contains(['[', '_']);
        Ok(())
    }

    /// The spine cut into the stretches between bar lines and labels.
    fn bars(&self, sections: &Sections, tempi: &[(usize, f64, f64)]) -> Vec<Bar> {
        let mut bars: Vec<Bar> = sections.stretches().map(|signs| Bar { signs: signs.clone(), ..Bar::default() }).collect();
        let mut begins = vec![f64::NAN; bars.len()];
        for token in &self.tokens {
            let at = sections.stretch_of(token.line);
            let Some(bar) = bars.get_mut(at) else { continue };
            if begins[at].is_nan() {
                begins[at] = token.start;
            }
            let start = token.start - begins[at];
            bar.length = token.end - begins[at];
            let note = |pitch| Written { start, length: token.end - token.start, pitch, continues: token.continues };
            bar.notes.extend(token.pitch.map(note));
        }
        for &(line, position, qpm) in tempi {
            let at = sections.stretch_of(line);
            if let (Some(bar), Some(begin)) = (bars.get_mut(at), begins.get(at)) {
                bar.tempi.push((if begin.is_nan() { 0.0 } else { (position - begin).max(0.0) }, qpm));
            }
        }
        bars
    }
}

/// Length of a **recip in quarter notes: `4`, `8.`, `3%2`, `0` (breve), `00` (long); `None` if the token tells none.
fn quarters(note: &str) -> Result<Option<f64>, String> {
    let Some(from) = note.find(|c: char| c.is_ascii_digit()) else {
        return Ok(None);
    };
    let recip = &note[from..];
    let digits = recip.find(|c: char| !c.is_ascii_digit()).unwrap_or(recip.len());
    let (number, rest) = recip.split_at(digits);
    let unreadable = || format!("{note:?} has a length that cannot be read");
    let mut whole = match number.bytes().all(|b| b == b'0') {
        true if number.len() <= 3 => (1u32 << number.len()) as f64,
        true => return Err(unreadable()),
        false => 1.0 / number.parse::<u32>().map_err(|_| unreadable())? as f64,
    };
    if let Some(rational) = rest.strip_prefix('%') {
        let digits = rational.find(|c: char| !c.is_ascii_digit()).unwrap_or(rational.len());
        whole *= rational[..digits].parse::<u32>().map_err(|_| unreadable())? as f64;
    }
    let dots = note.bytes().filter(|b| *b == b'.').count().min(8) as i32;
    Ok(Some(4.0 * whole * (2.0 - 0.5f64.powi(dots))))
}

/// MIDI pitch of a note: `c` is middle C, `cc` an octave higher, `C` one lower, `CC` two; `None` for rests.
fn pitch(note: &str) -> Option<f64> {
    if note.contains('r') {
        return None;
    }
    let letter = note.chars().find(|c| matches!(c.to_ascii_lowercase(), 'a'..='g'))?;
    let count = note.chars().filter(|c| *c == letter).count().min(6) as f64;
    let class = match letter.to_ascii_lowercase() {
        'c' => 0.0,
        'd' => 2.0,
        'e' => 4.0,
        'f' => 5.0,
        'g' => 7.0,
        'a' => 9.0,
        _ => 11.0,
    };
    let octave = if letter.is_ascii_lowercase() { count - 1.0 } else { -count };
    let sharps = note.matches('#').count() as f64 - note.matches('-').count() as f64;
    Some(60.0 + class + 12.0 * octave + sharps)
}
