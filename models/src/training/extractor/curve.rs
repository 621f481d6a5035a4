//! The learning curve on disk: one CSV row every so many steps.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::student::Scores;
use crate::ModelError;

const HEADER: &str = "step,seconds,rate,pitch_loss,voicing_loss,pitch_accuracy,voicing_accuracy,consumed,offered";

/// One row.
pub(super) struct Row {
    /// Steps done.
    pub(super) step: u64,
    /// Seconds of training.
    pub(super) seconds: f64,
    /// Learning rate.
    pub(super) rate: f64,
    /// Sums since the row before.
    pub(super) scores: Scores,
    /// Recordings that the network took per second since the row before.
    pub(super) consumed: f64,
    /// Recordings that the worker threads could have made per second.
    pub(super) offered: f64,
}

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

    /// Appends a row, and logs it.
    pub(super) fn push(&mut self, row: &Row) -> Result<(), ModelError> {
        let Row { step, seconds, rate, scores, consumed, offered } = row;
        let mean = |sum: f64| sum / scores.steps.max(1.0);
        let (pitch_loss, voicing_loss) = (mean(scores.pitch_loss), mean(scores.voicing_loss));
        let (pitch, voicing) = (mean(scores.pitch_accuracy), mean(scores.voicing_accuracy));
        tracing::info!(
            "step {step}, {seconds:.0} s: pitch loss {pitch_loss:.3}, voicing loss {voicing_loss:.3}, pitch {:.1} %, voicing {:.1} %; \
             rate {rate:.1e}; {consumed:.1} recordings/s of {offered:.1} offered",
            100.0 * pitch,
            100.0 * voicing
        );
        let line = format!(
            "{step},{seconds:.1},{rate:.3e},{pitch_loss:.4},{voicing_loss:.4},{pitch:.4},{voicing:.4},{consumed:.2},{offered:.2}"
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
        let row = |step| Row { step, seconds: 1.0, rate: 1e-3, scores: Scores::default(), consumed: 1.0, offered: 2.0 };
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
