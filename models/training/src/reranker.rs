//! Training of rerankers: of the songs that a search proposed for a hum, the right one shall stand out.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tch::nn::VarStore;
use tch::{Device, Reduction, Tensor};

use crate::adamw::{AdamW, AdamWConfig};
use crate::checkpoint::{Progress, TrainingState};
use crate::ema::Ema;
use crate::schedule::{Budget, Schedule};
use qbh_models::ModelError;
use qbh_models::nn::variables::save;
use qbh_models::nn::weights::Weights;
use qbh_models::reranker::{ARCHITECTURE, Pair, SHIPPED, SideBySide, logits};
use qbh_synthesis::hum::stream;
use qbh_synthesis::random::Draw;

/// Hums per step.
const BATCH: u32 = 8;
/// Wrong songs of a hum that are looked at in a step.
const WRONG: usize = 9;
/// Right ones, where there are versions.
const RIGHT: usize = 3;
/// Weight of the binary cross-entropy of each song, beside the choice among all: it makes log-odds of the scores.
const BINARY: f64 = 0.3;
/// How often the network learns to complete the score that songs are ranked by without it, rather than to do alone.
const COMPLETE: f32 = 0.5;
const ADAMW: AdamWConfig = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.02 };
const SCHEDULE: Schedule = Schedule { peak: 2e-3, warmup: 100, floor: 0.005 };
const EMA_DECAY: f64 = 0.998;
/// Largest joint norm of the gradients.
const CLIP: f64 = 1.0;
/// Steps between two reports, and seconds between two checkpoints.
const REPORT_STEPS: u64 = 100;
const CHECKPOINT_SECONDS: f64 = 120.0;

/// Shortest part of a hum that is cut out, in contour steps.
const SHORTEST: usize = 40;
/// How often a part is cut out, and how much of the hum it is at least.
const CUT: (f32, f32) = (0.6, 0.5);
/// How often hum and song are turned upside down, and backwards.
const INVERTED: f32 = 0.5;
const REVERSED: f32 = 0.3;
/// Largest noise on the pitches of the hum, semitones.
const NOISE: f32 = 0.15;
/// How often steps of the hum are lost, and the largest share of them.
const LOST: (f32, f32) = (0.3, 0.15);

/// A hum with the songs that a search proposed.
#[derive(Debug, Clone)]
pub struct Case {
    /// The hum beside each of them, at the places where it may lie: at least one.
    pub pairs: Vec<Vec<Pair>>,
    /// What the search ranked each of them by.
    pub scores: Vec<f32>,
    /// Whether it is the song that was hummed.
    pub right: Vec<bool>,
}

/// Settings of a training.
#[derive(Debug, Clone)]
pub struct Config {
    /// When to end.
    pub budget: Budget,
    /// Weights to set out from, by name or file.
    pub from: Option<String>,
    /// Seed of weights and data.
    pub seed: u64,
    /// Where to train.
    pub device: Device,
    /// Folder for `checkpoint.safetensors`, `curve.csv` and the model, `reranker.safetensors`.
    pub out: PathBuf,
    /// What the model's metadata shall say beside what the training knows (command, sources, machine).
    pub metadata: BTreeMap<String, String>,
}

/// How a training is doing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// Steps done and seconds spent.
    pub progress: Progress,
    /// Share of the budget used up.
    pub share: f64,
    /// Loss, mean since the report before.
    pub loss: f64,
    /// Learning rate.
    pub rate: f64,
    /// Share of held-out hums whose right song comes first: by the search alone, by the network alone, by both (the score of the
    /// search plus a fifth of the log-odds). At checkpoints.
    pub dev: Option<[f64; 3]>,
}

