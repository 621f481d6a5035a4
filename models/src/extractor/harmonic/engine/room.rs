//! Room for what lies between the layers, kept from recording to recording.

use super::stack::Stack;
use super::window::Window;
use super::{CHUNK, Network, stack};
use crate::engine::GruState;
use crate::extractor::harmonic::shape::{BINS_PER_ROW, LOCAL, ROWS, SQUEEZED};

/// Everything that a run writes to. It grows with the longest piece of a recording, and then no more.
#[derive(Debug)]
pub(in crate::extractor::harmonic) struct Room {
    channels: usize,
    given_width: usize,
    hidden: usize,
    pub(super) harmonics: Stack,
    /// The harmonic stack of a chunk and of a frame on either side.
    pub(super) stack: Vec<f32>,
    /// The input of each block.
    pub(super) windows: Vec<Window>,
    /// A chunk for the GRU.
    pub(super) squeezed: Vec<f32>,
    /// All frames of the stem and of the last block, `61 x channels` each.
    pub(super) stem: Vec<f32>,
    pub(super) features: Vec<f32>,
    /// All frames: the input's share in the gates, and the GRU's states.
    pub(super) given: Vec<f32>,
    pub(super) gru: GruState,
    pub(super) context: Vec<f32>,
    /// A chunk of what the context says: gains and offsets, a bias per row.
    pub(super) film: Vec<f32>,
    pub(super) row_bias: Vec<f32>,
    /// The input of the last residual block, and its output.
    pub(super) before_post: Window,
    pub(super) after_post: Window,
    /// A chunk of logits, `61 x 3` a frame.
    pub(super) bins: Vec<f32>,
    /// All frames and one before and after: what the voicing head sees, and its hidden layer.
    pub(super) seen: Vec<f32>,
    pub(super) local: Vec<f32>,
}

impl Room {
    /// For a network, and no frames yet.
    pub(in crate::extractor::harmonic) fn new(network: &Network) -> Self {
        let channels = network.channels;
        Room {
            channels,
            given_width: network.gru.given_width(),
            hidden: network.gru.hidden(),
            harmonics: Stack::new(),
            stack: vec![0.0; (CHUNK + 2) * stack::FRAME],
            windows: network.reaches.iter().map(|&reach| Window::new(channels, reach, CHUNK)).collect(),
            squeezed: vec![0.0; CHUNK * ROWS * SQUEEZED],
            stem: Vec::new(),
            features: Vec::new(),
            given: Vec::new(),
            gru: network.gru.state(),
            context: Vec::new(),
            film: vec![0.0; (CHUNK + 2) * 2 * channels],
            row_bias: vec![0.0; CHUNK * ROWS],
            before_post: Window::new(channels, 1, CHUNK),
            after_post: Window::new(channels, 0, CHUNK),
            bins: vec![0.0; CHUNK * ROWS * BINS_PER_ROW],
            seen: Vec::new(),
            local: Vec::new(),
        }
    }

    /// Makes room for a piece of this many frames, and forgets the one before.
    pub(super) fn fit(&mut self, frames: usize) {
        let grow = |values: &mut Vec<f32>, length: usize| values.resize(length.max(values.len()), 0.0);
        let compact = ROWS * self.channels;
        grow(&mut self.stem, frames * compact);
        grow(&mut self.features, frames * compact);
        grow(&mut self.given, frames * self.given_width);
        grow(&mut self.context, frames * 2 * self.hidden);
        grow(&mut self.seen, (frames + 2) * 3 * self.channels);
        grow(&mut self.local, (frames + 2) * LOCAL);
        self.windows.iter_mut().for_each(Window::clear);
    }
}
