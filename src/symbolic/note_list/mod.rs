//! Lists of notes as transcribers and annotators write them: rows of onset (s), end or duration (s), and pitch (MIDI number, name, or Hz), with a header
//! that names the columns, or without one as onset, end, pitch; and the rows of MIDI events of `midicsv` ([`events`]).

mod events;

use super::{MAX_NOTES, Melody, Span, SymbolicError, check_count, skyline, to_notes};
use crate::pitchfile::table;

const NOTE_LIST: &str = "list of notes";
/// A row whose end is later than this after its onset (seconds) is none of a note, where no header says so.
const LONGEST_NOTE: f64 = 60.0;

const ONSET: [&str; 12] =
    ["onset", "onsets", "onsettime", "onsetsec", "onsets", "start", "starttime", "starttimes", "starts", "begin", "time", "t"];
const END: [&str; 9] = ["offset", "offsettime", "offsetsec", "offsets", "end", "endtime", "endtimes", "ends", "stop"];
const DURATION: [&str; 7] = ["duration", "durations", "durationsec", "durationseconds", "dur", "length", "len"];
const PITCH: [&str; 13] = [
    "pitch",
    "pitchmidi",
    "midipitch",
    "midi",
    "midinote",
    "midinotenumber",
    "note",
    "notenumber",
    "notename",
    "key",
    "value",
    "pitches",
    "label",
];
const FREQUENCY: [&str; 7] = ["frequency", "frequencyhz", "freq", "hz", "pitchhz", "f0", "f0hz"];

/// Where in a row to look.
struct Columns {
    onset: usize,
    end: usize,
    /// Whether the end is given as a duration.
    lasts: bool,
    pitch: usize,
    /// Whether pitch is in Hz; without a header the values tell.
    hz: Option<bool>,
    /// Whether a header says all this.
    named: bool,
}

/// The row that the values of which are not numbers name columns in; `None` if it names no note.
fn header(cells: &[String]) -> Option<Columns> {
    let plain = |cell: &String| cell.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let names: Vec<String> = cells.iter().map(plain).collect();
    let find = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
    let (end, lasts) = match find(&END) {
        Some(end) => (end, false),
        None => (find(&DURATION)?, true),
    };
    let (pitch, hz) = match find(&PITCH) {
        Some(pitch) => (pitch, None),
        None => (find(&FREQUENCY)?, Some(true)),
    };
    Some(Columns { onset: find(&ONSET)?, end, lasts, pitch, hz, named: true })
}

/// Whether a text begins as a list of notes.
pub(super) fn is_list(head: &str) -> bool {
    if table::rows(head).next().is_some_and(|(_, cells)| events::is_header(&cells)) {
        return true;
    }
    rows(head).is_ok_and(|notes| !notes.is_empty())
}

pub(super) fn parse(text: &str) -> Result<Melody, SymbolicError> {
    if table::rows(text).next().is_some_and(|(_, cells)| events::is_header(&cells)) {
        return events::parse(text);
    }
    let notes = to_notes(NOTE_LIST, skyline(rows(text)?))?;
    Ok(Melody { id: None, title: None, artist: None, part: None, notes })
}

/// The notes of a list in the order of its rows.
fn rows(text: &str) -> Result<Vec<Span>, SymbolicError> {
    let malformed = |line: usize, reason: &str| SymbolicError::malformed(NOTE_LIST, format!("line {line}"), reason);
    let mut notes: Vec<Span> = Vec::new();
    let mut columns: Option<Columns> = None;
    for (line, cells) in table::rows(text) {
        let number =
            |at: usize| cells.get(at).and_then(|cell| cell.trim_matches('"').parse::<f64>().ok()).filter(|n| n.is_finite());
        let columns = match &columns {
            Some(columns) => columns,
            None if number(0).is_none() => {
                columns = Some(
                    header(&cells)
                        .ok_or_else(|| malformed(line, "neither numbers nor a header that names onset, end and pitch"))?,
                );
                continue;
            }
            None => columns.insert(Columns { onset: 0, end: 1, lasts: false, pitch: 2, hz: None, named: false }),
        };
        let pitch = number(columns.pitch).or_else(|| pitch_of_name(cells.get(columns.pitch)?));
        let (Some(onset), Some(end), Some(pitch)) = (number(columns.onset), number(columns.end), pitch) else {
            return Err(malformed(line, "a note is an onset, an end and a pitch"));
        };
        let end = if columns.lasts { onset + end } else { end };
        let is_none = !columns.named && (end <= onset || end - onset > LONGEST_NOTE);
        if onset < 0.0 || end < onset || is_none || pitch < 0.0 {
            return Err(malformed(line, "its end does not come after its onset, or its pitch is none"));
        }
        notes.push(Span { start: onset, end, pitch });
        if notes.len() > MAX_NOTES {
            check_count(notes.len())?;
        }
    }
    let in_hz = columns.and_then(|columns| columns.hz).unwrap_or_else(|| notes.iter().any(|note| note.pitch > 127.0));
    if in_hz {
        notes.retain(|note| note.pitch > 0.0);
        notes.iter_mut().for_each(|note| note.pitch = 69.0 + 12.0 * (note.pitch / 440.0).log2());
    }
    Ok(notes)
}