/// Trains until the budget is used up; resumes from `out` when there is a checkpoint. `report` is called every 100 steps and
/// at checkpoints. Returns the file of the weights.
///
/// # Errors
/// No cases, files that cannot be written or do not fit, and a network that diverges.
pub fn train(config: &Config, cases: &[Case], dev: &[Case], report: &mut dyn FnMut(&Report)) -> Result<PathBuf, ModelError> {
    if !cases.iter().any(|case| case.right.contains(&true)) {
        return Err(ModelError::Training("no hum found its song: there is nothing to learn from".into()));
    }
    std::fs::create_dir_all(&config.out).map_err(|source| ModelError::Io { path: config.out.clone(), source })?;
    let (model, checkpoint) = (config.out.join("reranker.safetensors"), config.out.join("checkpoint.safetensors"));
    tch::manual_seed(config.seed as i64);
    let vs = VarStore::new(config.device);
    let network = SideBySide::new(&vs.root());
    if let Some(name) = &config.from {
        Weights::open(name, SHIPPED)?.fill_matching(&vs)?;
    }
    let averaged_vs = VarStore::new(config.device);
    let averaged = SideBySide::new(&averaged_vs.root());
    let (mut optimiser, mut ema) = (AdamW::new(&vs, ADAMW), Ema::new(&vs, EMA_DECAY));
    let from = config.from.as_ref().map_or(String::new(), |name| format!(" from {name}"));
    let settings = format!("seed {}, {} hums{from}", config.seed, cases.len());
    let mut state =
        TrainingState { architecture: ARCHITECTURE, settings: &settings, vs: &vs, optimiser: &mut optimiser, ema: &mut ema };
    let mut progress = if checkpoint.exists() { state.resume(&checkpoint)? } else { Progress::default() };
    let (begin, before) = (Instant::now(), progress.seconds);
    let (mut saved, mut losses) = (before, (0.0, 0u32));
    loop {
        progress.seconds = before + begin.elapsed().as_secs_f64();
        let share = config.budget.progress(progress.step, progress.seconds);
        let rate = SCHEDULE.rate(progress.step, share);
        let over = share >= 1.0;
        if !over {
            // Dropout repeats itself after a resume.
            tch::manual_seed((config.seed ^ progress.step.wrapping_mul(0x9E37_79B9)) as i64);
            state.optimiser.zero_grad();
            for item in 0..BATCH {
                let loss = loss_of(&network, cases, &mut stream(config.seed, progress.step, item), config.device)?;
                (&loss / f64::from(BATCH)).f_backward()?;
                losses = (losses.0 + loss.double_value(&[]), losses.1 + 1);
            }
            if !state.optimiser.clip_gradients(CLIP).is_finite() {
                return Err(ModelError::Training(format!("the training diverged at step {}", progress.step)));
            }
            state.optimiser.step(rate);
            progress.step += 1;
            state.ema.update(progress.step);
        }
        let save_now = over || progress.seconds - saved >= CHECKPOINT_SECONDS;
        if save_now || progress.step.is_multiple_of(REPORT_STEPS) {
            let loss = losses.0 / f64::from(losses.1.max(1));
            losses = (0.0, 0);
            let mut now = Report { progress, share, loss, rate, dev: None };
            if save_now {
                state.save(progress, &checkpoint)?;
                state.ema.copy_to(&averaged_vs)?;
                now.dev = dev_score(&averaged, dev, config.device)?;
                save(&state.ema.weights(), metadata(config, cases.len(), &now, dev.len()), &model)?;
                saved = progress.seconds;
            }
            append_curve(&config.out.join("curve.csv"), &now)?;
            report(&now);
        }
        if over {
            return Ok(model);
        }
    }
}

/// The loss of one random hum: the choice of the right songs among those proposed, and the odds of each.
fn loss_of(network: &SideBySide, cases: &[Case], draw: &mut Draw, device: Device) -> Result<Tensor, ModelError> {
    let case = loop {
        let case = &cases[draw.index(cases.len())];
        if case.right.contains(&true) {
            break case;
        }
    };
    let mut chosen: Vec<usize> = (0..case.pairs.len()).filter(|&i| case.right[i]).take(RIGHT).collect();
    let mut wrong: Vec<usize> = (0..case.pairs.len()).filter(|&i| !case.right[i]).collect();
    for _ in 0..WRONG.min(wrong.len()) {
        chosen.push(wrong.swap_remove(draw.index(wrong.len())));
    }
    let pairs: Vec<&Pair> = chosen.iter().flat_map(|&i| &case.pairs[i]).collect();
    let varied = varied(&pairs, draw);
    let logits = logits(network, &varied.iter().collect::<Vec<_>>(), device, true)?;
    let logits = song_logits(&logits, chosen.iter().map(|&i| &case.pairs[i]));
    let right: Vec<f32> = chosen.iter().map(|&i| f32::from(u8::from(case.right[i]))).collect();
    let right = Tensor::from_slice(&right).to_device(device);
    let scores: Vec<f32> = chosen.iter().map(|&i| case.scores[i]).collect();
    let completed =
        if draw.chance(COMPLETE) { &logits + Tensor::from_slice(&scores).to_device(device) } else { logits.shallow_clone() };
    let among_right = (&completed + (&right - 1.0) * 1e4).logsumexp([0i64].as_slice(), false);
    let choice = completed.logsumexp([0i64].as_slice(), false) - among_right;
    let odds = logits.binary_cross_entropy_with_logits(&right, None::<Tensor>, None::<Tensor>, Reduction::Mean);
    Ok(choice + odds * BINARY)
}

