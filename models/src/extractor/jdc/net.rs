//! The network of `jdc`: pre-activation residual blocks that only pool over frequency, a bidirectional LSTM, and the auxiliary
//! detector over all blocks.

use tch::nn::{self, Module, ModuleT, Path, RNN};
use tch::{Kind, Tensor};

use super::{ARCHITECTURE, CLASSES, classes};
use crate::extractor::segmented::SegmentNet;
use crate::extractor::segments::{BINS, SEGMENT};
use crate::nn::conv::{ConvBn, ConvShape, channels_last, he_normal, leaky_, max_pool};
use crate::nn::hard_lstm::HardLstm;
use crate::nn::{cost, recurrent};

/// Filters of the first block and of the three residual ones.
const WIDTHS: [i64; 4] = [64, 128, 192, 256];

/// Frequency pooling after each block: 513 -> 128 -> 32 -> 8 -> 2.
const POOL: i64 = 4;

/// Features per frame after the blocks: 2 rows of 256 channels.
const FEATURES: i64 = 512;

/// LSTM units per direction.
const HIDDEN: i64 = 256;

/// Channels of the detector, and its LSTM units per direction.
const DETECTOR: (i64, i64) = (256, 32);

/// Epsilon of the published batch normalisation.
const EPS: f64 = 1e-3;

/// 4.18 M parameters.
#[derive(Debug)]
pub struct JdcNet {
    enter: ConvBn<2>,
    enter_second: Tensor,
    blocks: Vec<Block>,
    leave: nn::BatchNorm,
    lstm: nn::LSTM,
    hard: Option<HardLstm>,
    dense: nn::Linear,
    voice: Detector,
    folded: Vec<Folded>,
}

/// Batch normalisation, leaky ReLU and pooling, then 3x3 -> 3x3 beside a 1x1.
#[derive(Debug)]
struct Block {
    bn: nn::BatchNorm,
    skip: Tensor,
    first: ConvBn<2>,
    second: Tensor,
}

/// The convolutions whose sum a batch normalisation follows, that folded in.
#[derive(Debug)]
struct Folded {
    second: Tensor,
    skip: Option<Tensor>,
    bias: Tensor,
}

/// The auxiliary detector of the voice.
#[derive(Debug)]
struct Detector {
    conv: ConvBn<2>,
    lstm: nn::LSTM,
    dense: nn::Linear,
}

impl JdcNet {
    /// Normalised segments `(n, 31, 513)` to pitch logits `(n, 31, 722)` and the detector's logits `(n, 31, 2)` (unvoiced,
    /// voiced), both f32, for training; computes in the kind of `x`.
    ///
    /// Dropout is 0.5 before and 0.3 at the input of the LSTMs, as published; their recurrent dropout is left out (libtorch's
    /// LSTM has none).
    pub fn forward_t(&self, x: &Tensor, train: bool) -> (Tensor, Tensor) {
        let h = leaky_(self.enter.forward_t(&channels_last(&x.unsqueeze(1)), train));
        let mut outputs = vec![convolve(&h, &self.enter_second, None)];
        for block in &self.blocks {
            outputs.push(block.forward_t(&outputs[outputs.len() - 1], train));
        }
        let rest = outputs.pop().unwrap_or(h);
        let last = max_pool(&leaky_(self.leave.forward_t(&rest, train)), POOL, train).dropout(0.5, train);
        let pitch = self.dense.forward(&self.lstm.seq(&frames(&last).dropout(0.3, train)).0);
        // Every block pooled to two rows.
        let pooled = outputs.iter().zip([256, 64, 16]).map(|(h, by)| max_pool(h, by, train));
        let joint = Tensor::cat(&pooled.chain([last.shallow_clone()]).collect::<Vec<_>>(), 1);
        (pitch, self.voice.forward_t(&joint, train))
    }
}

impl Block {
    fn new(path: &Path, input: i64, output: i64) -> Self {
        Block {
            bn: batch_norm(&(path / "bn"), input),
            skip: he_normal(path, "skip", &[output, input, 1, 1]),
            first: ConvBn::new(&(path / "first"), ConvShape::new(input, output, [3, 3]), EPS),
            second: he_normal(path, "second", &[output, output, 3, 3]),
        }
    }

    fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        let h = max_pool(&leaky_(self.bn.forward_t(x, train)), POOL, train);
        let inner = leaky_(self.first.forward_t(&h, train));
        convolve(&h, &self.skip, None) + convolve(&inner, &self.second, None)
    }
}

impl Detector {
    fn new(path: &Path) -> Self {
        let (channels, hidden) = DETECTOR;
        let shape = ConvShape::new(WIDTHS.iter().sum(), channels, [1, 1]);
        Detector {
            conv: ConvBn::new(&(path / "conv"), shape, EPS),
            lstm: recurrent::lstm(&(path / "lstm"), 2 * channels, hidden, 1),
            dense: nn::linear(path / "dense", 2 * hidden, 2, Default::default()),
        }
    }

    fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        let h = leaky_(self.conv.forward_t(x, train)).dropout(0.5, train);
        self.dense.forward(&self.lstm.seq(&frames(&h).dropout(0.3, train)).0)
    }
}

impl SegmentNet for JdcNet {
    const ARCHITECTURE: &str = ARCHITECTURE;
    const FIRST_PITCH: i64 = 1;

    fn new(path: &Path) -> Self {
        let blocks = WIDTHS.windows(2).enumerate();
        JdcNet {
            enter: ConvBn::new(&(path / "block1" / "first"), ConvShape::new(1, WIDTHS[0], [3, 3]), EPS),
            enter_second: he_normal(&(path / "block1"), "second", &[WIDTHS[0], WIDTHS[0], 3, 3]),
            blocks: blocks.map(|(i, w)| Block::new(&(path / format!("block{}", i + 2)), w[0], w[1])).collect(),
            leave: batch_norm(&(path / "leave" / "bn"), WIDTHS[3]),
            lstm: recurrent::lstm(&(path / "lstm"), FEATURES, HIDDEN, 1),
            hard: None,
            dense: nn::linear(path / "dense", 2 * HIDDEN, CLASSES, Default::default()),
            voice: Detector::new(&(path / "voice")),
            folded: Vec::new(),
        }
    }

    fn use_hard_gates(&mut self, path: &Path) {
        self.hard = HardLstm::new(&(path / "lstm"));
    }

    fn fold(&mut self, kind: Kind) {
        let _guard = tch::no_grad_guard();
        for conv in std::iter::once(&mut self.enter).chain(self.blocks.iter_mut().map(|block| &mut block.first)) {
            conv.fold();
            conv.folded_to_kind(kind);
        }
        // What leaves a block goes through the batch normalisation of the next.
        let norms = self.blocks.iter().map(|block| &block.bn).chain([&self.leave]);
        let sums = std::iter::once((&self.enter_second, None)).chain(self.blocks.iter().map(|b| (&b.second, Some(&b.skip))));
        self.folded = sums.zip(norms).map(|((second, skip), norm)| Folded::new(second, skip, norm, kind)).collect();
    }

    fn logits(&self, x: &Tensor) -> Tensor {
        let mut h = leaky_(self.enter.forward_t(&channels_last(&x.unsqueeze(1)), false));
        for (i, sum) in self.folded.iter().enumerate() {
            let out = match (&sum.skip, i.checked_sub(1)) {
                (Some(skip), Some(block)) => {
                    let inner = leaky_(self.blocks[block].first.forward_t(&h, false));
                    convolve(&inner, &sum.second, Some(&sum.bias)) + convolve(&h, skip, None)
                }
                _ => convolve(&h, &sum.second, Some(&sum.bias)),
            };
            // The leaky ReLU rises: it may as well come after the maximum, on a quarter of the values.
            h = leaky_(max_pool(&out, POOL, false));
        }
        let h = frames(&h);
        self.dense.forward(&self.hard.as_ref().map_or_else(|| self.lstm.seq(&h).0, |hard| hard.forward(&h)))
    }

    fn f0_of(class: i64) -> f32 {
        classes::f0_of(class)
    }

    fn smooth(f0: Vec<f32>) -> Vec<f32> {
        classes::median5(f0)
    }