/// MIDI pitch of `C4` (middle C, 60), `F#5`, `Bb3`.
fn pitch_of_name(name: &str) -> Option<f64> {
    let name = name.trim().trim_matches('"');
    let letter = name.chars().next()?;
    let class = [9, 11, 0, 2, 4, 5, 7].get("ABCDEFG".find(letter.to_ascii_uppercase())?)?;
    let octave_at = name.find(|c: char| c == '-' || c.is_ascii_digit())?;
    let accidentals = name.get(1..octave_at)?.chars();
    let alter = accidentals.map(|c| {
        Some(match c {
            '#' | '♯' => 1,
            'b' | '♭' => -1,
            _ => return None,
        })
    });
    let alter: i32 = alter.sum::<Option<i32>>()?;
    let octave: i32 = name[octave_at..].parse().ok().filter(|octave| (-1..=10).contains(octave))?;
    Some(f64::from(12 * (octave + 1) + class + alter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(text: &str) -> Vec<(f64, f64, f64)> {
        assert!(is_list(text), "{text}");
        let round = |x: f32| (f64::from(x) * 100.0).round() / 100.0;
        parse(text).unwrap().notes.iter().map(|n| (round(n.onset), round(n.duration), round(n.pitch))).collect()
    }

    const TUNE: [(f64, f64, f64); 3] = [(0.5, 0.5, 60.0), (1.0, 0.25, 62.0), (1.5, 1.0, 69.0)];

    #[test]
    fn lists_of_many_programs() {
        for text in [
            "start_time_s,end_time_s,pitch_midi,velocity,pitch_bend\n0.5,1.0,60,80,0,1\n1.0,1.25,62,80,0\n1.5,2.5,69,80,0\n",
            "0.5 1.0 60\n1.0 1.25 62\n1.5 2.5 69\n",
            "# onset offset pitch\n0.5\t1.0\t60.0\n1.0\t1.25\t62.0\n1.5\t2.5\t69.0\n",
            "0.5,1.0,261.6256\n1.0,1.25,293.6648\n1.5,2.5,440.0\n",
            "onset;duration;note\n0,5;0,5;C4\n1,0;0,25;D4\n1,5;1,0;A4\n",
            "TIME,VALUE,DURATION,LEVEL,LABEL\n0.5,261.6256,0.5,0.8,\n1.0,293.6648,0.25,0.8,\n1.5,440,1.0,0.8,\n",
            "Onset,Offset,Frequency (Hz)\n1.0,1.25,293.6648\n0.5,1.0,261.6256\n1.5,2.5,440\n",
            "0, 0, Header, 1, 2, 480\n1, 0, Start_track\n1, 0, Tempo, 500000\n1, 0, End_track\n2, 0, Start_track\n2, 0, Title_t, \"Voice\"\n\
             2, 480, Note_on_c, 0, 60, 81\n2, 960, Note_off_c, 0, 60, 0\n2, 960, Note_on_c, 0, 62, 81\n2, 1200, Note_on_c, 0, 62, 0\n\
             2, 1440, Note_on_c, 0, 69, 9\n2, 2400, Note_off_c, 0, 69, 0\n2, 2400, End_track\n0, 0, End_of_file\n",
        ] {
            assert_eq!(notes(text), TUNE, "{text}");
        }
    }

    #[test]
    fn pitch_tracks_and_other_texts_are_no_lists() {
        for text in [
            "0.00 220.0\n0.01 221.0\n",
            "0.00 0.0 0.1\n0.01 221.0 0.9\n",
            "0.01 221.0 0.9\n0.02 222.0 0.9\n",
            "time,frequency,confidence\n0,220,0.9\n",
            "0.5 1.0\n1.0 1.5\n",
            "name,age\nx,3\n",
            "Dear Sir,\n",
            "",
        ] {
            assert!(!is_list(text), "{text}");
        }
    }

    #[test]
    fn pitches_have_names() {
        let named = ["C4", "a4", "F#5", "Bb3", "C-1", "B#3", "H4", "C", "Cx4", "C99"].map(pitch_of_name);
        assert_eq!(named, [Some(60.0), Some(69.0), Some(78.0), Some(58.0), Some(0.0), Some(60.0), None, None, None, None]);
    }
}
