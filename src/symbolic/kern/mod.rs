//! Humdrum **kern.
//!
//! The melody is the spine whose instrument (`*I"...`, `*I...`) is named so, else the last **kern spine, which by
//! convention is the top voice. Of a split spine the first branch counts, of a chord the top note. Grace notes are left out.
//! Repeats and expansion lists are not followed: the music stands as it is written.

use super::names::{Role, role};
use super::tempo::{TempoMap, plausible_qpm};
use super::{Melody, NOTATION_QPM, Span, SymbolicError, check_count, text, to_notes};

const KERN: &str = "**kern";
/// Most columns in a line, and most spines in a file.
const MAX_SPINES: usize = 1000;

/// A spine from the column where it began, through its splits and joins.
#[derive(Default)]
struct Spine {
    kern: bool,
    name: String,
    /// Quarter notes so far.
    position: f64,
    tempi: Vec<(f64, f64)>,
    notes: Vec<Span>,
    /// Whether the last note is tied to the next.
    tied: bool,
}

pub(super) fn parse(text: &str) -> Result<Melody, SymbolicError> {
    let mut spines: Vec<Spine> = Vec::new();
    // For each column of the current line, the spine it belongs to.
    let mut columns: Vec<usize> = Vec::new();
    let (mut title, mut artist) = (None, None);
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
            for (i, token) in tokens.iter().enumerate() {
                spines[columns[i]].interpret(token);
            }
            columns = next_columns(&tokens, &columns, &mut spines);
        } else if !line.starts_with('=') {
            for (i, token) in tokens.iter().enumerate() {
                // Later branches of a split spine run beside the first: its own time must not count them.
                if *token != "." && (i == 0 || columns[i - 1] != columns[i]) {
                    spines[columns[i]].sound(token).map_err(malformed)?;
                    sounded += 1;
                }
            }
            check_count(sounded)?;
        }
    }
    if !spines.iter().any(|s| s.kern) {
        return Err(SymbolicError::malformed(KERN, "whole file", "there is no **kern spine"));
    }
    let with_notes = || spines.iter().filter(|s| s.kern && !s.notes.is_empty());
    let named = with_notes().rfind(|s| role(&s.name) == Role::Melody);
    let Some(melody) = named.or_else(|| with_notes().next_back()) else {
        return Err(SymbolicError::no_notes(KERN, "its **kern spines hold no notes"));
    };
    // Tempo is written in every spine; where it is not, any spine's will do.
    let tempi = if melody.tempi.is_empty() { spines.iter().find(|s| !s.tempi.is_empty()).unwrap_or(melody) } else { melody };
    let map = TempoMap::new(NOTATION_QPM, tempi.tempi.clone());
    let notes = to_notes(KERN, melody.notes.iter().map(|s| map.span(s)).collect())?;
    Ok(Melody { id: None, title, artist, notes })
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
    fn interpret(&mut self, token: &str) {
        if let Some(kind) = token.strip_prefix("**") {
            self.kern = kind == "kern";
        } else if let Some(qpm) = token.strip_prefix("*MM").and_then(|t| t.parse().ok()).and_then(plausible_qpm) {
            self.tempi.push((self.position, qpm));
        } else if let Some(name) = token.strip_prefix("*I").filter(|n| !n.starts_with("Tr")) {
            self.name = format!("{} {}", self.name.chars().take(200).collect::<String>(), name.trim_start_matches('"'));
        }
    }

    /// Reads a data token: note, rest or chord.
    fn sound(&mut self, token: &str) -> Result<(), String> {
        if !self.kern || token.contains(['q', 'Q']) {
            return Ok(());
        }
        let mut notes = token.split(' ').filter(|n| !n.is_empty());
        let Some(length) = notes.clone().next().map(quarters).transpose()?.flatten() else {
            return Ok(());
        };
        let (start, end) = (self.position, self.position + length);
        self.position = end;
        let top = notes.by_ref().filter_map(|n| Some((pitch(n)?, n))).max_by(|a, b| a.0.total_cmp(&b.0));
        let Some((pitch, note)) = top else {
            self.tied = false;
            return Ok(());
        };
        let continues = note.contains(['_', ']']);
        match self.notes.last_mut() {
            Some(last) if self.tied && continues && last.pitch == pitch => last.end = end,
            _ => self.notes.push(Span { start, end, pitch }),
        }
        self.tied = note.contains(['[', '_']);
        Ok(())
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
