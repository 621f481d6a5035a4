//! Rows of time and f0.

use super::{PitchFileError, Samples, check_rows, f0_or_unvoiced, table};

/// Where in a row to look.
struct Columns {
    time: usize,
    f0: usize,
    voicing: Option<usize>,
    /// Frames below this voicing count as unvoiced.
    threshold: f64,
}

const UNNAMED: Columns = Columns { time: 0, f0: 1, voicing: None, threshold: 0.0 };
const TIME: [&str; 5] = ["time", "times", "timestamp", "seconds", "t"];
const F0: [&str; 8] = ["f0", "f0hz", "frequency", "frequencyhz", "freq", "pitch", "pitchhz", "hz"];
const VOICING: [&str; 4] = ["voicing", "voicingprobability", "voicedprob", "voicedprobability"];

pub(super) fn parse(text: &str) -> Result<Samples, PitchFileError> {
    let mut samples = Samples::default();
    let mut columns = None;
    for (line, cells) in table::rows(text) {
        let malformed = |reason: String| PitchFileError::malformed(line, reason);
        let first_row = columns.is_none();
        let columns: &Columns = match &columns {
            Some(columns) => columns,
            None if number(&cells[0]).is_none() => {
                columns = Some(header(&cells).map_err(malformed)?);
                continue;
            }
            None => columns.insert(UNNAMED),
        };
        let cell = |column: usize| cells.get(column).map(String::as_str).unwrap_or_default();
        let time = number(cell(columns.time)).filter(|t| t.is_finite() && *t >= 0.0);
        let time = time.ok_or_else(|| malformed(format!("{:?} is not a time in seconds", cell(columns.time))))?;
        if samples.times.last().is_some_and(|last| time < *last) {
            return Err(malformed(format!("time goes back to {time} s")));
        }
        if cells.len() <= columns.f0 {
            let expected = if first_row { "time and f0 are expected" } else { "a value for f0 is missing" };
            return Err(malformed(format!("{:?}: {expected}", cells.join(" "))));
        }
        let hz = number(cell(columns.f0)).and_then(f0_or_unvoiced);
        let mut hz = hz.ok_or_else(|| malformed(format!("{:?} is not an f0 in Hz", cell(columns.f0))))?;
        if let Some(column) = columns.voicing {
            let voicing = number(cell(column)).filter(|v| (0.0..=1.0).contains(v));
            let voicing = voicing.ok_or_else(|| malformed(format!("{:?} is not a probability", cell(column))))?;
            if voicing < columns.threshold {
                hz = -hz.abs();
            }
            samples.voicing.get_or_insert_default().push(voicing);
        }
        samples.times.push(time);
        samples.f0.push(hz);
        check_rows(samples.f0.len())?;
    }
    if are_notes(&samples) {
        return Err(PitchFileError::Notes { reason: "the second column tells where a note ends".to_string() });
    }
    Ok(samples)
}

/// Rows of onset and offset: every second value is a time shortly after the first.
fn are_notes(samples: &Samples) -> bool {
    const LONGEST_NOTE: f64 = 10.0;
    let mut rows = samples.times.iter().zip(&samples.f0);
    samples.times.len() > 1 && rows.all(|(time, value)| value > time && *value <= time + LONGEST_NOTE)
}

/// A number, or NaN for the ways programs write a missing value.
fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim_matches('"');
    match cell.to_ascii_lowercase().as_str() {
        "" | "nan" | "na" | "--undefined--" => Some(f64::NAN),
        _ => cell.parse().ok(),
    }
}

fn header(cells: &[String]) -> Result<Columns, String> {
    let plain = |c: &String| c.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let names: Vec<String> = cells.iter().map(plain).collect();
    let find = |known: &[&str]| names.iter().position(|n| known.contains(&n.as_str()));
    let (Some(time), Some(f0)) = (find(&TIME), find(&F0)) else {
        return Err("neither numbers nor a header that names time and f0".to_string());
    };
    // Trackers such as CREPE give every frame an f0, and say in `confidence` whether there is any.
    let confidence = find(&["confidence"]);
    let threshold = if confidence.is_some() { 0.5 } else { 0.0 };
    Ok(Columns { time, f0, voicing: find(&VOICING).or(confidence), threshold })
}
