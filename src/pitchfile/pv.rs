//! `.pv`: one semitone (MIDI) value per line, 0 = unvoiced.

use super::{PitchFileError, Samples, check_rows};
use std::path::Path;

/// The frames of a `.pv` file, which does not tell them itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PvFrames {
    /// MIR-QBSH, and iKala likewise: 256 samples at 8 kHz without overlap, 32 ms.
    MirQbsh,
    /// MIR-1K: 40 ms every 20 ms.
    Mir1k,
}

impl PvFrames {
    /// MIR-1K if a folder of the path says so (`MIR-1K`, or its `PitchLabel`, which iKala has too), else MIR-QBSH.
    pub fn of(path: &Path) -> PvFrames {
        let plain = |name: &std::ffi::OsStr| name.to_string_lossy().to_lowercase().replace(['-', '_', ' '], "");
        let names: Vec<String> = path.iter().map(plain).collect();
        let any = |test: fn(&str) -> bool| names.iter().any(|name| test(name));
        let mir1k = any(|n| n.contains("mir1k")) || (any(|n| n == "pitchlabel") && !any(|n| n.contains("ikala")));
        if mir1k { PvFrames::Mir1k } else { PvFrames::MirQbsh }
    }

    /// Centre of a frame in seconds.
    fn centre(self, frame: usize) -> f64 {
        match self {
            PvFrames::MirQbsh => (frame as f64 + 0.5) * 0.032,
            PvFrames::Mir1k => (frame as f64 + 1.0) * 0.020,
        }
    }
}

pub(super) fn parse(text: &str, frames: PvFrames) -> Result<Samples, PitchFileError> {
    let mut samples = Samples::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let semitone = line.parse::<f64>().ok().filter(|s| s.is_nan() || (-140.0..=140.0).contains(s));
        let semitone = semitone
            .ok_or_else(|| PitchFileError::malformed(index + 1, format!("{line:?} is not one semitone value from 0 to 140")))?;
        samples.times.push(frames.centre(samples.times.len()));
        check_rows(samples.times.len())?;
        samples.f0.push(if semitone > 0.0 { 440.0 * ((semitone - 69.0) / 12.0).exp2() } else { 0.0 });
    }
    Ok(samples)
}
