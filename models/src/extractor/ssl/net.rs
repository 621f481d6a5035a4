//! The network of `ssl`: four residual blocks that only pool over frequency, then a bidirectional LSTM.

use tch::nn::{self, Module, Path, RNN};
use tch::{Kind, Tensor};

use super::{ARCHITECTURE, CLASSES, classes};
use crate::extractor::segmented::SegmentNet;
use crate::extractor::segments::{BINS, SEGMENT};
use crate::nn::conv::{ConvBn, ConvShape, channels_last, leaky, leaky_, max_pool};
use crate::nn::hard_lstm::HardLstm;
use crate::nn::{cost, recurrent};

/// Filters of the four blocks.
const WIDTHS: [i64; 4] = [64, 128, 192, 256];

/// Frequency pooling of each block: 513 -> 128 -> 32 -> 8 -> 2.
const POOL: i64 = 4;

/// Features per frame after the blocks: 2 rows of 256 channels.
const FEATURES: i64 = 512;

/// LSTM units per direction.
const HIDDEN: i64 = 256;

/// Epsilon of the published batch normalisation.
const EPS: f64 = 1e-3;

/// 4.23 M parameters.
#[derive(Debug)]
pub struct SslNet {
    blocks: Vec<Block>,
    lstm: nn::LSTM,
    hard: Option<HardLstm>,
    dense: nn::Linear,
}

impl SslNet {
    /// Normalised segments `(n, 31, 513)` to logits `(n, 31, 442)`, f32; computes in the kind of `x`.
    ///
    /// In training dropout is 0.5 before and 0.3 at the input of the LSTM, as published; its recurrent dropout is left out
    /// (libtorch's LSTM has none).
    pub fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        let n = x.size()[0];
        let mut h = channels_last(&x.unsqueeze(1));
        for block in &self.blocks {
            h = block.forward_t(&h, train);
        }
        // Features are (row, channel) per frame.
        let h = h.permute([0, 2, 3, 1]).reshape([n, SEGMENT as i64, FEATURES]).to_kind(Kind::Float);
        let h = h.dropout(0.5, train).dropout(0.3, train);
        self.dense.forward(&self.hard.as_ref().map_or_else(|| self.lstm.seq(&h).0, |hard| hard.forward(&h)))
    }
}

impl SegmentNet for SslNet {
    const ARCHITECTURE: &str = ARCHITECTURE;
    const FIRST_PITCH: i64 = classes::FIRST_REPORTED;

    fn new(path: &Path) -> Self {
        let blocks = WIDTHS
            .iter()
            .scan(1, |input, &width| Some((std::mem::replace(input, width), width)))
            .enumerate()
            .map(|(i, (input, output))| Block::new(&(path / format!("block{}", i + 1)), input, output))
            .collect();
        SslNet {
            blocks,
            lstm: recurrent::lstm(&(path / "lstm"), FEATURES, HIDDEN, 1),
            hard: None,
            dense: nn::linear(path / "dense", 2 * HIDDEN, CLASSES, Default::default()),
        }
    }

    fn use_hard_gates(&mut self, path: &Path) {
        self.hard = HardLstm::new(&(path / "lstm"));
    }

    fn fold(&mut self, kind: Kind) {
        for block in &mut self.blocks {
            for conv in [&mut block.enter, &mut block.first, &mut block.second, &mut block.leave] {
                conv.fold();
                conv.folded_to_kind(kind);
            }
        }
    }

    fn logits(&self, x: &Tensor) -> Tensor {
        self.forward_t(x, false)
    }

    fn f0_of(class: i64) -> f32 {
        classes::f0_of(class)
    }

    fn multiply_adds(&self) -> u64 {
        let rows = (0..).scan(BINS as u64, |rows, _| Some(std::mem::replace(rows, *rows / POOL as u64)));
        let convolutions: u64 = self.blocks.iter().zip(rows).map(|(block, rows)| block.weights() * rows).sum();
        let dense = self.dense.ws.numel() as u64;
        SEGMENT as u64 * (convolutions + cost::lstm(FEATURES, HIDDEN, 1) + dense)
    }
}

/// 1x1 -> 3x3 -> 3x3 -> 1x1 with the output of the first 1x1 as shortcut, then pooling.
#[derive(Debug)]
struct Block {
    enter: ConvBn<2>,
    first: ConvBn<2>,
    second: ConvBn<2>,
    leave: ConvBn<2>,
}

impl Block {
    fn new(path: &Path, input: i64, output: i64) -> Self {
        let conv = |name: &str, input, kernel| ConvBn::new(&(path / name), ConvShape::new(input, output, kernel), EPS);
        Block {
            enter: conv("enter", input, [1, 1]),
            first: conv("first", output, [3, 3]),
            second: conv("second", output, [3, 3]),
            leave: conv("leave", output, [1, 1]),
        }
    }

    /// Weights of the convolutions: multiply-adds per output value.
    fn weights(&self) -> u64 {
        [&self.enter, &self.first, &self.second, &self.leave].map(ConvBn::weights).into_iter().sum()
    }

    fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        let shortcut = self.enter.forward_t(x, train);
        let h = self.first.forward_t(&leaky(&shortcut), train);
        let h = self.second.forward_t(&leaky_(h), train);
        let h = self.leave.forward_t(&leaky_(h), train);
        max_pool(&leaky_(h + shortcut), POOL, train)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, nn::VarStore};

    #[test]
    fn the_network_has_the_published_size_and_shapes() {
        let vs = VarStore::new(Device::Cpu);
        let net = SslNet::new(&vs.root());
        let parameters: usize = vs.variables().values().map(Tensor::numel).sum();
        // 4.23 M with the running statistics of the batch normalisation; libtorch's LSTM has a second bias of 2048 values.
        assert_eq!(parameters - 2048, 4_228_602);
        let mut h = Tensor::zeros([1, 1, 31, 513], (Kind::Float, Device::Cpu));
        let mut sizes = Vec::new();
        for block in &net.blocks {
            h = block.forward_t(&h, false);
            sizes.push(h.size()[1..].to_vec());
        }
        assert_eq!(sizes, [[64, 31, 128], [128, 31, 32], [192, 31, 8], [256, 31, 2]]);
        let logits = net.forward_t(&Tensor::zeros([2, 31, 513], (Kind::Float, Device::Cpu)), false);
        assert_eq!(logits.size(), [2, 31, 442]);
        // 116 M multiply-adds per frame, as published.
        assert_eq!(net.multiply_adds() / SEGMENT as u64 / 1_000_000, 116);
    }

    #[test]
    fn folding_keeps_the_output() {
        let vs = VarStore::new(Device::Cpu);
        let mut net = SslNet::new(&vs.root());
        let x = Tensor::randn([2, 31, 513], (Kind::Float, Device::Cpu));
        let _guard = tch::no_grad_guard();
        let _ = net.forward_t(&x, true);
        let plain = net.forward_t(&x, false).softmax(-1, Kind::Float);
        net.fold(Kind::Float);
        let folded = net.forward_t(&x, false).softmax(-1, Kind::Float);
        assert!((plain - folded).abs().max().double_value(&[]) < 1e-4);
    }
}
