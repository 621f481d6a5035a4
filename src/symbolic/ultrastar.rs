//! UltraStar karaoke charts: `#TITLE:`, `#BPM:`, `#GAP:`, then a line a syllable, `: beat length pitch text`.
//!
//! A beat of a chart is a quarter of one of `#BPM`; pitch 0 is middle C. In relative mode beats count from the line break before. The voices of a duet
//! (`P1`, `P2`) are one melody, of which the higher note counts where they sing at once. What is spoken or free (`F`, `R`, `G`) has no pitch.

use super::{MAX_NOTES, Melody, Span, SymbolicError, check_count, skyline, text, to_notes};
use encoding_rs::Encoding;

const ULTRASTAR: &str = "UltraStar chart";
/// MIDI pitch of 0.
const MIDDLE_C: f64 = 60.0;

/// Whether a text begins as a chart does.
pub(super) fn is_chart(head: &str) -> bool {
    let mut lines = head.lines().map(str::trim_start).filter(|line| !line.is_empty());
    let headers: Vec<&str> = lines.by_ref().take_while(|line| line.starts_with('#')).take(100).collect();
    let has = |key: &str| headers.iter().any(|line| header(line).is_some_and(|(name, _)| name == key));
    has("BPM") && (has("TITLE") || has("ARTIST") || has("GAP") || has("MP3") || has("AUDIO"))
}

/// Key and value of `#KEY:value`.
fn header(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.trim_start().strip_prefix('#')?.split_once(':')?;
    Some((key.trim().to_ascii_uppercase(), value.trim()))
}

/// A number with a point or a comma.
fn number(text: &str) -> Option<f64> {
    text.trim().replace(',', ".").parse::<f64>().ok().filter(|number| number.is_finite())
}

pub(super) fn parse(bytes: &[u8]) -> Result<Melody, SymbolicError> {
    let decoded = decode(bytes);
    let malformed = |line: usize, reason: &str| SymbolicError::malformed(ULTRASTAR, format!("line {}", line + 1), reason);
    let (mut title, mut artist) = (None, None);
    let (mut bpm, mut gap, mut relative) = (None, 0.0, false);
    // (beat, length, pitch), and where the line begins in relative mode.
    let (mut notes, mut offset): (Vec<(f64, f64, f64)>, f64) = (Vec::new(), 0.0);
    for (number_of_line, line) in decoded.lines().enumerate() {
        let line = line.trim_start();
        if let Some((key, value)) = header(line) {
            match key.as_str() {
                "TITLE" => title = text::tag(value),
                "ARTIST" => artist = text::tag(value),
                "BPM" => bpm = number(value).filter(|bpm| *bpm > 0.0),
                "GAP" => gap = number(value).unwrap_or(0.0).max(0.0) / 1000.0,
                "RELATIVE" => relative = value.eq_ignore_ascii_case("yes"),
                _ => {}
            }
            continue;
        }
        let Some(kind) = line.chars().next() else { continue };
        let mut fields = line[kind.len_utf8()..].split_whitespace();
        match kind {
            ':' | '*' => {
                let mut field = || fields.next().and_then(number);
                let (Some(beat), Some(length), Some(pitch)) = (field(), field(), field()) else {
                    return Err(malformed(number_of_line, "a note is a beat, a length and a pitch"));
                };
                notes.push((offset + beat, length, pitch));
                check_count(notes.len())?;
            }
            // In relative mode the line break tells where the next line begins: its second number, or the only one.
            '-' if relative => offset += fields.filter_map(number).take(2).last().unwrap_or(0.0),
            // The second voice of a duet begins anew.
            'P' if fields.next().is_some() || line.trim().len() == 2 => offset = 0.0,
            'E' => break,
            _ => {}
        }
    }
    let bpm = bpm.ok_or_else(|| malformed(0, "there is no #BPM, or none above 0"))?;
    let beat = 60.0 / (4.0 * bpm);
    let spans = notes.into_iter().take(MAX_NOTES).map(|(start, length, pitch)| Span {
        start: gap + start * beat,
        end: gap + (start + length) * beat,
        pitch: MIDDLE_C + pitch,
    });
    let notes = to_notes(ULTRASTAR, skyline(spans.collect()))?;
    Ok(Melody { id: None, title, artist, part: None, notes })
}

