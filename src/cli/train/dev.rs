//! Development scores while a training runs, and the learning curve as a picture.

use std::path::{Path, PathBuf};

use anyhow::Result;
use qbh::plot::{Curve, learning_curve_svg};
use qbh::train::dev::{DevScore, DevSets, TABLE};

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

impl Args {
    /// Reads the development sets.
    pub fn open(&self, out: &Path, resumed: bool) -> Result<DevSets> {
        Ok(DevSets::open(&self.dev, self.dev_minutes * 60.0, out, resumed, &super::passed_over)?)
    }
}

/// One line per development set.
pub fn print(scores: &[DevScore]) {
    for DevScore { set, means: [vr, vfa, rpa, rca, oa], auc } in scores {
        let auc = auc.map_or_else(String::new, |auc| format!("  AUC {auc:.4}"));
        eprintln!("         {set}: VR {vr:.3}  VFA {vfa:.3}  RPA {rpa:.3}  RCA {rca:.3}  OA {oa:.3}{auc}");
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
    use qbh::train::dev::COLUMNS;

    #[test]
    fn the_curve_has_a_line_per_measure_and_set() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("curve.csv"), "step,pitch_accuracy,voicing_accuracy\n50,0.5,0.7\n100,0.6,0.8\n").unwrap();
        std::fs::write(
            dir.path().join("dev.csv"),
            format!("{}\n100,9,solo,1,0,1,1,0.9,\n100,9,songs,1,0,1,1,0.6,0.8\n", COLUMNS.join(",")),
        )
        .unwrap();
        plot(dir.path()).unwrap();
        let svg = std::fs::read_to_string(dir.path().join("curve.svg")).unwrap();
        for name in ["pitch accuracy", "voicing accuracy", "OA solo", "OA songs"] {
            assert!(svg.contains(name), "{name}");
        }
    }
}
