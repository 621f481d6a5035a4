//! Pitch tracks in and out of files: f0 that some other program, or a person, has already extracted.
//!
//! | extension | what |
//! |---|---|
//! | `.txt`, `.f0` | rows of time (s) and f0 (Hz), parted by any whitespace |
//! | `.csv`, `.tsv` | the same parted by commas, semicolons or tabs; a header may name the columns |
//! | `.pv` | one semitone value per line, 0 = unvoiced; the recording of the same name beside it tells whether they are 20 ms (MIR-1K) or 32 ms (MIR-QBSH, iKala) apart ([`PvFrames`]), and without one they are 32 ms apart |
//! | `.json` | what [`write_json`] writes |
//!
//! Whatever its frames, a file becomes a [`PitchTrack`] of 10 ms frames ([`resample`]). Non-positive or missing f0 is
//! unvoiced: a negative value is, as in MIREX, a guess for a frame that is held to be unvoiced. Text is written without such
//! guesses, as the published extractors do; CSV and JSON keep them.
//! Written are text, CSV, JSON, and MIDI (the notes of the track).

mod error;
mod json;
mod notes;
mod pv;
mod resample;
mod rows;
pub(crate) mod table;
mod write;

#[cfg(test)]
mod tests;

pub use error::PitchFileError;
pub use json::write_json;
pub use notes::segment;
pub use pv::PvFrames;
pub use resample::to_track;
pub use write::{write_csv, write_midi, write_text};

use qbh_models::PitchTrack;
use std::io::Read;
use std::path::Path;

/// Largest file read.
const MAX_FILE_BYTES: u64 = 128 << 20;
/// Most rows: half a day at 5 ms.
const MAX_ROWS: usize = 10_000_000;
/// Longest track.
const MAX_SECONDS: f64 = 12.0 * 3600.0;
/// Bytes that [`holds_pitch`] looks at.
const HEAD_BYTES: u64 = 8 << 10;

/// The formats read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PitchFormat {
    /// Rows of time and f0, parted by whitespace, commas or semicolons, with or without a header.
    Rows,
    /// One semitone value per line, at these frames.
    Pv(PvFrames),
    /// What [`write_json`] writes.
    Json,
}

impl PitchFormat {
    /// The format a path's extension stands for; of `.pv` with the frames of MIR-QBSH.
    pub fn of(path: &Path) -> Option<PitchFormat> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" | "f0" | "csv" | "tsv" => Some(PitchFormat::Rows),
            "pv" => Some(PitchFormat::Pv(PvFrames::MIR_QBSH)),
            "json" => Some(PitchFormat::Json),
            _ => None,
        }
    }
}

/// Whether [`read`] takes files of this extension. Text and JSON files need not be pitch files: see [`holds_pitch`].
pub fn is_pitch_file(path: &Path) -> bool {
    PitchFormat::of(path).is_some()
}

/// Whether the extension *and* the beginning of the file are those of a pitch file: for finding pitch files among others.
/// A file that cannot be read holds none.
pub fn holds_pitch(path: &Path) -> bool {
    let Some(format) = PitchFormat::of(path) else {
        return false;
    };
    let mut head = Vec::new();
    if std::fs::File::open(path).and_then(|f| f.take(HEAD_BYTES).read_to_end(&mut head)).is_err() {
        return false;
    }
    if format == PitchFormat::Json {
        return json::is_ours(&head);
    }
    // The last line may be cut off.
    if head.len() as u64 == HEAD_BYTES {
        head.truncate(head.iter().rposition(|b| *b == b'\n').unwrap_or(0));
    }
    parse(format, &head).is_ok()
}

/// The pitch track of a file; the format is told by the extension.
pub fn read(path: &Path) -> Result<PitchTrack, PitchFileError> {
    to_track(&read_samples(path)?)
}

/// The pitch track that a pitch file holds of a recording, see [`read_samples_of`].
pub fn read_of(recording: &Path, path: &Path) -> Result<PitchTrack, PitchFileError> {
    to_track(&read_samples_of(recording, path, None)?)
}

/// What a file says, at its own times; the format is told by the extension. The frames of a `.pv` file are those that fill the
/// recording of its name beside it, or those of MIR-QBSH if there is none: hums are given away without their recordings.
pub fn read_samples(path: &Path) -> Result<Samples, PitchFileError> {
    let recording = pv::recording_beside(path);
    read_with(path, |rows| recording.as_ref().map_or(Ok(PvFrames::MIR_QBSH), |recording| PvFrames::filling(recording, rows)))
}

/// What the pitch file of a recording says, at its own times: the frames of a `.pv` file are `hop` seconds apart, or, if that is not known,
/// those that fill the recording.
pub fn read_samples_of(recording: &Path, path: &Path, hop: Option<f64>) -> Result<Samples, PitchFileError> {
    read_with(path, |rows| hop.map_or_else(|| PvFrames::filling(recording, rows), |hop| Ok(PvFrames::every(hop))))
}

fn read_with(path: &Path, frames: impl FnOnce(usize) -> Result<PvFrames, PitchFileError>) -> Result<Samples, PitchFileError> {
    let extension = || path.extension().unwrap_or_default().to_string_lossy().into_owned();
    let format = PitchFormat::of(path).ok_or_else(|| PitchFileError::UnknownFormat(extension()))?;
    let size = std::fs::metadata(path)?.len();
    if size > MAX_FILE_BYTES {
        let (what, limit) = (format!("a file of {} MiB", size >> 20), format!("{} MiB", MAX_FILE_BYTES >> 20));
        return Err(PitchFileError::TooLarge { what, limit });
    }
    let bytes = std::fs::read(path)?;
    match format {
        PitchFormat::Pv(_) => pv::parse(text(&bytes)?, frames),
        format => parse_samples(format, &bytes),
    }
}

/// The pitch track of a file's bytes.
pub fn parse(format: PitchFormat, bytes: &[u8]) -> Result<PitchTrack, PitchFileError> {
    to_track(&parse_samples(format, bytes)?)
}

fn parse_samples(format: PitchFormat, bytes: &[u8]) -> Result<Samples, PitchFileError> {
    match format {
        PitchFormat::Rows => rows::parse(text(bytes)?),
        PitchFormat::Pv(frames) => pv::parse(text(bytes)?, |_| Ok(frames)),
        PitchFormat::Json => json::parse(bytes),
    }
}

fn text(bytes: &[u8]) -> Result<&str, PitchFileError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        let line = 1 + bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        PitchFileError::malformed(line, "it is not text")
    })
}

/// f0 at any times: what a file says, before it is brought to 10 ms frames.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// Seconds, never decreasing.
    pub times: Vec<f64>,
    /// Hz, 0 = unvoiced, negative = unvoiced with a guess; as many as `times`.
    pub f0: Vec<f64>,
    /// Probability that the frame is voiced, where the file tells; then as many as `times`.
    pub voicing: Option<Vec<f64>>,
}

fn check_rows(rows: usize) -> Result<(), PitchFileError> {
    if rows > MAX_ROWS {
        return Err(PitchFileError::TooLarge { what: format!("{rows} rows"), limit: format!("{MAX_ROWS} rows") });
    }
    Ok(())
}

/// f0 in Hz as written in a file, a missing one brought to 0; `None` if no voice has it.
fn f0_or_unvoiced(hz: f64) -> Option<f64> {
    const HIGHEST: f64 = 20_000.0;
    match hz {
        _ if hz.is_nan() => Some(0.0),
        _ if hz.abs() > HIGHEST => None,
        _ => Some(hz),
    }
}
