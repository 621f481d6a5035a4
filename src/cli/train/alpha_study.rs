//! `qbh train extractor --alpha-study`: what the weight of the voicing task does to `multidnn`, as in Table 1 of its paper.

use std::path::PathBuf;

use anyhow::Context as _;
use qbh_models::extractor;
use qbh_training::extractor::multidnn::Tasks;
use qbh_training::extractor::{Report, Settings, Source, train_multidnn};

use crate::cli::eval::extractors::score_set;
use crate::cli::table::Table;

/// Cents within which a pitch is right.
const TOLERANCE: f64 = 50.0;

/// The weights of the paper, and the voicing alone.
const STUDY: [Tasks; 7] = [
    Tasks::Weighted(0.0),
    Tasks::Weighted(0.1),
    Tasks::Weighted(0.3),
    Tasks::Weighted(0.5),
    Tasks::Weighted(0.7),
    Tasks::Weighted(0.9),
    Tasks::VoicingOnly,
];

/// Scores that the paper reports for ADC2004 (vocal) at its best alpha, 0.5.
const PUBLISHED: (Tasks, [f64; 5]) = (Tasks::Weighted(0.5), [0.778, 0.118, 0.714, 0.748, 0.734]);

/// Trains a network per weight, each from the same seed and with the whole budget, and prints the table of their scores on the
/// recordings of the folders. A task that is not trained has no scores.
pub fn run(settings: &Settings, folders: &[PathBuf], source: &Source, report: &mut dyn FnMut(&Report)) -> anyhow::Result<()> {
    let mut table = Table::new(&["alpha", ">VR", ">VFA", ">RPA", ">RCA", ">OA", ">paper: VR", ">VFA", ">RPA", ">RCA", ">OA"]);
    for tasks in STUDY {
        let name = match tasks {
            Tasks::Weighted(alpha) => alpha.to_string(),
            Tasks::VoicingOnly => "voicing-only".to_string(),
        };
        eprintln!("alpha {name}");
        let out = settings.out.join(format!("alpha-{name}"));
        let weights = train_multidnn(&Settings { out, ..settings.clone() }, tasks, source, report)?;
        let extractor = extractor::open(weights.to_str().context("the path is no UTF-8 text")?, settings.device)?;
        let [vr, vfa, rpa, rca, oa] = score_set(&*extractor, folders, TOLERANCE)?.means().map(|interval| Some(interval.mean));
        let scores = match tasks {
            Tasks::Weighted(0.0) => [None, None, rpa, rca, None],
            Tasks::Weighted(_) => [vr, vfa, rpa, rca, oa],
            Tasks::VoicingOnly => [vr, vfa, None, None, None],
        };
        let paper = if tasks == PUBLISHED.0 { PUBLISHED.1.map(Some) } else { [None; 5] };
        let cell = |score: Option<f64>| score.map_or("-".to_string(), |score| format!("{score:.3}"));
        table.row(std::iter::once(name).chain(scores.map(cell)).chain(paper.map(cell)).collect());
    }
    table.write(&mut std::io::stdout().lock())?;
    println!("paper: ADC2004 (vocal), trained on MedleyDB");
    Ok(())
}
