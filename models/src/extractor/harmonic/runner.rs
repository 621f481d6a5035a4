//! What computes the network: the engine, or libtorch.

use std::sync::Arc;

use super::decode::BINS;
use super::engine::{Network, Room};
use super::front_end::{BANDS, SPECTRA};
use crate::ModelError;
use crate::engine::Kernel;
use crate::extractor::pieces::Piece;

/// The network on something that computes. One value serves one thread.
pub(super) trait Runner: Send {
    /// Pieces that it is fastest with.
    fn batch(&self) -> usize;

    /// Fills what is kept of the pieces in the pitch logits (181 a frame) and the voicing probabilities of the whole recording, from
    /// the spectra of the pieces, one after the other. All pieces have equally many frames.
    fn run(&mut self, spectra: &[f32], pieces: &[Piece], logits: &mut [f32], voicing: &mut [f32]) -> Result<(), ModelError>;

    /// Another over the same weights.
    fn fork(&self) -> Box<dyn Runner>;
}

/// The engine.
pub(super) struct Engine {
    network: Arc<Network>,
    room: Room,
    kernel: Kernel,
}

impl Engine {
    /// The network with a kernel.
    pub(super) fn new(network: Arc<Network>, kernel: Kernel) -> Self {
        Engine { room: Room::new(&network), network, kernel }
    }
}

impl Runner for Engine {
    fn batch(&self) -> usize {
        1
    }

    fn run(&mut self, spectra: &[f32], pieces: &[Piece], logits: &mut [f32], voicing: &mut [f32]) -> Result<(), ModelError> {
        for (i, piece) in pieces.iter().enumerate() {
            let size = piece.read.len() * SPECTRA * BANDS;
            let keep = piece.keep.start - piece.read.start..piece.keep.end - piece.read.start;
            let logits = &mut logits[piece.keep.start * BINS..piece.keep.end * BINS];
            let voicing = &mut voicing[piece.keep.clone()];
            self.network.run(self.kernel, &spectra[i * size..][..size], keep, &mut self.room, logits, voicing);
        }
        Ok(())
    }

    fn fork(&self) -> Box<dyn Runner> {
        Box::new(Engine::new(self.network.clone(), self.kernel))
    }
}
