//! Rerankers: networks that look at a hum and at the passage of a song it was aligned with, side by side, and tell whether
//! they are the same tune.
//!
//! Embeddings are made of hum and song apart, so that they can be stored; who sees both at once tells tunes apart that are
//! only alike (cross-encoders, Nogueira & Cho, "Passage re-ranking with BERT", 2019). That is too slow for a whole library and is done
//! for the best candidates.

mod network;
mod pair;

pub(crate) use network::SideBySide;
pub(crate) use pair::CHANNELS;

pub use pair::Pair;

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
pub(crate) const ARCHITECTURE: &str = "side-by-side";

/// A loaded reranker.
#[derive(Debug)]
pub struct Reranker {
    info: ModelInfo,
    vs: VarStore,
    network: SideBySide,
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
        let mut vs = VarStore::new(device);
        let network = SideBySide::new(&vs.root());
        weights.fill(&mut vs)?;
        vs.freeze();
        Ok(Reranker { info: weights.info(&vs), vs, network })
    }

    /// Name, fingerprint and provenance.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The log-odds of each pair that song and hum are the same tune. Many pairs are fastest together.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn score(&self, pairs: &[Pair]) -> Result<Vec<f32>, ModelError> {
        let _guard = tch::no_grad_guard();
        Ok(Vec::<f32>::try_from(logits(&self.network, pairs, self.vs.device(), false)?.f_to_device(Device::Cpu)?)?)
    }
}

/// The log-odds of pairs, `(pairs)`; those of equally many steps go through the network together.
pub(crate) fn logits(network: &SideBySide, pairs: &[Pair], device: Device, train: bool) -> Result<Tensor, ModelError> {
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_by_key(|&pair| pairs[pair].steps());
    let mut place = vec![0i64; pairs.len()];
    order.iter().enumerate().for_each(|(at, &pair)| place[pair] = at as i64);
    let mut logits = vec![Tensor::f_zeros([0], (Kind::Float, device))?];
    for alike in order.chunk_by(|&a, &b| pairs[a].steps() == pairs[b].steps()) {
        let alike: Vec<&Pair> = alike.iter().map(|&pair| &pairs[pair]).collect();
        logits.push(network.forward_t(&features(&alike)?.f_to_device(device)?, train));
    }
    let place = Tensor::f_from_slice(&place)?.f_to_device(device)?;
    Ok(Tensor::f_cat(&logits, 0)?.f_index_select(0, &place)?)
}

/// The input of the network, `(pairs, CHANNELS, steps)`, for pairs of equally many steps.
fn features(pairs: &[&Pair]) -> Result<Tensor, ModelError> {
    let steps = pairs.first().map_or(1, |pair| pair.steps());
    let mut values = vec![0.0; pairs.len() * CHANNELS * steps];
    pairs.par_iter().zip(values.par_chunks_exact_mut(CHANNELS * steps)).for_each(|(pair, out)| pair.features(out));
    Ok(Tensor::f_from_slice(&values)?.f_view([pairs.len() as i64, CHANNELS as i64, steps as i64])?)
}