/// The log-odds of `songs` from those of their pairs, song after song: odds add up.
fn song_logits<'p>(logits: &Tensor, songs: impl IntoIterator<Item = &'p Vec<Pair>>) -> Tensor {
    let sizes: Vec<i64> = songs.into_iter().map(|pairs| pairs.len() as i64).collect();
    let songs: Vec<Tensor> =
        logits.split_with_sizes(&sizes, 0).iter().map(|places| places.logsumexp([0i64].as_slice(), false)).collect();
    Tensor::stack(&songs, 0)
}

/// Pairs of one hum, all varied in the same way, whatever speed the hum has in them.
fn varied(pairs: &[&Pair], draw: &mut Draw) -> Vec<Pair> {
    let longest = pairs.iter().map(|pair| pair.steps()).max().unwrap_or(0);
    let mut part = (0.0, 1.0);
    if longest > SHORTEST && draw.chance(CUT.0) {
        let length = draw.range(CUT.1, 1.0).max(SHORTEST as f32 / longest as f32);
        part = (draw.range(0.0, 1.0 - length), length);
    }
    let (inverted, reversed) = (draw.chance(INVERTED), draw.chance(REVERSED));
    let noise = draw.range(0.0, NOISE);
    let lost = if draw.chance(LOST.0) { draw.range(0.0, LOST.1) } else { 0.0 };
    let offsets: Vec<Option<f32>> = (0..longest).map(|_| (!draw.chance(lost)).then(|| noise * draw.normal())).collect();
    let vary = |pair: &&Pair| {
        let steps = pair.steps() as f32;
        let start = (part.0 * steps) as usize;
        let mut pair = pair.cut(start..(start + (part.1 * steps).ceil() as usize).min(pair.steps()));
        let cut = pair.steps();
        for (step, pitch) in pair.hum_mut().iter_mut().enumerate() {
            let offset = offsets[step * longest / cut];
            *pitch = offset.filter(|_| *pitch > 0.0).map_or(0.0, |offset| *pitch + offset);
        }
        pair = if inverted { pair.inverted() } else { pair };
        if reversed { pair.reversed() } else { pair }
    };
    pairs.iter().map(vary).collect()
}

/// How often the right song comes first; `None` without held-out hums.
fn dev_score(network: &SideBySide, dev: &[Case], device: Device) -> Result<Option<[f64; 3]>, ModelError> {
    /// How much the log-odds count beside the score.
    const WEIGHT: f32 = 0.2;
    let _guard = tch::no_grad_guard();
    let mut first = [0.0; 3];
    for case in dev.iter().filter(|case| !case.pairs.is_empty()) {
        let logits = logits(network, &case.pairs.iter().flatten().collect::<Vec<_>>(), device, false)?.to_device(Device::Cpu);
        let logits = Vec::<f32>::try_from(song_logits(&logits, &case.pairs))?;
        let rankings: [&dyn Fn(usize) -> f32; 3] =
            [&|i| case.scores[i], &|i| logits[i], &|i| case.scores[i] + WEIGHT * logits[i]];
        for (count, by) in first.iter_mut().zip(rankings) {
            let best = (0..case.pairs.len()).max_by(|&a, &b| by(a).total_cmp(&by(b)));
            *count += f64::from(u8::from(best.is_some_and(|best| case.right[best])));
        }
    }
    Ok((!dev.is_empty()).then(|| first.map(|count| count / dev.len() as f64)))
}

/// What the model says of itself.
fn metadata(config: &Config, hums: usize, now: &Report, dev: usize) -> BTreeMap<String, String> {
    let mut metadata = config.metadata.clone();
    let mut note = |key: &str, value: String| metadata.insert(key.to_string(), value);
    note("architecture", ARCHITECTURE.into());
    note("hums", hums.to_string());
    note("seed", config.seed.to_string());
    note("steps", now.progress.step.to_string());
    note("hours", format!("{:.2}", now.progress.seconds / 3600.0));
    if let Some([search, alone, both]) = now.dev {
        note("dev", format!("{dev} simulated hums, right song first: search {search:.3}, network {alone:.3}, both {both:.3}"));
    }
    metadata
}

