//! The learning curve on disk: one CSV row per report.

use std::path::{Path, PathBuf};

use crate::report::{Scores, TrainingReport};
use qbh_models::ModelError;

/// Columns that every training has.
const COMMON: [&str; 5] = ["step", "seconds", "rate", "consumed", "offered"];
/// What the names of development scores begin with.
const DEV: &str = "dev_";

/// The file.
pub(crate) struct Curve {
    path: PathBuf,
    columns: Vec<String>,
}

impl Curve {
    /// Starts the file anew, or, after a resume at `step`, keeps its rows up to there; columns that it had under another
    /// name are left empty.
    pub(crate) fn open(path: &Path, scores: &[&str], dev: &[&str], step: u64) -> Result<Self, ModelError> {
        let names = COMMON.iter().chain(scores).map(|name| name.to_string());
        let columns: Vec<String> = names.chain(dev.iter().map(|name| format!("{DEV}{name}"))).collect();
        let kept = if step > 0 && path.exists() { rows(path, &columns, step).map_err(|e| failed(path, e))? } else { Vec::new() };
        let mut writer = csv::Writer::from_path(path).map_err(|e| failed(path, e))?;
        for row in std::iter::once(&columns).chain(&kept) {
            writer.write_record(row).map_err(|e| failed(path, e))?;
        }
        writer.flush().map_err(|source| ModelError::Io { path: path.to_path_buf(), source })?;
        Ok(Curve { path: path.to_path_buf(), columns })
    }

    /// Appends a row; scores that were not measured are left empty.
    pub(crate) fn push(&mut self, report: &TrainingReport) -> Result<(), ModelError> {
        let TrainingReport { progress, rate, consumed, offered, scores, dev, .. } = report;
        let value = |scores: &Scores, name: &str| scores.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let cell = |column: &String| match column.as_str() {
            "step" => progress.step.to_string(),
            "seconds" => format!("{:.1}", progress.seconds),
            "rate" => format!("{rate:.3e}"),
            "consumed" => format!("{consumed:.2}"),
            "offered" => format!("{offered:.2}"),
            name => {
                let found = name.strip_prefix(DEV).map_or_else(|| value(scores, name), |name| value(dev, name));
                found.map_or_else(String::new, |found| format!("{found:.4}"))
            }
        };
        let io = |source| ModelError::Io { path: self.path.clone(), source };
        let file = std::fs::OpenOptions::new().append(true).open(&self.path).map_err(io)?;
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(self.columns.iter().map(cell)).map_err(|e| failed(&self.path, e))?;
        writer.flush().map_err(io)
    }
}

/// The rows of a file up to a step, in the order of the columns.
fn rows(path: &Path, columns: &[String], step: u64) -> Result<Vec<Vec<String>>, csv::Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path)?;
    let headers = reader.headers()?.clone();
    let places: Vec<Option<usize>> = columns.iter().map(|column| headers.iter().position(|name| name == column)).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let row: Vec<String> =
            places.iter().map(|place| place.and_then(|i| record.get(i)).unwrap_or_default().to_string()).collect();
        if row[0].parse::<u64>().is_ok_and(|at| at <= step) {
            rows.push(row);
        }
    }
    Ok(rows)
}

fn failed(path: &Path, error: csv::Error) -> ModelError {
    ModelError::Io { path: path.to_path_buf(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Progress;

    #[test]
    fn a_resumed_curve_has_no_row_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("curve.csv");
        let row = |step| TrainingReport {
            progress: Progress { step, seconds: 1.0 },
            share: 0.5,
            rate: 1e-3,
            scores: vec![("loss", 0.25)],
            consumed: 1.0,
            offered: 2.0,
            saved: step == 100,
            dev: if step == 100 { vec![("loss", 0.5)] } else { Vec::new() },
        };
        let mut curve = Curve::open(&path, &["loss"], &["loss"], 0).unwrap();
        for step in [50, 100, 150] {
            curve.push(&row(step)).unwrap();
        }
        let mut curve = Curve::open(&path, &["loss"], &["loss"], 120).unwrap();
        curve.push(&row(150)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "step,seconds,rate,consumed,offered,loss,dev_loss\n50,1.0,1.000e-3,1.00,2.00,0.2500,\n\
                        100,1.0,1.000e-3,1.00,2.00,0.2500,0.5000\n150,1.0,1.000e-3,1.00,2.00,0.2500,\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_resumed_curve_of_an_older_version_keeps_what_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("curve.csv");
        std::fs::write(&path, "step,seconds,loss,accuracy\n50,2.0,0.5,0.1\n100,4.0,0.4,0.2\n").unwrap();
        Curve::open(&path, &["loss"], &[], 50).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "step,seconds,rate,consumed,offered,loss\n50,2.0,,,,0.5\n");
    }
}
