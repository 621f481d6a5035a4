//! Development scores while a training runs, and the learning curve as a picture.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use qbh::eval::melody::MelodyScores;
use qbh::eval::recordings::with_references;
use qbh::eval::reference::Reference;
use qbh::plot::{Curve, learning_curve_svg};
use qbh_models::extractor;
use qbh_training::extractor::Report;
use tch::Device;

use super::{recordings, render};
use crate::cli::complain;

const HEADER: &str = "step,seconds,set,vr,vfa,rpa,rca,oa,auc";
const TABLE: &str = "dev.csv";

/// Arguments of the development scores.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders with recordings and references (as for `qbh eval melody`) to score the weights on as they are saved: dev.csv
    #[arg(long, num_args = 1.., value_name = "DIR")]
    dev: Vec<PathBuf>,
    /// Minutes between two scores
    #[arg(long, default_value_t = 5.0, requires = "dev")]
    dev_minutes: f64,
}

/// The name of a folder, and its recordings at 16 kHz.
type Set = (String, Vec<(Vec<f32>, Reference)>);

/// The recordings, decoded once.
pub struct Dev {
    sets: Vec<Set>,
    every: Duration,
    last: Option<Instant>,
    out: PathBuf,
}

impl Dev {
    /// Reads the development sets; recordings that cannot be read are reported and passed over. Unless a training is resumed,
    /// its scores begin anew.
    pub fn open(args: &Args, out: &Path, resume: bool) -> Result<Self> {
        let table = out.join(TABLE);
        if !resume && table.exists() {
            std::fs::remove_file(&table).with_context(|| format!("cannot remove {}", table.display()))?;
        }
        let mut sets = Vec::new();
        for folder in &args.dev {
            let pairs = with_references(std::slice::from_ref(folder), None)
                .with_context(|| format!("cannot read {}", folder.display()))?;
            let read = |(recording, reference): &(PathBuf, PathBuf)| -> Result<(Vec<f32>, Reference)> {
                Ok((recordings::whole(recording)?, Reference::read(reference, recording, None)?))
            };
            let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().replace(',', " ");
            let mut set = Vec::new();
            for pair in &pairs {
                match read(pair) {
                    Ok(recording) => set.push(recording),
                    Err(error) => complain(format!("{}: {error:#}", pair.0.display())),
                }
            }
            ensure!(!set.is_empty(), "{} holds no recording with a reference", folder.display());
            sets.push((name, set));
        }
        Ok(Dev { sets, every: Duration::from_secs_f64(args.dev_minutes.max(0.0) * 60.0), last: None, out: out.to_path_buf() })
    }

    /// Scores the weights just saved, if there are development sets and it is time, or this is the end.
    pub fn score(&mut self, weights: &Path, report: &Report, threads: usize) -> Result<()> {
        let early = report.share < 1.0 && self.last.is_some_and(|last| last.elapsed() < self.every);
        if self.sets.is_empty() || early {
            return Ok(());
        }
        self.last = Some(Instant::now());
        let extractor = extractor::open(&weights.to_string_lossy(), Device::Cpu)?;
        let path = self.out.join(TABLE);
        let fresh = !path.exists();
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        if fresh {
            writeln!(file, "{HEADER}")?;
        }
        for (name, set) in &self.sets {
            let mut scores: Vec<(MelodyScores, Option<f64>)> = Vec::new();
            for (samples, reference) in set {
                let estimate = render::track(samples, &*extractor)?.into();
                scores.push((reference.score(&estimate, None), reference.voicing_auc(&estimate)));
            }
            let mean = |of: fn(&MelodyScores) -> f64| scores.iter().map(|(s, _)| of(s)).sum::<f64>() / scores.len() as f64;
            let [vr, vfa, rpa, rca, oa] = [mean(|s| s.vr), mean(|s| s.vfa), mean(|s| s.rpa), mean(|s| s.rca), mean(|s| s.oa)];
            let areas: Vec<f64> = scores.iter().filter_map(|(_, auc)| *auc).collect();
            let auc =
                if areas.is_empty() { String::new() } else { format!("{:.4}", areas.iter().sum::<f64>() / areas.len() as f64) };
            writeln!(file, "{},{:.0},{name},{vr:.4},{vfa:.4},{rpa:.4},{rca:.4},{oa:.4},{auc}", report.step, report.seconds)?;
            eprintln!("         {name}: VR {vr:.3}  VFA {vfa:.3}  RPA {rpa:.3}  RCA {rca:.3}  OA {oa:.3}  AUC {auc}");
        }
        // Opening an extractor has set libtorch to one thread.
        tch::set_num_threads(threads as i32);
        Ok(())
    }
}

/// Draws `curve.csv` and `dev.csv` of a training's folder as `curve.svg`: shares of right frames over the steps.
pub fn plot(folder: &Path) -> Result<()> {
    let mut curves: Vec<Curve> = Vec::new();
    let mut push = |name: String, step: f64, value: f64| match curves.iter_mut().find(|curve| curve.name == name) {
        Some(curve) => curve.points.push((step, value)),
        None => curves.push(Curve { name, points: vec![(step, value)] }),
    };
    for (file, columns) in [("curve.csv", &["pitch_accuracy", "voicing_accuracy"][..]), (TABLE, &["oa"][..])] {
        let Ok(mut table) = csv::Reader::from_path(folder.join(file)) else { continue };
        let headers = table.headers()?.clone();
        for row in table.records() {
            let row = row?;
            let cell = |name: &str| headers.iter().position(|h| h == name).and_then(|i| row.get(i));
            let number = |name: &str| cell(name).and_then(|text| text.parse::<f64>().ok());
            for column in columns {
                if let (Some(step), Some(value)) = (number("step"), number(column)) {
                    push(cell("set").map_or(column.replace('_', " "), |set| format!("OA {set}")), step, value);
                }
            }
        }
    }
    std::fs::write(folder.join("curve.svg"), learning_curve_svg(&curves)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_has_a_line_per_measure_and_set() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("curve.csv"), "step,pitch_accuracy,voicing_accuracy\n50,0.5,0.7\n100,0.6,0.8\n").unwrap();
        std::fs::write(dir.path().join("dev.csv"), format!("{HEADER}\n100,9,solo,1,0,1,1,0.9,\n100,9,songs,1,0,1,1,0.6,0.8\n"))
            .unwrap();
        plot(dir.path()).unwrap();
        let svg = std::fs::read_to_string(dir.path().join("curve.svg")).unwrap();
        for name in ["pitch accuracy", "voicing accuracy", "OA solo", "OA songs"] {
            assert!(svg.contains(name), "{name}");
        }
    }
}
