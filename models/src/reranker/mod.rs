//! Rerankers: networks that look at a hum and at the passage of a song it was aligned with, side by side, and tell whether
//! they are the same tune.
//!
//! Embeddings are made of hum and song apart, so that they can be stored; who sees both at once tells tunes apart that are
//! only alike (cross-encoders, Nogueira & Cho, "Passage re-ranking with BERT", 2019). That is too slow for a whole library and is done
//! for the best candidates.

mod engine;
#[cfg(feature = "torch")]
mod network;
mod pair;
mod runner;
mod shape;

#[cfg(feature = "torch")]
pub use network::{SideBySide, logits};
pub use pair::{CHANNELS, Pair};

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use self::engine::Engine;
#[cfg(feature = "torch")]
use self::network::Torch;
use self::pair::by_steps;
use self::runner::Runner;
use crate::engine::Kernel;
use crate::nn::weights::Weights;
use crate::{Device, ModelError, ModelInfo};

/// Weights that come with qbh, by name.
pub const SHIPPED: &[(&str, &[u8])] = &[(DEFAULT_RERANKER, include_bytes!("../../weights/side-by-side.safetensors"))];

/// The reranker that is used when none is named.
pub const DEFAULT_RERANKER: &str = "side-by-side";

/// `architecture` in the metadata of its weights.
pub const ARCHITECTURE: &str = "side-by-side";

/// What the log-odds count beside the score that songs are ranked by without them: in the ranking, and where a training measures what both do together.
pub const LOG_ODDS_WEIGHT: f32 = 0.2;

/// A loaded reranker: on the processor by the engine, elsewhere by libtorch.
pub struct Reranker {
    info: ModelInfo,
    /// One for each share of the pairs: each is for one thread at a time.
    runners: Vec<Mutex<Box<dyn Runner>>>,
}

impl Reranker {
    /// Opens shipped weights by name, or a safetensors file by path, on a device.
    ///
    /// # Errors
    /// Weights that are not there, damaged, or of something else.
    pub fn open(name_or_path: &str, device: Device) -> Result<Self, ModelError> {
        let weights = Weights::open(name_or_path, SHIPPED)?;
        if device == Device::Cpu { Self::on_engine(&weights, Kernel::best()) } else { Self::on_libtorch(&weights, device) }
    }

    /// On the engine, with a kernel of choice.
    ///
    /// # Errors
    /// As for [`Reranker::open`].
    pub fn on_engine(weights: &Weights, kernel: Kernel) -> Result<Self, ModelError> {
        check(weights)?;
        let (engine, parameters) = Engine::new(weights, kernel)?;
        Self::assemble(weights.describe(parameters), Box::new(engine), rayon::current_num_threads())
    }

    /// On libtorch, whatever the device.
    ///
    /// # Errors
    /// As for [`Reranker::open`].
    #[cfg(feature = "torch")]
    pub fn on_libtorch(weights: &Weights, device: Device) -> Result<Self, ModelError> {
        check(weights)?;
        let (torch, parameters) = Torch::new(weights, device.into())?;
        let workers = if device == Device::Cpu { rayon::current_num_threads() } else { 1 };
        Self::assemble(weights.describe(parameters), Box::new(torch), workers)
    }

    /// Not in this build.
    #[cfg(not(feature = "torch"))]
    fn on_libtorch(_: &Weights, _: Device) -> Result<Self, ModelError> {
        Err(ModelError::NeedsTorch { what: "a reranker on this device".into() })
    }

    fn assemble(info: ModelInfo, runner: Box<dyn Runner>, workers: usize) -> Result<Self, ModelError> {
        let mut runners = (1..workers).map(|_| Ok(Mutex::new(runner.fork()?))).collect::<Result<Vec<_>, ModelError>>()?;
        runners.push(Mutex::new(runner));
        Ok(Reranker { info, runners })
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
        let scored = self.runners.par_iter().enumerate().map(|(worker, runner)| {
            // Short hums and long ones in every share.
            let share: Vec<usize> = order.iter().copied().skip(worker).step_by(self.runners.len()).collect();
            let pairs: Vec<&Pair> = share.iter().map(|&pair| pairs[pair]).collect();
            let logits = runner.lock().unwrap_or_else(PoisonError::into_inner).score(&pairs)?;
            Ok((share, logits))
        });
        let mut scores = vec![0.0; pairs.len()];
        for (share, logits) in scored.collect::<Result<Vec<_>, ModelError>>()? {
            share.into_iter().zip(logits).for_each(|(pair, logit)| scores[pair] = logit);
        }
        Ok(scores)
    }
}

/// Refuses weights of something else.
fn check(weights: &Weights) -> Result<(), ModelError> {
    if weights.architecture() == ARCHITECTURE {
        return Ok(());
    }
    let reason = format!("no reranker has the architecture {:?}", weights.architecture());
    Err(ModelError::Weights { name: weights.name.clone(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(i: usize) -> Pair {
        let hum: Vec<f32> = (0..40 + 10 * (i % 3)).map(|step| 60.0 + ((step / 4 + i) % 7) as f32).collect();
        let song: Vec<f32> = (0..90).map(|step| 62.0 + ((step / 4) % 7) as f32).collect();
        let path: Vec<(u32, u32)> = (0..18).map(|step| (2 * step, 2 * step + 4)).collect();
        Pair::new(&hum, &song, &path, 2.0).unwrap()
    }

    #[cfg(feature = "torch")]
    #[test]
    fn the_engine_and_libtorch_score_alike() {
        let pairs: Vec<Pair> = (0..40).map(|i| if i % 2 == 0 { pair(i).cut(i / 2..30 + i % 5) } else { pair(i) }).collect();
        let weights = Weights::open(DEFAULT_RERANKER, SHIPPED).unwrap();
        let torch = Reranker::on_libtorch(&weights, Device::Cpu).unwrap();
        let theirs = torch.score(&pairs).unwrap();
        for kernel in Kernel::available() {
            let engine = Reranker::on_engine(&weights, kernel).unwrap();
            assert_eq!(engine.info(), torch.info());
            for (a, b) in engine.score(&pairs).unwrap().iter().zip(&theirs) {
                assert!((a - b).abs() < 1e-4 * (1.0 + b.abs()), "{kernel:?}: {a} against {b}");
            }
        }
    }

    #[test]
    fn weights_of_something_else_are_refused() {
        let weights = Weights::open(crate::embedder::DEFAULT_EMBEDDER, crate::embedder::SHIPPED).unwrap();
        assert!(Reranker::on_engine(&weights, Kernel::Plain).err().unwrap().to_string().contains("contextual"));
    }

    #[test]
    fn pairs_of_all_lengths_score_together_as_they_do_alone() {
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
