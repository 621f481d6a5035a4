//! Training of embedders: simulated hums and song windows of the same melody are pulled together, others apart.
//!
//! One thread draws pairs ahead of time, the other trains. Every random number belongs to (seed, step, item), so that a
//! training resumed from its checkpoint goes on as if it had never stopped (exactly so when its budget is in steps).

mod dev;
mod directions;
mod hummed;
mod loss;
mod melodies;
mod pairs;
mod principal;
mod rivals;
mod versions;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use tch::nn::{Init, VarStore};
use tch::{Device, Kind, Tensor};

pub use dev::DevScore;
pub use hummed::Hummed;
pub use loss::Loss;
pub use melodies::{Collection, Melody};
pub use pairs::{Batch, Pair, PairSource};
pub use rivals::Rivals;

use crate::adamw::{AdamW, AdamWConfig};
use crate::checkpoint::{Progress, TrainingState};
use crate::ema::Ema;
use crate::schedule::{Budget, Schedule};
use dev::DevSet;
use directions::Directions;
use qbh_models::ModelError;
use qbh_models::embedder::{self, Architecture, Network, PROJECTION};
use qbh_models::nn::variables::save;
use qbh_models::nn::weights::Weights;

/// Batches drawn ahead of the training thread.
const AHEAD: usize = 4;
/// Largest joint norm of the gradients.
const CLIP: f64 = 1.0;
/// Logarithm of the inverse temperature at the start: 15.6.
const LOG_INVERSE_TEMPERATURE: f64 = 2.75;
/// Its variable; part of the training, not of the model.
const TEMPERATURE: &str = "log_inverse_temperature";

/// Settings of a training.
#[derive(Debug, Clone)]
pub struct Config {
    /// Network to train.
    pub architecture: Architecture,
    /// What is minimised.
    pub loss: Loss,
    /// Pairs per step.
    pub batch: usize,
    /// Highest learning rate.
    pub rate: f64,
    /// Warm-up steps.
    pub warmup: u64,
    /// Weight decay of AdamW.
    pub weight_decay: f64,
    /// Decay of the averaged weights.
    pub ema: f64,
    /// Trained weights to set out from: of this embedder, by name or file. They also tell which places of different tunes
    /// are hard to tell apart; without them all negatives are drawn at random.
    pub init: Option<String>,
    /// When to end.
    pub budget: Budget,
    /// Seed of weights and data.
    pub seed: u64,
    /// Where to train.
    pub device: Device,
    /// Whether the network runs in bf16 (weights, losses and moments stay f32).
    pub bf16: bool,
    /// Values that are stored of a window, a multiple of 4: so many principal directions of the 512 go with the weights, as their
    /// `projection`; 512 stores whole embeddings.
    pub dimension: usize,
    /// Seconds of training between checkpoints.
    pub checkpoint_every: f64,
    /// Folder for `checkpoint.safetensors`, `curve.csv` and the model, `embedder.safetensors`.
    pub out: PathBuf,
    /// What the model's metadata shall say beside what the training knows (command, sources, machine).
    pub metadata: BTreeMap<String, String>,
}

impl Config {
    /// What must stay the same from checkpoint to checkpoint.
    fn fixed(&self) -> String {
        let Config { loss, batch, rate, warmup, weight_decay, ema, seed, init, .. } = self;
        let init = init.as_ref().map_or(String::new(), |name| format!(" from {name}"));
        format!("{loss:?} batch {batch} rate {rate} warm-up {warmup} decay {weight_decay} ema {ema} seed {seed}{init}")
    }
}

/// What to train on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Data<'a> {
    /// Melodies, of which hums are simulated.
    pub melodies: &'a [Melody],
    /// Real hums with what they are of; half of the pairs, where there are melodies too.
    pub hummed: &'a [Hummed],
    /// Held-out melodies for the development score.
    pub dev: &'a [Melody],
}

/// How a training is doing, mean values since the report before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// Steps done and seconds spent.
    pub progress: Progress,
    /// Share of the budget used up.
    pub share: f64,
    /// Loss.
    pub loss: f64,
    /// Share of hums whose song comes first within the batch.
    pub accuracy: f64,
    /// Learning rate.
    pub rate: f64,
    /// Inverse temperature.
    pub inverse_temperature: f64,
    /// Development score of the averaged weights, at checkpoints.
    pub dev: Option<DevScore>,
}