/// The text of a chart, in the encoding that it names, if it names one and has no mark of another.
fn decode(bytes: &[u8]) -> String {
    let named = bytes.split(|byte| *byte == b'\n').take(100).find_map(|line| {
        let (key, value) = header(std::str::from_utf8(line.trim_ascii_end()).ok()?)?;
        let label =
            if value.to_ascii_uppercase().starts_with("CP") { format!("windows-{}", &value[2..]) } else { value.to_string() };
        (key == "ENCODING").then(|| Encoding::for_label(label.as_bytes()))?
    });
    match named {
        Some(encoding) if std::str::from_utf8(bytes).is_err() && !bytes.starts_with(b"\xff\xfe") => {
            encoding.decode(bytes).0.into_owned()
        }
        _ => text::decode(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(chart: &str) -> Vec<(f64, f64, f64)> {
        let round = |x: f32| (f64::from(x) * 1000.0).round() / 1000.0;
        parse(chart.as_bytes()).unwrap().notes.iter().map(|n| (round(n.onset), round(n.duration), round(n.pitch))).collect()
    }

    #[test]
    fn a_chart_is_played() {
        // 150 BPM, four beats of the chart each: 0.1 s.
        let chart = "#TITLE:Tune\r\n#ARTIST:One, Two\r\n#BPM:150,00\r\n#GAP:1000\r\n: 0 5 0 La\r\n* 5 5 2  la\r\nF 10 5 0 hey\r\n- 18\r\n: 20 10 -5 lo\r\nE\r\n: 99 9 9 x\r\n";
        assert!(is_chart(chart));
        assert_eq!(notes(chart), [(1.0, 0.5, 60.0), (1.5, 0.5, 62.0), (3.0, 1.0, 55.0)]);
        let melody = parse(chart.as_bytes()).unwrap();
        assert_eq!((melody.title.as_deref(), melody.artist.as_deref()), (Some("Tune"), Some("One, Two")));
    }

    #[test]
    fn relative_charts_and_duets() {
        let relative = "#TITLE:a\n#BPM:150\n#RELATIVE:YES\n: 0 5 0 a\n- 8 10\n: 0 5 2 b\n- 6\n: 0 5 4 c\nE\n";
        assert_eq!(notes(relative), [(0.0, 0.5, 60.0), (1.0, 0.5, 62.0), (1.6, 0.5, 64.0)]);
        let duet = "#TITLE:a\n#BPM:150\nP1\n: 0 5 0 a\n: 20 5 0 a\nP 2\n: 10 5 2 b\n: 20 5 4 b\nE\n";
        assert_eq!(notes(duet), [(0.0, 0.5, 60.0), (1.0, 0.5, 62.0), (2.0, 0.5, 64.0)]);
    }

    #[test]
    fn encodings_are_named() {
        let (bytes, ..) = encoding_rs::WINDOWS_1250.encode("#ENCODING:CP1250\n#TITLE:Žluťoučký\n#BPM:150\n: 0 5 0 a\n");
        assert_eq!(parse(&bytes).unwrap().title.as_deref(), Some("Žluťoučký"));
    }

    #[test]
    fn what_is_no_chart_says_so() {
        assert!(!is_chart("# a comment\n0.0 220\n"));
        assert!(!is_chart(""));
        let reason = |chart: &str| parse(chart.as_bytes()).unwrap_err().to_string();
        assert!(reason("#TITLE:a\n#BPM:0\n: 0 1 2 a\n").contains("#BPM"));
        assert!(reason("#TITLE:a\n#BPM:100\n: 0 1\n").contains("line 3"));
        assert!(reason("#TITLE:a\n#BPM:100\nE\n").contains("no notes"));
        assert!(reason("#TITLE:a\n#BPM:100\n: 0 1 2 a\n: 99999999 1 2 a\n").contains("hours"));
    }
}
