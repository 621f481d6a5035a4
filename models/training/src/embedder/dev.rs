//! Development score during training: simulated hums of held-out melodies against song windows of all of them.

use std::collections::HashSet;

use tch::{Kind, Tensor};

use super::batch::Batch;
use super::loss;
use super::pairs::PairSource;
use super::tunes::Tune;
use qbh_models::ModelError;
use qbh_models::embedder::{Architecture, Network};

/// Seed of the development pairs: the same ones at every checkpoint of every training.
const SEED: u64 = 0x6465_7673;
/// Windows per forward pass.
const CHUNK: i64 = 256;

/// A fixed set of pairs.
pub(super) struct DevSet {
    input: Tensor,
    groups: Vec<i64>,
}

/// Embeddings `(n, 512)` of inputs `(n, channels, steps)`, on `device`, without gradients.
pub(super) fn embed(network: &dyn Network, input: &Tensor, device: tch::Device) -> Tensor {
    let _guard = tch::no_grad_guard();
    let chunks: Vec<Tensor> = input.split(CHUNK, 0).iter().map(|x| network.forward_t(&x.to_device(device), false)).collect();
    Tensor::cat(&chunks, 0)
}

impl DevSet {
    /// One pair per melody, up to 1000; `None` without melodies that give pairs.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(super) fn new(melodies: &[Tune], architecture: Architecture) -> Result<Option<Self>, ModelError> {
        let pairs = melodies.iter().map(|m| m.group).collect::<HashSet<_>>().len().min(1000);
        let source = PairSource::new(melodies, architecture);
        let Ok(batch) = Batch::draw(&source, architecture, pairs, SEED, 0) else { return Ok(None) };
        let (channels, steps) = architecture.input();
        let input = Tensor::f_from_slice(&batch.input)?.f_view([2 * pairs as i64, channels as i64, steps as i64])?;
        Ok((pairs > 1).then_some(DevSet { input, groups: batch.groups }))
    }

    /// Number of hums, and of song windows.
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Scores a network, in f32: recall of the right song window among all (those of the same tune left out), first and within
    /// the first ten.
    pub(super) fn score(&self, network: &dyn Network, device: tch::Device) -> Result<[f64; 2], ModelError> {
        let pairs = self.groups.len() as i64;
        let embedded = embed(network, &self.input, device);
        let scores = loss::scores(&embedded.narrow(0, 0, pairs), &embedded.narrow(0, pairs, pairs), &self.groups);
        let own = scores.diagonal(0, 0, 1).unsqueeze(1);
        let rank = scores.gt_tensor(&own).to_kind(Kind::Float).sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        let recall = |k: f64| rank.lt(k).to_kind(Kind::Float).mean(Kind::Float).double_value(&[]);
        Ok([recall(1.0), recall(10.0)])
    }
}
