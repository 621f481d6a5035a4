//! An embedder as a task of the training loop.

use std::collections::BTreeMap;

use tch::nn::{Init, VarStore};
use tch::{Kind, Tensor};

use super::EmbedderSettings;
use super::batch::Batch;
use super::dev::DevSet;
use super::directions::Directions;
use super::loss;
use super::tunes::Tune;
use crate::adamw::AdamWConfig;
use crate::checkpoint::Progress;
use crate::ema::Ema;
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::task::{Model, Recipe, Task};
use qbh_models::ModelError;
use qbh_models::embedder::{self, Architecture, Network, PROJECTION};
use qbh_models::nn::weights::Weights;

/// Largest joint norm of the gradients.
const CLIP: f64 = 1.0;
/// Weight of the past in the averaged weights.
const EMA_DECAY: f64 = 0.999;
const ADAMW: AdamWConfig = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.02 };
const SCHEDULE: Schedule = Schedule { peak: 1.5e-3, warmup: 60, floor: 0.02 };
/// Logarithm of the inverse temperature at the start: 15.6.
const LOG_INVERSE_TEMPERATURE: f64 = 2.75;
/// Its variable; part of the training, not of the model.
const TEMPERATURE: &str = "log_inverse_temperature";

/// A network with its temperature.
struct Trained {
    vs: VarStore,
    network: Box<dyn Network>,
    temperature: Tensor,
}

impl Trained {
    fn new(settings: &Settings, architecture: Architecture) -> Self {
        let vs = VarStore::new(settings.device);
        let network = architecture.build(&vs.root());
        let temperature = vs.root().var(TEMPERATURE, &[], Init::Const(LOG_INVERSE_TEMPERATURE));
        Trained { vs, network, temperature }
    }
}

/// An embedder in training.
pub(super) struct EmbedderTask<'a> {
    settings: &'a Settings,
    kind: EmbedderSettings,
    trained: Trained,
    /// Holds the averaged weights while they are scored.
    averaged: Trained,
    dev: Option<DevSet>,
    directions: Option<Directions>,
    /// Metadata of the weights it set out from.
    origin: Option<BTreeMap<String, String>>,
}

impl<'a> EmbedderTask<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        kind: EmbedderSettings,
        dev: &[Tune],
        directions: Option<Directions>,
    ) -> Result<Self, ModelError> {
        let trained = Trained::new(settings, kind.architecture);
        let origin = settings.from.as_ref().map(|name| set_out(&trained.vs, kind.architecture, name)).transpose()?;
        Ok(EmbedderTask {
            settings,
            kind,
            averaged: Trained::new(settings, kind.architecture),
            trained,
            dev: DevSet::new(dev, kind.architecture)?,
            directions,
            origin,
        })
    }
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

impl Task<Batch> for EmbedderTask<'_> {
    fn architecture(&self) -> &'static str {
        self.kind.architecture.name()
    }

    fn identity(&self) -> String {
        let Settings { batch, rate, seed, from, .. } = self.settings;
        let (loss, rate) = (self.kind.loss, rate.unwrap_or(SCHEDULE.peak));
        let (warmup, weight_decay) = (SCHEDULE.warmup, ADAMW.weight_decay);
        let from = from.as_ref().map_or(String::new(), |name| format!(" from {name}"));
        format!("{loss:?} batch {batch} rate {rate} warm-up {warmup} decay {weight_decay} ema {EMA_DECAY} seed {seed}{from}")
    }

    fn variables(&self) -> &VarStore {
        &self.trained.vs
    }

    fn recipe(&self) -> Recipe {
        Recipe { optimiser: ADAMW, schedule: SCHEDULE, clip: CLIP, ema: EMA_DECAY }
    }

    fn scores(&self) -> &'static [&'static str] {
        &["loss", "accuracy", "inverse_temperature"]
    }

    fn dev_scores(&self) -> &'static [&'static str] {
        &["recall_1", "recall_10"]
    }

    fn backward(&mut self, batch: &Batch) -> Result<Vec<f64>, ModelError> {
        let (channels, steps) = self.kind.architecture.input();
        let pairs = batch.groups.len() as i64;
        let shape = [2 * pairs, channels as i64, steps as i64];
        let kind = if self.settings.f32 { Kind::Float } else { Kind::BFloat16 };
        let x = Tensor::f_from_slice(&batch.input)?.f_view(shape)?.f_to_device(self.settings.device)?.f_to_kind(kind)?;
        let embedded = self.trained.network.forward_t(&x, true);
        let scores = loss::scores(&embedded.narrow(0, 0, pairs), &embedded.narrow(0, pairs, pairs), &batch.groups);
        let loss = loss::loss(self.kind.loss, &scores, &self.trained.temperature);
        loss.f_backward()?;
        Ok(vec![loss.double_value(&[]), loss::accuracy(&scores), self.trained.temperature.exp().double_value(&[])])
    }

    fn model(&mut self, ema: &Ema, progress: Progress, metadata: BTreeMap<String, String>) -> Result<Model, ModelError> {
        let (device, averaged) = (self.settings.device, &self.averaged);
        ema.copy_to(&averaged.vs)?;
        let dev = self.dev.as_ref().map(|dev| Ok::<_, ModelError>((dev.len(), dev.score(&*averaged.network, device)?)));
        let dev = dev.transpose()?;
        let mut metadata = match &self.origin {
            Some(origin) if progress.step == 0 => origin.clone(),
            _ => metadata,
        };
        if progress.step > 0 || self.origin.is_none() {
            metadata.insert("settings".into(), self.identity());
            if let Some((pairs, [first, ten])) = dev {
                let note = format!("{pairs} simulated hums of held-out melodies: recall@1 {first:.3}, recall@10 {ten:.3}");
                metadata.insert("dev".into(), note);
            }
        }
        metadata.remove(PROJECTION);
        let mut tensors = ema.weights();
        tensors.retain(|(name, _)| name != TEMPERATURE);
        if let Some(directions) = &self.directions {
            let (basis, note) = directions.fit(&*averaged.network, device)?;
            tensors.push((PROJECTION.into(), basis));
            metadata.insert(PROJECTION.into(), note);
        }
        Ok(Model { tensors, metadata, dev: dev.map(|(_, recalls)| recalls.to_vec()) })
    }
}
