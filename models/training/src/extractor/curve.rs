//! The learning curve on disk: one CSV row per report.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Report;
use qbh_models::ModelError;

const HEADER: &str = "step,seconds,rate,pitch_loss,voicing_loss,pitch_accuracy,voicing_accuracy,consumed,offered";

/// The file.
pub(super) struct Curve {
    path: PathBuf,
}

impl Curve {
    /// Starts the file anew, or, after a resume at `step`, keeps its rows up to there.
    pub(super) fn open(path: &Path, step: u64) -> Result<Self, ModelError> {
        let mut text = format!("{HEADER}\n");
        if step > 0 {
            let old = std::fs::read_to_string(path).unwrap_or_default();
            let kept = |line: &&str| line.split(',').next().and_then(|s| s.parse::<u64>().ok()).is_some_and(|s| s <= step);
            for line in old.lines().filter(kept) {
                text.push_str(line);
                text.push('\n');
            }
        }
        std::fs::write(path, text).map_err(|source| ModelError::Io { path: path.to_path_buf(), source })?;
        Ok(Curve { path: path.to_path_buf() })
    }

    /// Appends a row.
    pub(super) fn push(&mut self, report: &Report) -> Result<(), ModelError> {
        let Report { step, seconds, rate, pitch_loss, voicing_loss, pitch_accuracy, voicing_accuracy, consumed, offered, .. } =
            report;
        let line = format!(
            "{step},{seconds:.1},{rate:.3e},{pitch_loss:.4},{voicing_loss:.4},{pitch_accuracy:.4},{voicing_accuracy:.4},{consumed:.2},{offered:.2}"
        );
        let io = |source| ModelError::Io { path: self.path.clone(), source };
        let mut file = OpenOptions::new().append(true).open(&self.path).map_err(io)?;
        writeln!(file, "{line}").map_err(io)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_curve_has_no_row_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("curve.csv");
        let row = |step| Report { step, seconds: 1.0, ..Report::default() };
        let mut curve = Curve::open(&path, 0).unwrap();
        for step in [50, 100, 150] {
            curve.push(&row(step)).unwrap();
        }
        let mut curve = Curve::open(&path, 120).unwrap();
        curve.push(&row(150)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let steps: Vec<&str> = text.lines().map(|l| l.split(',').next().unwrap()).collect();
        assert_eq!(steps, ["step", "50", "100", "150"]);
    }
}