    fn multiply_adds(&self) -> u64 {
        let first = self.enter.weights() + self.enter_second.numel() as u64;
        let residual = self.blocks.iter().map(|b| b.first.weights() + (b.skip.numel() + b.second.numel()) as u64);
        let rows = (0..).scan(BINS as u64, |rows, _| Some(std::mem::replace(rows, *rows / POOL as u64)));
        let convolutions: u64 = std::iter::once(first).chain(residual).zip(rows).map(|(weights, rows)| weights * rows).sum();
        SEGMENT as u64 * (convolutions + cost::lstm(FEATURES, HIDDEN, 1) + self.dense.ws.numel() as u64)
    }
}

impl Folded {
    fn new(second: &Tensor, skip: Option<&Tensor>, norm: &nn::BatchNorm, kind: Kind) -> Self {
        let one = Tensor::ones_like(&norm.running_mean);
        let gain = norm.ws.as_ref().unwrap_or(&one) / (&norm.running_var + EPS).sqrt();
        let bias = norm.bs.as_ref().map_or_else(|| one.zeros_like(), Tensor::shallow_clone) - &norm.running_mean * &gain;
        let scaled = |weight: &Tensor| (weight * gain.view([-1, 1, 1, 1])).to_kind(kind).contiguous();
        Folded { second: scaled(second), skip: skip.map(scaled), bias: bias.to_kind(kind) }
    }
}

fn batch_norm(path: &Path, channels: i64) -> nn::BatchNorm {
    let config = nn::BatchNormConfig { eps: EPS, ws_init: nn::Init::Const(1.0), ..Default::default() };
    nn::batch_norm2d(path, channels, config)
}

/// "Same" convolution in the kind of `x`.
fn convolve(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
    let pad = weight.size()[2] / 2;
    x.conv2d(&weight.to_kind(x.kind()), bias, [1, 1], [pad, pad], [1, 1], 1)
}

/// `(n, channels, frames, rows)` to f32 features `(row, channel)` per frame.
fn frames(h: &Tensor) -> Tensor {
    h.permute([0, 2, 3, 1]).flatten(2, 3).to_kind(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, nn::VarStore};

    #[test]
    fn the_network_has_the_published_size_and_shapes() {
        let vs = VarStore::new(Device::Cpu);
        let net = JdcNet::new(&vs.root());
        let count: usize = vs.variables().values().map(Tensor::numel).sum();
        // The running statistics counted in; libtorch's LSTMs have a second bias.
        let conv = 9 * 64 + 9 * 64 * 64;
        let block = |i: usize, o: usize| i * o + 9 * i * o + 9 * o * o;
        let norms = 4 * (64 + 64 + 128 + 128 + 192 + 192 + 256 + 256);
        let pitch = 2 * 4 * 256 * (512 + 256 + 2) + 512 * 722 + 722;
        let voice = 640 * 256 + 4 * 256 + 2 * 4 * 32 * (512 + 32 + 2) + 64 * 2 + 2;
        assert_eq!(count, conv + block(64, 128) + block(128, 192) + block(192, 256) + norms + pitch + voice);
        let (pitch, voice) = net.forward_t(&Tensor::zeros([2, 31, 513], (Kind::Float, Device::Cpu)), false);
        assert_eq!(pitch.size(), [2, 31, 722]);
        assert_eq!(voice.size(), [2, 31, 2]);
        // Rows 513, 128, 32 and 8; the detector takes no part.
        let convolutions = 513 * conv + 128 * block(64, 128) + 32 * block(128, 192) + 8 * block(192, 256);
        assert_eq!(net.multiply_adds(), 31 * (convolutions + 2 * 4 * 256 * (512 + 256) + 512 * 722) as u64);
    }

    #[test]
    fn folding_keeps_the_output() {
        let vs = VarStore::new(Device::Cpu);
        let mut net = JdcNet::new(&vs.root());
        let x = Tensor::randn([2, 31, 513], (Kind::Float, Device::Cpu));
        let _guard = tch::no_grad_guard();
        let _ = net.forward_t(&x, true);
        let plain = net.forward_t(&x, false).0.softmax(-1, Kind::Float);
        net.fold(Kind::Float);
        let folded = net.logits(&x).softmax(-1, Kind::Float);
        assert!((plain - folded).abs().max().double_value(&[]) < 1e-4);
    }
}
