//! A reranker as a task of the training loop.

use std::collections::BTreeMap;

use tch::nn::VarStore;
use tch::{Device, Reduction, Tensor};

use super::Case;
use super::drawn::Drawn;
use crate::adamw::AdamWConfig;
use crate::checkpoint::Progress;
use crate::ema::Ema;
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::task::{Model, Recipe, Task};
use qbh_models::ModelError;
use qbh_models::nn::weights::Weights;
use qbh_models::reranker::{ARCHITECTURE, LOG_ODDS_WEIGHT, SHIPPED, SideBySide, logits};

/// Weight of the binary cross-entropy of each song, beside the choice among all: it makes log-odds of the scores.
const BINARY: f64 = 0.3;
const ADAMW: AdamWConfig = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.02 };
const SCHEDULE: Schedule = Schedule { peak: 2e-3, warmup: 100, floor: 0.005 };
const EMA_DECAY: f64 = 0.998;
/// Largest joint norm of the gradients.
const CLIP: f64 = 1.0;

/// A reranker in training.
pub(super) struct RerankerTask<'a> {
    settings: &'a Settings,
    /// Hums to train on.
    hums: usize,
    dev: &'a [Case],
    vs: VarStore,
    network: SideBySide,
    /// Holds the averaged weights while they are scored.
    averaged: (VarStore, SideBySide),
}

impl<'a> RerankerTask<'a> {
    pub(super) fn new(settings: &'a Settings, hums: usize, dev: &'a [Case]) -> Result<Self, ModelError> {
        let build = || {
            let vs = VarStore::new(settings.device);
            let network = SideBySide::new(&vs.root());
            (vs, network)
        };
        let (vs, network) = build();
        if let Some(name) = &settings.from {
            Weights::open(name, SHIPPED)?.fill_matching(&vs)?;
        }
        Ok(RerankerTask { settings, hums, dev, vs, network, averaged: build() })
    }

    /// The loss of one hum: the choice of the right songs among those proposed, and the odds of each.
    fn loss(&self, drawn: &Drawn) -> Result<Tensor, ModelError> {
        let device = self.settings.device;
        let logits = logits(&self.network, &drawn.pairs.iter().collect::<Vec<_>>(), device, true)?;
        let logits = song_logits(&logits, &drawn.sizes);
        let right = Tensor::from_slice(&drawn.right).to_device(device);
        let completed = match &drawn.scores {
            Some(scores) => &logits + Tensor::from_slice(scores).to_device(device),
            None => logits.shallow_clone(),
        };
        let among_right = (&completed + (&right - 1.0) * 1e4).logsumexp([0i64].as_slice(), false);
        let choice = completed.logsumexp([0i64].as_slice(), false) - among_right;
        let odds = logits.binary_cross_entropy_with_logits(&right, None::<Tensor>, None::<Tensor>, Reduction::Mean);
        Ok(choice + odds * BINARY)
    }
}

/// The log-odds of songs from those of their pairs, song after song, so many each: odds add up.
fn song_logits(logits: &Tensor, sizes: &[i64]) -> Tensor {
    let songs: Vec<Tensor> =
        logits.split_with_sizes(sizes, 0).iter().map(|places| places.logsumexp([0i64].as_slice(), false)).collect();
    Tensor::stack(&songs, 0)
}

impl Task<Vec<Drawn>> for RerankerTask<'_> {
    fn architecture(&self) -> &'static str {
        ARCHITECTURE
    }

    fn identity(&self) -> String {
        let from = self.settings.from.as_ref().map_or(String::new(), |name| format!(" from {name}"));
        format!("seed {}, {} hums{from}", self.settings.seed, self.hums)
    }

    fn variables(&self) -> &VarStore {
        &self.vs
    }

    fn recipe(&self) -> Recipe {
        Recipe { optimiser: ADAMW, schedule: SCHEDULE, clip: CLIP, ema: EMA_DECAY }
    }

    fn scores(&self) -> &'static [&'static str] {
        &["loss"]
    }

    fn dev_scores(&self) -> &'static [&'static str] {
        &["search", "network", "both"]
    }

    /// One hum after the other, so that only one is in memory.
    fn backward(&mut self, batch: &Vec<Drawn>) -> Result<Vec<f64>, ModelError> {
        let mut sum = 0.0;
        for drawn in batch {
            let loss = self.loss(drawn)?;
            (&loss / batch.len() as f64).f_backward()?;
            sum += loss.double_value(&[]);
        }
        Ok(vec![sum / batch.len() as f64])
    }

    fn model(&mut self, ema: &Ema, _: Progress, mut metadata: BTreeMap<String, String>) -> Result<Model, ModelError> {
        ema.copy_to(&self.averaged.0)?;
        metadata.insert("hums".into(), self.hums.to_string());
        let mut dev = None;
        if !self.dev.is_empty() {
            let [search, alone, both] = dev_score(&self.averaged.1, self.dev, self.settings.device)?;
            let hums = self.dev.len();
            let note = format!("{hums} simulated hums, right song first: search {search:.3}, network {alone:.3}, both {both:.3}");
            metadata.insert("dev".into(), note);
            dev = Some(vec![search, alone, both]);
        }
        Ok(Model { tensors: ema.weights(), metadata, dev })
    }
}

/// How often the right song comes first: by the search, by the network, by both.
fn dev_score(network: &SideBySide, dev: &[Case], device: Device) -> Result<[f64; 3], ModelError> {
    let _guard = tch::no_grad_guard();
    let mut first = [0.0; 3];
    for case in dev.iter().filter(|case| !case.pairs.is_empty()) {
        let logits = logits(network, &case.pairs.iter().flatten().collect::<Vec<_>>(), device, false)?.to_device(Device::Cpu);
        let sizes: Vec<i64> = case.pairs.iter().map(|pairs| pairs.len() as i64).collect();
        let logits = Vec::<f32>::try_from(song_logits(&logits, &sizes))?;
        let rankings: [&dyn Fn(usize) -> f32; 3] =
            [&|i| case.scores[i], &|i| logits[i], &|i| case.scores[i] + LOG_ODDS_WEIGHT * logits[i]];
        for (count, by) in first.iter_mut().zip(rankings) {
            let best = (0..case.pairs.len()).max_by(|&a, &b| by(a).total_cmp(&by(b)));
            *count += f64::from(u8::from(best.is_some_and(|best| case.right[best])));
        }
    }
    Ok(first.map(|count| count / dev.len() as f64))
}