/// Steps between two reports.
const REPORT_EVERY: u64 = 50;

/// Trains until the budget is used up; resumes from `out` when there is a checkpoint. `report` is called every 50 steps
/// and at checkpoints. Returns the last report.
///
/// A budget of no steps leaves the weights of `init` as they are, with what is said of them, and gives them a projection.
pub fn train(config: &Config, data: Data, mut report: impl FnMut(&Report)) -> Result<Report, ModelError> {
    if config.batch < 2 || config.batch > 1 << 20 {
        return Err(ModelError::Training("a batch has at least two pairs, and at most a million".into()));
    }
    std::fs::create_dir_all(&config.out).map_err(|source| ModelError::Io { path: config.out.clone(), source })?;
    let mut source = PairSource::new(data.melodies, config.architecture);
    source.set_hummed(data.hummed);
    let directions = Directions::new(&source, config.architecture, config.dimension)?;
    if let Some(name) = config.init.as_ref().filter(|_| config.budget.steps != Some(0)) {
        source.set_rivals(Rivals::mine(data.melodies, embedder::open(name, config.device)?.as_ref())?);
    }
    let mut trainer = Trainer::new(config, data.dev, directions)?;
    std::thread::scope(|scope| {
        let (sender, batches) = sync_channel(AHEAD);
        let first = trainer.progress.step;
        let source = &source;
        scope.spawn(move || {
            for step in first.. {
                let batch = Batch::draw(source, config.architecture, config.batch, config.seed, step);
                let last = batch.is_none();
                if sender.send(batch).is_err() || last {
                    break;
                }
            }
        });
        trainer.run(batches, &mut report)
    })
}

/// Copies trained weights into the variables of a network of the same architecture; returns what their metadata says.
fn set_out(vs: &VarStore, architecture: Architecture, name: &str) -> Result<BTreeMap<String, String>, ModelError> {
    let weights = Weights::open(name, embedder::SHIPPED)?;
    if weights.architecture() != architecture.name() {
        let reason = format!("it is of architecture {}, not {}", weights.architecture(), architecture.name());
        return Err(ModelError::Weights { name: name.into(), reason });
    }
    // The training's own variables are in no model.
    let mut trained = VarStore::new(vs.device());
    architecture.build(&trained.root());
    weights.fill(&mut trained)?;
    let _guard = tch::no_grad_guard();
    let mut variables = vs.variables();
    for (key, value) in trained.variables() {
        if let Some(variable) = variables.get_mut(&key) {
            variable.f_copy_(&value)?;
        }
    }
    Ok(weights.metadata)
}

struct Trainer<'a> {
    config: &'a Config,
    vs: VarStore,
    network: Box<dyn Network>,
    temperature: Tensor,
    optimiser: AdamW,
    ema: Ema,
    averaged_vs: VarStore,
    averaged: Box<dyn Network>,
    dev: Option<DevSet>,
    directions: Option<Directions>,
    /// Metadata of the weights it set out from.
    origin: Option<BTreeMap<String, String>>,
    progress: Progress,
}

