//! Development scores of an extractor while it is trained.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use qbh_models::Device;
use qbh_models::extractor;
use qbh_training::TrainingReport;

use super::{PassedOver, TrainError, recordings};
use crate::eval::melody::MelodyScores;
use crate::eval::recordings::with_references;
use crate::eval::reference::Reference;

/// The table of scores, in the folder of the training.
pub const TABLE: &str = "dev.csv";
/// Its columns.
pub const COLUMNS: [&str; 9] = ["step", "seconds", "set", "vr", "vfa", "rpa", "rca", "oa", "auc"];

/// The name of a folder, and its recordings at 16 kHz.
type Set = (String, Vec<(Vec<f32>, Reference)>);

/// Recordings with references, decoded once.
pub struct DevSets {
    sets: Vec<Set>,
    every: Duration,
    last: Option<Instant>,
    table: PathBuf,
}

/// The means of a set: voicing recall and false alarm, raw pitch and chroma accuracy, overall accuracy, and the area under the
/// curve of the voicing, where it can be had.
#[derive(Debug, Clone, PartialEq)]
pub struct DevScore {
    /// The name of the folder.
    pub set: String,
    /// VR, VFA, RPA, RCA and OA, 0..=1.
    pub means: [f64; 5],
    /// AUC, 0..=1.
    pub auc: Option<f64>,
}

impl DevSets {
    /// Reads the recordings of folders, and their references beside them. They are scored every so many seconds into a table in
    /// `out`, which begins anew unless a training is `resumed`. Recordings that cannot be read are passed over.
    ///
    /// # Errors
    /// A folder without a recording and its reference, and a table that cannot be removed.
    pub fn open(
        folders: &[PathBuf],
        every_seconds: f64,
        out: &Path,
        resumed: bool,
        passed_over: &PassedOver,
    ) -> Result<Self, TrainError> {
        let table = out.join(TABLE);
        if !resumed && table.exists() {
            std::fs::remove_file(&table).map_err(|error| TrainError::file(&table, error))?;
        }
        let mut sets = Vec::new();
        for folder in folders {
            let pairs = with_references(std::slice::from_ref(folder), None).map_err(|error| TrainError::file(folder, error))?;
            let read = |(recording, reference): &(PathBuf, PathBuf)| -> Result<(Vec<f32>, Reference), TrainError> {
                let truth = Reference::read(reference, recording, None).map_err(|error| TrainError::file(reference, error))?;
                Ok((recordings::whole(recording)?, truth))
            };
            let mut set = Vec::new();
            for pair in &pairs {
                match read(pair) {
                    Ok(recording) => set.push(recording),
                    Err(error) => passed_over(&pair.0, &error),
                }
            }
            if set.is_empty() {
                return Err(TrainError::nothing(folder, "no recording with a reference"));
            }
            sets.push((folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned(), set));
        }
        Ok(DevSets { sets, every: Duration::from_secs_f64(every_seconds.max(0.0)), last: None, table })
    }

    /// Scores the weights just saved, if there are development sets and it is time, or this is the end; none otherwise.
    ///
    /// # Errors
    /// Weights that cannot be opened, and a table that cannot be written.
    pub fn score(&mut self, weights: &Path, report: &TrainingReport, threads: usize) -> Result<Vec<DevScore>, TrainError> {
        let early = report.share < 1.0 && self.last.is_some_and(|last| last.elapsed() < self.every);
        if self.sets.is_empty() || early {
            return Ok(Vec::new());
        }
        self.last = Some(Instant::now());
        let extractor = extractor::open(&weights.to_string_lossy(), Device::Cpu)?;
        let mut rows = Vec::new();
        for (name, set) in &self.sets {
            let mut scores: Vec<(MelodyScores, Option<f64>)> = Vec::new();
            for (samples, reference) in set {
                let estimate = recordings::track(samples, &*extractor)?.into();
                scores.push((reference.score(&estimate, None), reference.voicing_auc(&estimate)));
            }
            let mean = |of: fn(&MelodyScores) -> f64| scores.iter().map(|(s, _)| of(s)).sum::<f64>() / scores.len() as f64;
            let means = [mean(|s| s.vr), mean(|s| s.vfa), mean(|s| s.rpa), mean(|s| s.rca), mean(|s| s.oa)];
            let areas: Vec<f64> = scores.iter().filter_map(|(_, auc)| *auc).collect();
            let auc = (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64);
            rows.push(DevScore { set: name.clone(), means, auc });
        }
        // Opening an extractor has set libtorch to one thread.
        tch::set_num_threads(threads as i32);
        self.append(report, &rows)?;
        Ok(rows)
    }

    fn append(&self, report: &TrainingReport, rows: &[DevScore]) -> Result<(), TrainError> {
        let failed = |error: &dyn std::fmt::Display| TrainError::file(&self.table, error);
        let fresh = !self.table.exists();
        let file = OpenOptions::new().create(true).append(true).open(&self.table).map_err(|error| failed(&error))?;
        let mut writer = csv::Writer::from_writer(file);
        if fresh {
            writer.write_record(COLUMNS).map_err(|error| failed(&error))?;
        }
        for DevScore { set, means, auc } in rows {
            let mut row = vec![report.progress.step.to_string(), format!("{:.0}", report.progress.seconds), set.clone()];
            row.extend(means.iter().map(|mean| format!("{mean:.4}")));
            row.push(auc.map_or_else(String::new, |auc| format!("{auc:.4}")));
            writer.write_record(&row).map_err(|error| failed(&error))?;
        }
        writer.flush().map_err(|error| failed(&error))
    }
}
