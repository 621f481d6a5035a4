//! Recurrent layers.

use tch::nn::{self, Init, Path};

/// A bidirectional LSTM over `(batch, frames, input)` with `hidden` units per direction, initialised as libtorch does.
pub fn lstm(path: &Path, input: i64, hidden: i64, layers: i64) -> nn::LSTM {
    let bound = 1.0 / (hidden as f64).sqrt();
    let uniform = Init::Uniform { lo: -bound, up: bound };
    let config =
        nn::RNNConfig { bidirectional: true, num_layers: layers, w_ih_init: uniform, w_hh_init: uniform, ..Default::default() };
    nn::lstm(path, input, hidden, config)
}
