//! What the weight of the voicing task does to `multidnn`, as in Table 1 of its paper (Cao, Feng & Li, CSMT 2019): one
//! training per weight, each from the same seed and with the whole budget.

use qbh_models::ModelError;
use qbh_models::extractor::{self, Extractor};
use qbh_training::extractor::multidnn::Tasks;
use qbh_training::extractor::{Source, train_multidnn};
use qbh_training::{Settings, TrainingReport};

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

/// Trains a network per weight, each in a folder of its own, and hands it to `score` with its weight.
///
/// # Errors
/// As a training has them, and what `score` reports.
pub fn study<E: From<ModelError>>(
    settings: &Settings,
    source: &Source,
    report: &mut dyn FnMut(&TrainingReport),
    mut score: impl FnMut(Tasks, &dyn Extractor) -> Result<(), E>,
) -> Result<(), E> {
    for tasks in STUDY {
        let out = settings.out.join(format!("alpha-{}", name(tasks)));
        let weights = train_multidnn(&Settings { out, ..settings.clone() }, tasks, source, report)?;
        score(tasks, &*extractor::open(&weights.to_string_lossy(), settings.device.into())?)?;
    }
    Ok(())
}

/// What a row of the study is called.
pub fn name(tasks: Tasks) -> String {
    match tasks {
        Tasks::Weighted(alpha) => alpha.to_string(),
        Tasks::VoicingOnly => "voicing-only".to_string(),
    }
}