impl<'a> Trainer<'a> {
    fn new(config: &'a Config, dev: &[Melody], directions: Option<Directions>) -> Result<Self, ModelError> {
        tch::manual_seed(config.seed as i64);
        let build = || {
            let vs = VarStore::new(config.device);
            let network = config.architecture.build(&vs.root());
            let temperature = vs.root().var(TEMPERATURE, &[], Init::Const(LOG_INVERSE_TEMPERATURE));
            (vs, network, temperature)
        };
        let (vs, network, temperature) = build();
        let origin = config.init.as_ref().map(|name| set_out(&vs, config.architecture, name)).transpose()?;
        let (averaged_vs, averaged, _) = build();
        let adamw = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: config.weight_decay };
        let mut trainer = Trainer {
            config,
            optimiser: AdamW::new(&vs, adamw),
            ema: Ema::new(&vs, config.ema),
            vs,
            network,
            temperature,
            averaged_vs,
            averaged,
            dev: DevSet::new(dev, config.architecture),
            directions,
            origin,
            progress: Progress::default(),
        };
        let checkpoint = trainer.checkpoint();
        if checkpoint.exists() {
            let fixed = config.fixed();
            trainer.progress = trainer.state(&fixed).resume(&checkpoint)?;
        }
        Ok(trainer)
    }

    fn checkpoint(&self) -> PathBuf {
        self.config.out.join("checkpoint.safetensors")
    }

    fn state<'s>(&'s mut self, settings: &'s str) -> TrainingState<'s> {
        TrainingState {
            architecture: self.config.architecture.name(),
            settings,
            vs: &self.vs,
            optimiser: &mut self.optimiser,
            ema: &mut self.ema,
        }
    }

    fn run(&mut self, batches: Receiver<Option<Batch>>, report: &mut impl FnMut(&Report)) -> Result<Report, ModelError> {
        let schedule = Schedule { peak: self.config.rate, warmup: self.config.warmup, floor: 0.02 };
        let (begin, before) = (Instant::now(), self.progress.seconds);
        let mut saved = before;
        let mut sums = (0.0, 0.0, 0.0);
        loop {
            self.progress.seconds = before + begin.elapsed().as_secs_f64();
            let share = self.config.budget.progress(self.progress.step, self.progress.seconds);
            let rate = schedule.rate(self.progress.step, share);
            let over = share >= 1.0;
            if !over {
                let batch = batches.recv().ok().flatten().ok_or_else(|| {
                    ModelError::Training("the melodies or hums are too few, too short or too sparse to draw pairs from".into())
                })?;
                let (loss, accuracy) = self.step(&batch, rate)?;
                sums = (sums.0 + loss, sums.1 + accuracy, sums.2 + 1.0);
                self.progress.step += 1;
            }
            let save_now = over || self.progress.seconds - saved >= self.config.checkpoint_every;
            if save_now || (sums.2 > 0.0 && self.progress.step.is_multiple_of(REPORT_EVERY)) {
                let mut now = Report {
                    progress: self.progress,
                    share,
                    loss: sums.0 / f64::max(sums.2, 1.0),
                    accuracy: sums.1 / f64::max(sums.2, 1.0),
                    rate,
                    inverse_temperature: self.temperature.exp().double_value(&[]),
                    dev: None,
                };
                if save_now {
                    now.dev = self.save(over)?;
                    saved = self.progress.seconds;
                }
                sums = (0.0, 0.0, 0.0);
                append_curve(&self.config.out.join("curve.csv"), &now)?;
                report(&now);
                if over {
                    return Ok(now);
                }
            }
        }
    }

    /// One optimiser step; returns loss and accuracy.
    fn step(&mut self, batch: &Batch, rate: f64) -> Result<(f64, f64), ModelError> {
        let (channels, steps) = self.config.architecture.input();
        let pairs = batch.groups.len() as i64;
        let shape = [2 * pairs, channels as i64, steps as i64];
        let kind = if self.config.bf16 { Kind::BFloat16 } else { Kind::Float };
        let x = Tensor::f_from_slice(&batch.input)?.f_view(shape)?.f_to_device(self.config.device)?.f_to_kind(kind)?;
        let embedded = self.network.forward_t(&x, true);
        let scores = loss::scores(&embedded.narrow(0, 0, pairs), &embedded.narrow(0, pairs, pairs), &batch.groups);
        let loss = loss::loss(self.config.loss, &scores, &self.temperature);
        self.optimiser.zero_grad();
        loss.f_backward()?;
        self.optimiser.clip_gradients(CLIP);
        self.optimiser.step(rate);
        self.ema.update(self.progress.step + 1);
        let loss = loss.double_value(&[]);
        if !loss.is_finite() {
            return Err(ModelError::Training(format!("the loss of step {} is {loss}", self.progress.step)));
        }
        Ok((loss, loss::accuracy(&scores)))
    }

    /// Writes the checkpoint and the model of the averaged weights, and scores the latter.
    fn save(&mut self, over: bool) -> Result<Option<DevScore>, ModelError> {
        let (path, fixed, progress) = (self.checkpoint(), self.config.fixed(), self.progress);
        self.state(&fixed).save(progress, &path)?;
        self.ema.copy_to(&self.averaged_vs)?;
        let score = match &self.dev {
            Some(dev) => Some(dev.score(self.averaged.as_ref(), self.config.device)?),
            None => None,
        };
        let mut weights = self.ema.weights();
        weights.retain(|(name, _)| name != TEMPERATURE);
        let mut metadata = match &self.origin {
            Some(origin) if progress.step == 0 => origin.clone(),
            _ => self.metadata(over, score),
        };
        metadata.remove(PROJECTION);
        if let Some(directions) = &self.directions {
            let (projection, note) = directions.fit(self.averaged.as_ref(), self.config.device)?;
            weights.push((PROJECTION.into(), projection));
            metadata.insert(PROJECTION.into(), note);
        }
        save(&weights, metadata, &self.config.out.join("embedder.safetensors"))?;
        Ok(score)
    }

    /// What the model says of itself.
    fn metadata(&self, over: bool, score: Option<DevScore>) -> BTreeMap<String, String> {
        let mut metadata = self.config.metadata.clone();
        let mut note = |key: &str, value: String| metadata.insert(key.to_string(), value);
        note("architecture", self.config.architecture.name().into());
        note("settings", self.config.fixed());
        note("steps", self.progress.step.to_string());
        note("hours", format!("{:.2}", self.progress.seconds / 3600.0));
        note("finished", over.to_string());
        if let Some(DevScore { pairs, recall_1, recall_10 }) = score {
            note("dev", format!("{pairs} simulated hums of held-out melodies: recall@1 {recall_1:.3}, recall@10 {recall_10:.3}"));
        }
        metadata
    }
}

