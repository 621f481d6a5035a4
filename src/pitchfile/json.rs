//! Pitch tracks as JSON: nothing is lost.

use super::{PitchFileError, Samples, check_rows, f0_or_unvoiced};
use qbh_models::PitchTrack;
use qbh_models::pitch::PITCH_HOP;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{self, Write};

const FORMAT: &str = "qbh-pitch";
const VERSION: u32 = 1;

/// The document.
#[derive(Serialize, Deserialize)]
struct Document<'a> {
    /// Always `qbh-pitch`.
    format: Cow<'a, str>,
    /// Version of this schema.
    version: u32,
    /// Seconds between frames; frame `i` is at `i * hop`.
    hop: f64,
    /// Hz, 0 = unvoiced, negative = unvoiced with a guess.
    f0: Cow<'a, [f32]>,
    /// Probability that the frame is voiced, one per frame.
    voicing: Cow<'a, [f32]>,
}

/// Writes `{"format": "qbh-pitch", "version": 1, "hop": 0.01, "f0": [...], "voicing": [...]}`.
pub fn write_json(track: &PitchTrack, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        format: Cow::Borrowed(FORMAT),
        version: VERSION,
        hop: PITCH_HOP,
        f0: Cow::Owned(track.signed_f0().collect()),
        voicing: Cow::Borrowed(&track.voicing),
    };
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

/// Whether the beginning of a file is that of our JSON.
pub(super) fn is_ours(head: &[u8]) -> bool {
    head.trim_ascii_start().starts_with(b"{") && head.windows(FORMAT.len()).any(|w| w == FORMAT.as_bytes())
}

pub(super) fn parse(bytes: &[u8]) -> Result<Samples, PitchFileError> {
    let document: Document = serde_json::from_slice(bytes)
        .map_err(|e| PitchFileError::malformed(e.line().max(1), format!("not a {FORMAT} document: {e}")))?;
    let malformed = |reason: String| PitchFileError::malformed(1, reason);
    if document.format != FORMAT || document.version != VERSION {
        let Document { format, version, .. } = &document;
        return Err(malformed(format!("it is {format:?} version {version}, not {FORMAT:?} version {VERSION}")));
    }
    if document.f0.len() != document.voicing.len() {
        return Err(malformed(format!("{} f0 for {} voicing values", document.f0.len(), document.voicing.len())));
    }
    if !(0.001..=0.25).contains(&document.hop) {
        return Err(malformed(format!("a hop of {} s is not from 0.001 to 0.25", document.hop)));
    }
    check_rows(document.f0.len())?;
    let f0: Option<Vec<f64>> = document.f0.iter().map(|&hz| f0_or_unvoiced(f64::from(hz))).collect();
    let f0 = f0.ok_or_else(|| malformed("an f0 is beyond 20 kHz".to_string()))?;
    if !document.voicing.iter().all(|v| (0.0..=1.0).contains(v)) {
        return Err(malformed("a voicing value is not from 0 to 1".to_string()));
    }
    Ok(Samples {
        times: (0..f0.len()).map(|i| i as f64 * document.hop).collect(),
        f0,
        voicing: Some(document.voicing.iter().map(|&v| f64::from(v)).collect()),
    })
}
