//! What computes a network: the engine, or libtorch.

use crate::ModelError;

/// A network on something that computes. One value serves one thread.
pub(super) trait Runner: Send {
    /// Windows that it is fastest with, and takes at most.
    fn batch(&self) -> usize;

    /// Unit vectors (512 values each) of windows, given their features one after the other.
    fn run(&mut self, features: &[f32], out: &mut [f32]) -> Result<(), ModelError>;

    /// Another over the same weights.
    fn fork(&self) -> Box<dyn Runner>;
}
