//! The training loop, one for extractors, embedders and rerankers.

use std::path::PathBuf;
use std::time::Instant;

use crate::adamw::AdamW;
use crate::checkpoint::{Progress, TrainingState};
use crate::curve::Curve;
use crate::ema::Ema;
use crate::feeder::{DrawBatch, Feeder};
use crate::report::{Sums, TrainingReport};
use crate::settings::{Resume, Settings};
use crate::task::Task;
use qbh_models::ModelError;
use qbh_models::nn::variables::save;

/// Steps between two reports.
const REPORT_STEPS: u64 = 50;

/// Trains until the budget is used up. Writes `NAME.safetensors` (averaged weights, f16), `checkpoint.safetensors` and
/// `curve.csv` to the output folder; returns the first. `report` is called every 50 steps and when weights have been written.
///
/// The settings must have been [prepared](Settings::prepare) before the task was built.
///
/// # Errors
/// Files that cannot be written or do not fit, batches that cannot be drawn, and a network that diverges.
pub(crate) fn run<Batch: Send>(
    settings: &Settings,
    task: &mut dyn Task<Batch>,
    draw: &DrawBatch<Batch>,
    report: &mut dyn FnMut(&TrainingReport),
) -> Result<PathBuf, ModelError> {
    let recipe = task.recipe();
    let schedule = crate::schedule::Schedule { peak: settings.rate.unwrap_or(recipe.schedule.peak), ..recipe.schedule };
    let mut optimiser = AdamW::new(task.variables(), recipe.optimiser);
    let mut ema = Ema::new(task.variables(), recipe.ema);
    let mut progress = resume(settings, task, &mut optimiser, &mut ema)?;
    let mut curve = Curve::open(&settings.out.join("curve.csv"), task.scores(), task.dev_scores(), progress.step)?;
    std::thread::scope(|scope| {
        let mut feeder = Feeder::start(scope, settings.threads, progress.step, draw);
        let (began, before) = (Instant::now(), progress.seconds);
        let (mut sums, mut sums_began, mut saved) = (Sums::new(task.scores()), Instant::now(), before);
        loop {
            progress.seconds = before + began.elapsed().as_secs_f64();
            let share = settings.budget.progress(progress.step, progress.seconds);
            let rate = schedule.rate(progress.step, share);
            let over = share >= 1.0;
            if !over {
                let drawn = feeder.next()?;
                // Dropout repeats itself after a resume.
                tch::manual_seed((settings.seed ^ progress.step.wrapping_mul(0x9E37_79B9)) as i64);
                optimiser.zero_grad();
                let scores = task.backward(&drawn.batch)?;
                if !optimiser.clip_gradients(recipe.clip).is_finite() {
                    return Err(ModelError::Training(format!("the training diverged at step {}", progress.step)));
                }
                optimiser.step(rate);
                progress.step += 1;
                ema.update(progress.step);
                sums.add(&scores, drawn.seconds);
            }
            let save_now = over || progress.seconds - saved >= settings.checkpoint_seconds;
            if !save_now && !progress.step.is_multiple_of(REPORT_STEPS) {
                continue;
            }
            let mut now = TrainingReport {
                progress,
                share: share.min(1.0),
                rate,
                scores: sums.means(),
                consumed: f64::from(sums.steps) * settings.batch as f64 / sums_began.elapsed().as_secs_f64(),
                offered: f64::from(sums.steps) * (settings.batch * settings.threads.max(1)) as f64 / sums.drawing.max(1e-9),
                saved: save_now,
                dev: Vec::new(),
            };
            if save_now {
                state(task, &task.identity(), &mut optimiser, &mut ema).save(progress, &settings.checkpoint())?;
                let dev = write(settings, task, &ema, progress, over)?;
                now.dev = task.dev_scores().iter().copied().zip(dev.unwrap_or_default()).collect();
                saved = progress.seconds;
            }
            curve.push(&now)?;
            report(&now);
            if over {
                return Ok(settings.weights());
            }
            (sums, sums_began) = (Sums::new(task.scores()), Instant::now());
        }
    })
}

/// Everything that a step changes.
fn state<'s, Batch>(
    task: &'s dyn Task<Batch>,
    identity: &'s str,
    optimiser: &'s mut AdamW,
    ema: &'s mut Ema,
) -> TrainingState<'s> {
    TrainingState { architecture: task.architecture(), settings: identity, vs: task.variables(), optimiser, ema }
}

/// Goes on from the checkpoint, if one is there and wanted.
fn resume<Batch>(
    settings: &Settings,
    task: &dyn Task<Batch>,
    optimiser: &mut AdamW,
    ema: &mut Ema,
) -> Result<Progress, ModelError> {
    let path = settings.checkpoint();
    match (settings.resume, path.exists()) {
        (Resume::Never, _) | (Resume::IfThere, false) => Ok(Progress::default()),
        (Resume::Required, false) => Err(ModelError::Training(format!("there is no {} to go on from", path.display()))),
        (_, true) => state(task, &task.identity(), optimiser, ema).resume(&path),
    }
}

/// Writes the averaged weights as they ship; returns their development scores.
fn write<Batch>(
    settings: &Settings,
    task: &mut dyn Task<Batch>,
    ema: &Ema,
    progress: Progress,
    over: bool,
) -> Result<Option<Vec<f64>>, ModelError> {
    let mut metadata = settings.metadata.clone();
    let mut note = |key: &str, value: String| metadata.insert(key.to_string(), value);
    note("architecture", task.architecture().into());
    note("steps", progress.step.to_string());
    note("hours", format!("{:.2}", progress.seconds / 3600.0));
    note("batch", settings.batch.to_string());
    note("seed", settings.seed.to_string());
    note("finished", over.to_string());
    let model = task.model(ema, progress, metadata)?;
    save(&model.tensors, model.metadata, &settings.weights())?;
    Ok(model.dev)
}
