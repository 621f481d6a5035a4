//! The published encoder (D. Jeong, "Query-by-Humming with Melody Embedding DNN"): residual convolutions and a GRU over
//! windows of 20 s, in their key and at their tempo. For comparison; what it lacks it has to learn from transposed and stretched copies.

use tch::nn::{self, GRU, Linear, Path, RNN, RNNConfig};
use tch::{Kind, Tensor};

use super::attention::{apply, linear};
use super::network::{Network, normalize};
use super::residual::Residual;
use crate::EMBEDDING_DIM;

/// Contour steps of a window: 20 s.
pub(super) const STEPS: usize = 200;
/// Input channels: normalised pitch, voiced.
pub(super) const CHANNELS: usize = 2;
/// Mean and standard deviation of voiced MIDI pitch, from the reference implementation.
const PITCH_MEAN: f32 = 61.7023;
const PITCH_STD: f32 = 5.5202;

const WIDTHS: [i64; 6] = [128, 128, 256, 256, 512, 512];
/// Max-pooling after each block; together at most 160.
const POOLS: [i64; 6] = [3, 3, 3, 2, 2, 1];

/// See the module.
#[derive(Debug)]
pub(super) struct Reference {
    blocks: Vec<Residual>,
    gru: GRU,
    output: Linear,
}

impl Reference {
    pub(super) fn new(path: &Path) -> Self {
        let inputs = [CHANNELS as i64].into_iter().chain(WIDTHS);
        let blocks = inputs
            .zip(WIDTHS)
            .enumerate()
            .map(|(i, (input, output))| Residual::new(&(path / format!("block{i}")), input, output, 1))
            .collect();
        let width = WIDTHS[WIDTHS.len() - 1];
        Reference {
            blocks,
            gru: nn::gru(&(path / "gru"), width, width, RNNConfig { batch_first: true, ..Default::default() }),
            output: linear(path / "output", width, EMBEDDING_DIM as i64),
        }
    }
}

impl Network for Reference {
    fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        let mut x = x.shallow_clone();
        for (block, pool) in self.blocks.iter().zip(POOLS) {
            x = block.forward_t(&x, train);
            if pool > 1 {
                x = x.max_pool1d([pool], [pool], [0], [1], false);
            }
        }
        let (_, state) = self.gru.seq(&x.to_kind(Kind::Float).transpose(1, 2).contiguous());
        normalize(&apply(&self.output, &state.value().select(0, -1)))
    }

    fn fold(&mut self) {
        self.blocks.iter_mut().for_each(Residual::fold);
    }
}

/// Fills `out`, `(2, 200)` row by row: pitch normalised where voiced, else 0; and whether it is voiced.
/// A longer window is cut, a shorter one is followed by silence.
pub(super) fn features(window: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    let (pitch, voiced) = out.split_at_mut(STEPS);
    for (k, &p) in window.iter().take(STEPS).enumerate() {
        if p.is_finite() && p > 0.0 {
            pitch[k] = (p - PITCH_MEAN) / PITCH_STD;
            voiced[k] = 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_normalised_pitch_and_voicing() {
        let mut out = vec![7.0; CHANNELS * STEPS];
        features(&[PITCH_MEAN + PITCH_STD, 0.0, PITCH_MEAN], &mut out);
        assert!((out[0] - 1.0).abs() < 1e-5);
        assert_eq!(out[1..4], [0.0; 3]);
        assert_eq!(out[200..204], [1.0, 0.0, 1.0, 0.0]);
    }
}
