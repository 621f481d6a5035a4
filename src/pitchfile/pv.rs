//! `.pv`: one semitone (MIDI) value per line, 0 = unvoiced. Such a file does not tell how far its frames are apart.

use super::{PitchFileError, Samples, check_rows};
use crate::audio;
use std::path::{Path, PathBuf};

/// Rate at which the length of a recording is counted, Hz.
const RATE: u32 = 8000;

/// A recording is taken to belong to frames of a known distance if it is longer or shorter than they are by no more than this factor.
const TOLERANCE: f64 = 1.15;

/// Extensions of recordings that may lie beside a `.pv` file.
const RECORDINGS: [&str; 6] = ["wav", "flac", "mp3", "ogg", "opus", "m4a"];

/// When the frames of a `.pv` file are, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PvFrames {
    /// From one frame to the next.
    hop: f64,
    /// Centre of the first.
    first: f64,
}

impl PvFrames {
    /// MIR-QBSH, and iKala likewise: 256 samples at 8 kHz without overlap, 32 ms.
    pub const MIR_QBSH: PvFrames = PvFrames { hop: 0.032, first: 0.016 };
    /// MIR-1K: 40 ms every 20 ms.
    pub const MIR_1K: PvFrames = PvFrames { hop: 0.020, first: 0.020 };

    /// Frames every `hop` seconds: those of MIR-1K every 20 ms, others without overlap.
    pub fn every(hop: f64) -> PvFrames {
        let is_mir_1k = (hop - PvFrames::MIR_1K.hop).abs() < 1e-6;
        if is_mir_1k { PvFrames::MIR_1K } else { PvFrames { hop, first: 0.5 * hop } }
    }

    /// The frames of which `rows` fill the recording.
    ///
    /// # Errors
    /// [`PitchFileError::Recording`] if it cannot be read, [`PitchFileError::Frames`] if they would be neither 20 nor 32 ms apart.
    pub fn filling(recording: &Path, rows: usize) -> Result<PvFrames, PitchFileError> {
        let seconds = duration(recording)
            .map_err(|source| PitchFileError::Recording { path: recording.to_path_buf(), source: Box::new(source) })?;
        let hop = seconds / rows.max(1) as f64;
        let fits = |frames: &PvFrames| (frames.hop / TOLERANCE..frames.hop * TOLERANCE).contains(&hop);
        [PvFrames::MIR_1K, PvFrames::MIR_QBSH].into_iter().find(fits).ok_or_else(|| PitchFileError::Frames {
            rows,
            seconds,
            path: recording.to_path_buf(),
        })
    }

    /// Centre of a frame in seconds.
    fn centre(self, frame: usize) -> f64 {
        self.first + frame as f64 * self.hop
    }
}

/// Seconds of sound.
fn duration(recording: &Path) -> Result<f64, audio::AudioError> {
    let mut stream = audio::open(recording, RATE)?;
    let mut samples = 0;
    while let Some(chunk) = stream.next_chunk()? {
        samples += chunk.len();
    }
    Ok(samples as f64 / f64::from(RATE))
}

/// The recording of the same name in the same folder.
pub(super) fn recording_beside(path: &Path) -> Option<PathBuf> {
    RECORDINGS.iter().map(|extension| path.with_extension(extension)).find(|path| path.is_file())
}

pub(super) fn parse(
    text: &str,
    frames: impl FnOnce(usize) -> Result<PvFrames, PitchFileError>,
) -> Result<Samples, PitchFileError> {
    let mut f0 = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let semitone = line.parse::<f64>().ok().filter(|s| s.is_nan() || (-140.0..=140.0).contains(s));
        let semitone = semitone
            .ok_or_else(|| PitchFileError::malformed(index + 1, format!("{line:?} is not one semitone value from 0 to 140")))?;
        f0.push(if semitone > 0.0 { 440.0 * ((semitone - 69.0) / 12.0).exp2() } else { 0.0 });
        check_rows(f0.len())?;
    }
    let frames = frames(f0.len())?;
    Ok(Samples { times: (0..f0.len()).map(|frame| frames.centre(frame)).collect(), f0, voicing: None })
}
