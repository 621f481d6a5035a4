//! What computes the network: the engine, or libtorch.

use super::pair::Pair;
use crate::ModelError;

/// The network on something that computes. One value serves one thread at a time.
pub(super) trait Runner: Send {
    /// The log-odds of each pair.
    fn score(&mut self, pairs: &[&Pair]) -> Result<Vec<f32>, ModelError>;

    /// Another over the same weights.
    fn fork(&self) -> Result<Box<dyn Runner>, ModelError>;
}
