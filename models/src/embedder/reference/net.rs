//! The network, on libtorch.

use tch::nn::{self, GRU, Linear, Path, RNN, RNNConfig};
use tch::{Kind, Tensor};

use super::CHANNELS;
use crate::EMBEDDING_DIM;
use crate::embedder::attention::{apply, linear};
use crate::embedder::network::{Network, normalize};
use crate::embedder::residual::Residual;

const WIDTHS: [i64; 6] = [128, 128, 256, 256, 512, 512];
/// Max-pooling after each block; together at most 160.
const POOLS: [i64; 6] = [3, 3, 3, 2, 2, 1];

/// The network with its variables.
#[derive(Debug)]
pub(in crate::embedder) struct Reference {
    blocks: Vec<Residual>,
    gru: GRU,
    output: Linear,
}

impl Reference {
    pub(in crate::embedder) fn new(path: &Path) -> Self {
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
