//! Rerankers: networks that look at a hum and at the passage of a song it was aligned with, side by side, and tell whether
//! they are the same tune.
//!
//! Embeddings are made of hum and song apart, so that they can be stored; who sees both at once tells tunes apart that are
//! only alike (cross-encoders, Nogueira & Cho, "Passage re-ranking with BERT", 2019). That is too slow for a whole library and is done
//! for the best candidates.

mod network;
mod pair;

pub use network::SideBySide;
pub use pair::CHANNELS;

pub use pair::Pair;

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use crate::nn::weights::Weights;
use crate::{ModelError, ModelInfo};

/// Weights that come with qbh, by name.
pub const SHIPPED: &[(&str, &[u8])] = &[(DEFAULT_RERANKER, include_bytes!("../../weights/side-by-side.safetensors"))];

/// The reranker that is used when none is named.
pub const DEFAULT_RERANKER: &str = "side-by-side";

/// `architecture` in the metadata of its weights.
pub const ARCHITECTURE: &str = "side-by-side";

/// What the log-odds count beside the score that songs are ranked by without them: in the ranking, and where a training measures what both do together.
pub const LOG_ODDS_WEIGHT: f32 = 0.2;

/// A loaded reranker.
#[derive(Debug)]
pub struct Reranker {
    info: ModelInfo,
    device: Device,
    /// One for each share of the pairs: tensors are for one thread at a time.
    networks: Vec<Mutex<SideBySide>>,
}

impl Reranker {
    /// Opens shipped weights by name, or a safetensors file by path, on a device.
    ///
    /// # Errors
    /// Weights that are not there, damaged, or of something else.
    pub fn open(name_or_path: &str, device: Device) -> Result<Self, ModelError> {
        let weights = Weights::open(name_or_path, SHIPPED)?;
        if weights.architecture() != ARCHITECTURE {
            let reason = format!("no reranker has the architecture {:?}", weights.architecture());
            return Err(ModelError::Weights { name: weights.name, reason });
        }
        let filled = || {
            let mut vs = VarStore::new(device);
            let network = SideBySide::new(&vs.root());
            weights.fill(&mut vs)?;
            vs.freeze();
            Ok::<_, ModelError>((network, vs))
        };
        let (network, vs) = filled()?;
        let mut networks = vec![Mutex::new(network)];
        let workers = if device == Device::Cpu { rayon::current_num_threads() } else { 1 };
        for _ in 1..workers {
            networks.push(Mutex::new(filled()?.0));
        }
        Ok(Reranker { info: weights.info(&vs), device, networks })
    }

    /// Name, fingerprint and provenance.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The log-odds of each pair that song and hum are the same tune, on all cores. Many pairs are fastest together.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn score(&self, pairs: &[Pair]) -> Result<Vec<f32>, ModelError> {
        let pairs: Vec<&Pair> = pairs.iter().collect();
        let order = by_steps(&pairs);
        let scored = self.networks.par_iter().enumerate().map(|(worker, network)| {
            // Short hums and long ones in every share.
            let share: Vec<usize> = order.iter().copied().skip(worker).step_by(self.networks.len()).collect();
            let pairs: Vec<&Pair> = share.iter().map(|&pair| pairs[pair]).collect();
            let _guard = tch::no_grad_guard();
            let network = network.lock().unwrap_or_else(PoisonError::into_inner);
            let logits = logits(&network, &pairs, self.device, false)?;
            Ok((share, Vec::<f32>::try_from(logits.f_to_device(Device::Cpu)?)?))
        });
        let mut scores = vec![0.0; pairs.len()];
        for (share, logits) in scored.collect::<Result<Vec<_>, ModelError>>()? {
            share.into_iter().zip(logits).for_each(|(pair, logit)| scores[pair] = logit);
        }
        Ok(scores)
    }
}

/// The log-odds of pairs, `(pairs)`; those of equally many steps go through the network together.
pub fn logits(network: &SideBySide, pairs: &[&Pair], device: Device, train: bool) -> Result<Tensor, ModelError> {
    let order = by_steps(pairs);
    let mut place = vec![0i64; pairs.len()];
    order.iter().enumerate().for_each(|(at, &pair)| place[pair] = at as i64);
    let mut logits = vec![Tensor::f_zeros([0], (Kind::Float, device))?];
    for alike in order.chunk_by(|&a, &b| pairs[a].steps() == pairs[b].steps()) {
        let alike: Vec<&Pair> = alike.iter().map(|&pair| pairs[pair]).collect();
        logits.push(network.forward_t(&features(&alike)?.f_to_device(device)?, train));
    }
    let place = Tensor::f_from_slice(&place)?.f_to_device(device)?;
    Ok(Tensor::f_cat(&logits, 0)?.f_index_select(0, &place)?)
}

/// Indices of the pairs, by their steps.
fn by_steps(pairs: &[&Pair]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_by_key(|&pair| pairs[pair].steps());
    order
}

/// The input of the network, `(pairs, CHANNELS, steps)`, for pairs of equally many steps.
fn features(pairs: &[&Pair]) -> Result<Tensor, ModelError> {
    let steps = pairs.first().map_or(1, |pair| pair.steps());
    let mut values = vec![0.0; pairs.len() * CHANNELS * steps];
    pairs.iter().zip(values.chunks_exact_mut(CHANNELS * steps)).for_each(|(pair, out)| pair.features(out));
    Ok(Tensor::f_from_slice(&values)?.f_view([pairs.len() as i64, CHANNELS as i64, steps as i64])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_all_lengths_score_together_as_they_do_alone() {
        let pair = |i: usize| {
            let hum: Vec<f32> = (0..40 + 10 * (i % 3)).map(|step| 60.0 + ((step / 4 + i) % 7) as f32).collect();
            let song: Vec<f32> = (0..90).map(|step| 62.0 + ((step / 4) % 7) as f32).collect();
            let path: Vec<(u32, u32)> = (0..18).map(|step| (2 * step, 2 * step + 4)).collect();
            Pair::new(&hum, &song, &path, 2.0).unwrap()
        };
        let pairs: Vec<Pair> = (0..20).map(pair).collect();
        let reranker = Reranker::open(DEFAULT_RERANKER, Device::Cpu).unwrap();
        let together = reranker.score(&pairs).unwrap();
        for (pair, together) in pairs.iter().zip(together) {
            let alone = reranker.score(std::slice::from_ref(pair)).unwrap()[0];
            assert!((alone - together).abs() < 1e-4, "{alone} and {together}");
        }
        assert!(reranker.score(&[]).unwrap().is_empty());
    }
}
