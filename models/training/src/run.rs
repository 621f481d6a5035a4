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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adamw::AdamWConfig;
    use crate::schedule::Schedule;
    use crate::task::{Model, Recipe};
    use qbh_synthesis::random::stream;
    use std::collections::BTreeMap;
    use tch::nn::{self, VarStore};
    use tch::{Device, Kind, Tensor};

    /// A straight line, fitted to random points; it remembers what it has seen.
    struct Line {
        vs: VarStore,
        layer: nn::Linear,
        seen: Vec<Vec<f32>>,
    }

    impl Line {
        fn new() -> Self {
            let vs = VarStore::new(Device::Cpu);
            let layer = nn::linear(vs.root() / "line", 1, 1, Default::default());
            Line { vs, layer, seen: Vec::new() }
        }
    }

    impl Task<Vec<f32>> for Line {
        fn architecture(&self) -> &'static str {
            "line"
        }

        fn identity(&self) -> String {
            "line".into()
        }

        fn variables(&self) -> &VarStore {
            &self.vs
        }

        fn recipe(&self) -> Recipe {
            let optimiser = AdamWConfig { beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.0 };
            Recipe { optimiser, schedule: Schedule { peak: 0.1, warmup: 1, floor: 0.1 }, clip: 1.0, ema: 0.5 }
        }

        fn scores(&self) -> &'static [&'static str] {
            &["loss"]
        }

        fn backward(&mut self, batch: &Vec<f32>) -> Result<Vec<f64>, ModelError> {
            self.seen.push(batch.clone());
            let x = Tensor::from_slice(batch).view([-1, 1]);
            let loss = (x.apply(&self.layer) - &x * 3.0).square().mean(Kind::Float);
            loss.f_backward()?;
            Ok(vec![loss.double_value(&[])])
        }

        fn model(&mut self, averaged: &Ema, _: Progress, metadata: BTreeMap<String, String>) -> Result<Model, ModelError> {
            Ok(Model { tensors: averaged.weights(), metadata, dev: None })
        }
    }

    fn draw(settings: &Settings) -> impl Fn(u64) -> Result<Vec<f32>, ModelError> + Sync {
        let seed = settings.seed;
        move |step| Ok((0..4).map(|item| stream(seed, step, item).range(-1.0, 1.0)).collect())
    }

    #[test]
    fn the_number_of_threads_does_not_enter_the_data() {
        let seen = |threads: usize| {
            let dir = tempfile::tempdir().unwrap();
            let settings = Settings { threads, ..Settings::for_test(dir.path(), 20, 4) };
            let mut line = Line::new();
            run(&settings, &mut line, &draw(&settings), &mut |_| ()).unwrap();
            line.seen
        };
        let one = seen(1);
        assert_eq!(one.len(), 20);
        assert_eq!(one, seen(3));
    }

    #[test]
    fn reports_are_means_and_the_end_is_saved() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings::for_test(dir.path(), 120, 4);
        let mut reports = Vec::new();
        run(&settings, &mut Line::new(), &draw(&settings), &mut |report| reports.push(report.clone())).unwrap();
        let steps: Vec<(u64, bool)> = reports.iter().map(|report| (report.progress.step, report.saved)).collect();
        assert_eq!(steps, [(50, false), (100, false), (120, true)]);
        let losses: Vec<f64> = reports.iter().filter_map(|report| report.score("loss")).collect();
        assert!(losses[2] < 0.1 * losses[0], "{losses:?}");
        assert!(settings.weights().exists() && settings.checkpoint().exists());
    }

    #[test]
    fn a_loss_that_is_no_number_ends_the_training() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings::for_test(dir.path(), 5, 4);
        let draw = |step: u64| Ok(vec![if step == 2 { f32::NAN } else { 1.0 }]);
        let error = run(&settings, &mut Line::new(), &draw, &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("diverged at step 2"), "{error}");
    }
}
