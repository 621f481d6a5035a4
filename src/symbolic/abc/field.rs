//! Information fields: `L:1/8`, `Q:1/4=100`, `M:6/8`.

/// Code and value of a field line; `None` for a line of music, also one like `A:|`.
pub(super) fn split(line: &str) -> Option<(char, &str)> {
    let mut chars = line.chars();
    let (code, colon) = (chars.next()?, chars.next()?);
    let value = chars.as_str();
    (code.is_ascii_alphabetic() && colon == ':' && !value.starts_with(['|', ':'])).then_some((code, value))
}

/// The line before a `%`, except an escaped one.
pub(super) fn without_comment(line: &str) -> &str {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if c == '%' && !escaped {
            return &line[..at];
        }
        escaped = c == '\\';
    }
    line
}

/// A fraction such as `1/8`, `3/2` or `2`.
pub(super) fn fraction(text: &str) -> Option<f64> {
    let (over, under) = text.trim().split_once('/').unwrap_or((text.trim(), "1"));
    let (over, under) = (over.trim().parse::<u16>().ok()?, under.trim().parse::<u16>().ok()?);
    (over > 0 && under > 0).then(|| f64::from(over) / f64::from(under))
}

/// A meter: length of its measure in whole notes, and whether it is compound (6/8, 9/8, 12/8). `None` for free meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meter {
    pub whole_notes: f64,
    pub compound: bool,
}

/// `C`, `C|`, `4/4`, `2+3/8`, `(2+3)/8`.
pub(super) fn meter(value: &str) -> Option<Meter> {
    let value: String = value.chars().filter(|c| !matches!(c, '(' | ')' | ' ')).collect();
    if value == "C" || value == "C|" {
        return Some(Meter { whole_notes: 1.0, compound: false });
    }
    let (beats, unit) = value.split_once('/')?;
    let beats = beats.split('+').map(|b| b.parse::<u16>().ok().map(u32::from)).sum::<Option<u32>>()?;
    let unit = unit.parse::<u16>().ok().filter(|u| *u > 0)?;
    let compound = unit >= 8 && beats >= 6 && beats % 3 == 0;
    (beats > 0).then(|| Meter { whole_notes: f64::from(beats) / f64::from(unit), compound })
}

/// A tempo in quarter notes per minute: `1/4=100`, `"Lively" 3/8=60`, `1/4 3/8=40`, and the old `100` or `C=100`, whose
/// beat is the unit note length (`unit`, in quarter notes).
pub(super) fn tempo(value: &str, unit: f64) -> Option<f64> {
    // Text in quotes is for people.
    let value: String = value.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let (beats, rate) = value.split_once('=').unwrap_or(("", &value));
    let beat = match beats.trim() {
        "" | "C" => unit,
        beats => 4.0 * beats.split_whitespace().map(fraction).sum::<Option<f64>>()?,
    };
    let rate: f64 = rate.split_whitespace().next()?.parse().ok()?;
    crate::symbolic::tempo::plausible_qpm(beat * rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_music_lines() {
        assert_eq!(split("K:Gm"), Some(('K', "Gm")));
        assert_eq!(split("A:|"), None);
        assert_eq!(split("|:A"), None);
        assert_eq!(split(""), None);
        assert_eq!(without_comment("AB % c"), "AB ");
        assert_eq!(without_comment("T:100 \\% wool"), "T:100 \\% wool");
    }

    #[test]
    fn meters() {
        assert_eq!(meter("6/8"), Some(Meter { whole_notes: 0.75, compound: true }));
        assert_eq!(meter(" C| "), Some(Meter { whole_notes: 1.0, compound: false }));
        assert_eq!(meter("(2+3)/8"), Some(Meter { whole_notes: 0.625, compound: false }));
        assert_eq!(meter("none"), None);
        assert_eq!(meter("4/0"), None);
    }

    #[test]
    fn tempi_in_quarters() {
        assert_eq!(tempo("1/4=100", 0.5), Some(100.0));
        assert_eq!(tempo("\"Jig\" 3/8=60 \"fast\"", 0.5), Some(90.0));
        assert_eq!(tempo("1/4 3/8 = 40", 0.5), Some(100.0));
        assert_eq!(tempo("240", 0.5), Some(120.0));
        assert_eq!(tempo("\"Slow\"", 0.5), None);
        assert_eq!(tempo("1/4=0", 0.5), None);
        assert_eq!(tempo("1/4=nan", 0.5), None);
    }
}