/// Appends a line to the learning curve; a new file gets its header first.
fn append_curve(path: &Path, report: &Report) -> Result<(), ModelError> {
    let io = |source| ModelError::Io { path: path.to_path_buf(), source };
    let new = !path.exists();
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
    if new {
        writeln!(file, "step,seconds,loss,accuracy,rate,inverse_temperature,dev_recall_1,dev_recall_10").map_err(io)?;
    }
    let Report { progress: Progress { step, seconds }, loss, accuracy, rate, inverse_temperature, dev, .. } = report;
    let dev = dev.map_or(",".to_string(), |d| format!("{:.4},{:.4}", d.recall_1, d.recall_10));
    writeln!(file, "{step},{seconds:.1},{loss:.4},{accuracy:.4},{rate:.6},{inverse_temperature:.2},{dev}").map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::EMBEDDING_DIM;

    fn config(out: &Path, steps: u64, architecture: Architecture) -> Config {
        Config {
            architecture,
            loss: Loss::InfoNce,
            batch: 8,
            rate: 1e-3,
            warmup: 2,
            weight_decay: 0.02,
            ema: 0.9,
            init: None,
            budget: Budget { steps: Some(steps), hours: None },
            seed: 5,
            device: Device::Cpu,
            bf16: false,
            dimension: EMBEDDING_DIM,
            checkpoint_every: 0.0,
            out: out.to_path_buf(),
            metadata: BTreeMap::from([("data".to_string(), "tests".to_string())]),
        }
    }

    #[test]
    fn trained_models_open_and_know_their_melodies() {
        let melodies = pairs::tests::melodies();
        let dir = tempfile::tempdir().unwrap();
        let mut losses = Vec::new();
        let config = Config { checkpoint_every: 1e9, ..config(dir.path(), 60, Architecture::Contextual) };
        let last =
            train(&config, Data { melodies: &melodies, dev: &melodies, ..Data::default() }, |r| losses.push(r.loss)).unwrap();
        assert_eq!(last.progress.step, 60);
        assert!(losses[1] < losses[0], "{losses:?}");
        let recall = last.dev.unwrap().recall_10;
        assert!(recall > 0.6, "recall@10 of 20 songs is {recall}");
        let model = dir.path().join("embedder.safetensors");
        let embedder = qbh_models::embedder::open(model.to_str().unwrap(), Device::Cpu).unwrap();
        assert_eq!(embedder.info().metadata["steps"], "60");
        assert_eq!(std::fs::read_to_string(dir.path().join("curve.csv")).unwrap().lines().count(), 3);
    }

    #[test]
    fn without_a_step_a_model_stays_as_it_is_and_gets_a_projection() {
        let melodies = pairs::tests::melodies();
        let dir = tempfile::tempdir().unwrap();
        let init = Some(embedder::DEFAULT_EMBEDDER.to_string());
        let config = Config { dimension: 32, init, ..config(dir.path(), 0, Architecture::Contextual) };
        train(&config, Data { melodies: &melodies, ..Data::default() }, |_| {}).unwrap();
        let before = Weights::open(embedder::DEFAULT_EMBEDDER, embedder::SHIPPED).unwrap();
        let path = dir.path().join("embedder.safetensors").display().to_string();
        let after = Weights::open(&path, &[]).unwrap();
        let vs = VarStore::new(Device::Cpu);
        let _network = Architecture::Contextual.build(&vs.root());
        for name in vs.variables().into_keys() {
            assert_eq!(before.tensor(&name).unwrap(), after.tensor(&name).unwrap(), "{name}");
        }
        for (key, value) in before.metadata.iter().filter(|(key, _)| *key != PROJECTION) {
            assert_eq!(after.metadata.get(key), Some(value));
        }
        assert!(after.metadata[PROJECTION].starts_with("the first 32 principal directions"));

        let opened = embedder::open(&path, Device::Cpu).unwrap();
        assert_eq!((opened.dimension(), opened.fork().dimension()), (32, 32));
        let windows: Vec<Vec<f32>> =
            (0..300).map(|i| (0..80).map(|s| 60.0 + ((s / 4 * (i + 3)) % 11) as f32).collect()).collect();
        let windows: Vec<&[f32]> = windows.iter().map(Vec::as_slice).collect();
        let (whole, stored) = (opened.embed(&windows).unwrap(), opened.vectors(&windows).unwrap());
        assert_eq!(stored.len(), 300 * 32);
        assert_eq!(stored, opened.fork().vectors(&windows).unwrap());
        for (whole, stored) in whole.iter().zip(stored.chunks_exact(32)) {
            let length = stored.iter().map(|x| x * x).sum::<f32>();
            assert!(length < 1.001 && length > 0.3, "{length} of {} values", whole.len());
        }
        let config = Config { dimension: 30, ..config };
        assert!(train(&config, Data { melodies: &melodies, ..Data::default() }, |_| {}).is_err());
    }

    #[test]
    fn the_reference_trains_on_triplets() {
        let melodies = pairs::tests::melodies();
        let dir = tempfile::tempdir().unwrap();
        let config = Config { checkpoint_every: 1e9, loss: Loss::Triplet, ..config(dir.path(), 4, Architecture::Reference) };
        let last = train(&config, Data { melodies: &melodies, ..Data::default() }, |_| {}).unwrap();
        assert!(last.loss > 0.0 && last.loss < 1.5, "{}", last.loss);
        let model = dir.path().join("embedder.safetensors");
        assert_eq!(qbh_models::embedder::open(model.to_str().unwrap(), Device::Cpu).unwrap().info().architecture, "reference");
    }

    #[test]
    fn a_resumed_training_ends_where_an_unbroken_one_does() {
        crate::run_alone("training::embedder::tests::resume_alone");
    }

    #[test]
    #[ignore = "run in a process of its own by the test above"]
    fn resume_alone() {
        let melodies = pairs::tests::melodies();
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let run = |dir: &Path, stop: Option<u64>| {
            let config = config(dir, 6, Architecture::Contextual);
            // Stops by panicking out of the report, as a kill would: whatever was saved by then is what is left.
            let outcome = std::panic::catch_unwind(|| {
                train(&config, Data { melodies: &melodies, ..Data::default() }, |r| {
                    assert!(Some(r.progress.step) != stop, "killed")
                })
                .unwrap()
            });
            assert_eq!(outcome.is_err(), stop.is_some());
            std::fs::read(dir.join("checkpoint.safetensors")).unwrap()
        };
        run(broken.path(), Some(3));
        let resumed = run(broken.path(), None);
        run(whole.path(), None);
        let tensors = |bytes: &[u8]| {
            let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
            file.tensors().into_iter().map(|(k, v)| (k, v.data().to_vec())).collect::<BTreeMap<_, _>>()
        };
        let unbroken = std::fs::read(whole.path().join("checkpoint.safetensors")).unwrap();
        assert!(tensors(&resumed) == tensors(&unbroken), "the resumed training went another way");
    }
}
