//! `qbh train extractor --alpha-study`: the table of what the weight of the voicing task does to `multidnn`.

use std::path::PathBuf;

use qbh::train::alpha_study::{name, study};
use qbh_training::extractor::Source;
use qbh_training::extractor::multidnn::Tasks;
use qbh_training::{Settings, TrainingReport};

use crate::cli::eval::extractors::score_set;
use crate::cli::table::Table;

/// Cents within which a pitch is right.
const TOLERANCE: f64 = 50.0;

/// Scores that the paper reports for ADC2004 (vocal) at its best alpha, 0.5.
const PUBLISHED: (Tasks, [f64; 5]) = (Tasks::Weighted(0.5), [0.778, 0.118, 0.714, 0.748, 0.734]);

/// Prints the scores of the networks on the recordings of the folders. A task that is not trained has no scores.
pub fn run(
    settings: &Settings,
    folders: &[PathBuf],
    source: &Source,
    report: &mut dyn FnMut(&TrainingReport),
) -> anyhow::Result<()> {
    let mut table = Table::new(&["alpha", ">VR", ">VFA", ">RPA", ">RCA", ">OA", ">paper: VR", ">VFA", ">RPA", ">RCA", ">OA"]);
    study(settings, source, report, |tasks, extractor| -> anyhow::Result<()> {
        let [vr, vfa, rpa, rca, oa] = score_set(extractor, folders, TOLERANCE)?.means().map(|interval| Some(interval.mean));
        let scores = match tasks {
            Tasks::Weighted(0.0) => [None, None, rpa, rca, None],
            Tasks::Weighted(_) => [vr, vfa, rpa, rca, oa],
            Tasks::VoicingOnly => [vr, vfa, None, None, None],
        };
        let paper = if tasks == PUBLISHED.0 { PUBLISHED.1.map(Some) } else { [None; 5] };
        let cell = |score: Option<f64>| score.map_or("-".to_string(), |score| format!("{score:.3}"));
        table.row(std::iter::once(name(tasks)).chain(scores.map(cell)).chain(paper.map(cell)).collect());
        Ok(())
    })?;
    table.write(&mut std::io::stdout().lock())?;
    println!("paper: ADC2004 (vocal), trained on MedleyDB");
    Ok(())
}