/// Appends a line to the learning curve; a new file gets its header first.
fn append_curve(path: &Path, report: &Report) -> Result<(), ModelError> {
    let io = |source| ModelError::Io { path: path.to_path_buf(), source };
    let new = !path.exists();
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
    if new {
        writeln!(file, "step,seconds,loss,rate,dev_search,dev_network,dev_both").map_err(io)?;
    }
    let Report { progress: Progress { step, seconds }, loss, rate, dev, .. } = report;
    let dev = dev.map_or(",,".to_string(), |[search, alone, both]| format!("{search:.4},{alone:.4},{both:.4}"));
    writeln!(file, "{step},{seconds:.1},{loss:.4},{rate:.6},{dev}").map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::reranker::Reranker;

    /// Hums of random notes beside the passage they are of, and beside others.
    fn cases(seed: u64, count: usize) -> Vec<Case> {
        let tune = |draw: &mut Draw| -> Vec<f32> {
            (0..20).flat_map(|_| vec![60.0 + draw.integer(-6, 6) as f32; draw.integer(2, 5) as usize]).collect()
        };
        let case = |i| {
            let draw = &mut Draw::stream(seed, i as u64);
            let hum = tune(draw);
            let mut pairs = Vec::new();
            for other in 0..6 {
                let mut song = if other == 0 { hum.clone() } else { tune(draw) };
                song.iter_mut().for_each(|p| *p += 0.3 * draw.normal());
                let path: Vec<(u32, u32)> = (0..hum.len().min(song.len()) as u32).map(|i| (i, i)).collect();
                pairs.extend(Pair::new(&hum, &song, &path, 0.0).map(|pair| vec![pair; 1 + other % 2]));
            }
            Case { right: (0..pairs.len()).map(|i| i == 0).collect(), scores: vec![0.0; pairs.len()], pairs }
        };
        (0..count).map(case).collect()
    }

    fn config(out: &Path, steps: u64) -> Config {
        Config {
            budget: Budget { steps: Some(steps), hours: None },
            from: None,
            seed: 3,
            device: Device::Cpu,
            out: out.to_path_buf(),
            metadata: BTreeMap::from([("data".to_string(), "tests".to_string())]),
        }
    }

    #[test]
    fn a_trained_reranker_opens_and_knows_tunes_it_has_not_seen() {
        let dir = tempfile::tempdir().unwrap();
        let mut last = None;
        let model = train(&config(dir.path(), 60), &cases(1, 60), &cases(2, 40), &mut |report| last = Some(*report)).unwrap();
        let [_, alone, _] = last.unwrap().dev.unwrap();
        assert!(alone > 0.5, "one of six is chance: {alone}");
        let reranker = Reranker::open(model.to_str().unwrap(), Device::Cpu).unwrap();
        let case = &cases(5, 1)[0];
        let scores = reranker.score(&case.pairs.concat()).unwrap();
        assert!(scores.len() == 9 && scores.iter().all(|s| s.is_finite()));
        assert_eq!(reranker.info().metadata["data"], "tests");
    }

    #[test]
    fn a_training_goes_on_where_it_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let (cases, mut steps) = (cases(1, 10), Vec::new());
        for budget in [3, 3, 5] {
            train(&config(dir.path(), budget), &cases, &[], &mut |report| steps.push(report.progress.step)).unwrap();
        }
        assert_eq!(steps, [3, 3, 5]);
        let mut other = config(dir.path(), 6);
        other.seed += 1;
        assert!(train(&other, &cases, &[], &mut |_| {}).unwrap_err().to_string().contains("other settings"));
        let other = Config { from: Some(qbh_models::reranker::DEFAULT_RERANKER.into()), ..config(dir.path(), 6) };
        assert!(train(&other, &cases, &[], &mut |_| {}).unwrap_err().to_string().contains("other settings"));
    }

    #[test]
    fn pairs_of_a_hum_are_varied_alike() {
        let case = &cases(4, 1)[0];
        let pairs: Vec<&Pair> = case.pairs.iter().flatten().collect();
        for seed in 0..20 {
            let varied = varied(&pairs, &mut Draw::new(seed));
            assert!(varied.windows(2).all(|two| two[0].clone().hum_mut() == two[1].clone().hum_mut()), "seed {seed}");
        }
    }

    #[test]
    fn nothing_to_learn_from_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert!(train(&config(dir.path(), 1), &[], &[], &mut |_| {}).unwrap_err().to_string().contains("nothing to learn"));
    }
}
