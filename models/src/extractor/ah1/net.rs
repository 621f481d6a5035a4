//! The network of `ah1`: three convolutions, a two-layer bidirectional LSTM, a head per task.

use tch::nn::{self, Module, Path, RNN};
use tch::{Kind, Tensor};

use super::BINS;
use crate::nn::conv::{ConvBn, ConvShape, channels_last, max_pool};
use crate::nn::{cost, recurrent};

/// Octaves from C2 on.
pub const OCTAVES: i64 = 4;

/// How much more a voiced frame counts in the loss of the voicing.
pub const VOICED_WEIGHT: f64 = 9.0;

/// Filters of the convolutions.
const WIDTHS: [i64; 3] = [16, 32, 64];

/// Frequency pooling after the first two: 365 -> 182 -> 91.
const POOL: i64 = 2;

/// Features per frame after the convolutions.
const FEATURES: i64 = 64 * 91;

/// Layers of the LSTM, and units per direction.
const LSTM: (i64, i64) = (2, 128);

/// Slope of the leaky ReLUs.
const SLOPE: f64 = 0.2;

const EPS: f64 = 1e-5;

/// 6.7 M parameters.
#[derive(Debug)]
pub struct Ah1Net {
    convolutions: Vec<ConvBn<2>>,
    lstm: nn::LSTM,
    chroma: Head,
    octave: Head,
    voicing: Head,
}

/// What the heads say, each `(n, frames, classes)`, f32.
pub struct Logits {
    /// 12 pitch classes from C on.
    pub chroma: Tensor,
    /// 4 octaves from that of C2 on.
    pub octave: Tensor,
    /// Unvoiced, voiced.
    pub voicing: Tensor,
}

/// Two linear layers, dropout between them.
#[derive(Debug)]
struct Head {
    inner: nn::Linear,
    out: nn::Linear,
}

impl Ah1Net {
    /// Variables under `path`, randomly initialised.
    pub fn new(path: &Path) -> Self {
        let inputs = std::iter::once(1).chain(WIDTHS);
        let convolutions = inputs.zip(WIDTHS).enumerate().map(|(i, (input, output))| {
            ConvBn::new(&(path / format!("conv{}", i + 1)), ConvShape::new(input, output, [3, 3]), EPS)
        });
        let (layers, hidden) = LSTM;
        let head = |name: &str, classes| Head {
            inner: nn::linear(path / name / "inner", 2 * hidden, 2 * hidden, Default::default()),
            out: nn::linear(path / name / "out", 2 * hidden, classes, Default::default()),
        };
        Ah1Net {
            convolutions: convolutions.collect(),
            lstm: recurrent::lstm(&(path / "lstm"), FEATURES, hidden, layers),
            chroma: head("chroma", 12),
            octave: head("octave", OCTAVES),
            voicing: head("voicing", 2),
        }
    }

    /// Normalised spectra `(n, frames, 365)` to logits; the convolutions compute in the kind of `x`.
    pub fn forward_t(&self, x: &Tensor, train: bool) -> Logits {
        let mut h = channels_last(&x.unsqueeze(1));
        for (i, conv) in self.convolutions.iter().enumerate() {
            h = conv.forward_t(&h, train);
            h = h.maximum(&(&h * SLOPE));
            if i < 2 {
                h = max_pool(&h, POOL, train);
            }
        }
        // Features are (row, channel) per frame.
        let h = h.permute([0, 2, 3, 1]).flatten(2, 3).to_kind(Kind::Float);
        let h = self.lstm.seq(&h).0;
        let head = |head: &Head| head.out.forward(&head.inner.forward(&h).dropout(0.5, train));
        Logits { chroma: head(&self.chroma), octave: head(&self.octave), voicing: head(&self.voicing) }
    }

    /// Folds every batch normalisation, and convolves in `kind` from now on.
    pub fn fold(&mut self, kind: Kind) {
        for conv in &mut self.convolutions {
            conv.fold();
            conv.folded_to_kind(kind);
        }
    }

    /// Multiply-adds per frame.
    pub fn multiply_adds(&self) -> u64 {
        let rows = (0..).scan(BINS as u64, |rows, _| Some(std::mem::replace(rows, *rows / POOL as u64)));
        let convolutions: u64 = self.convolutions.iter().zip(rows).map(|(conv, rows)| conv.weights() * rows).sum();
        let heads = [&self.chroma, &self.octave, &self.voicing];
        let heads: usize = heads.map(|head| head.inner.ws.numel() + head.out.ws.numel()).iter().sum();
        convolutions + cost::lstm(FEATURES, LSTM.1, LSTM.0) + heads as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, nn::VarStore};

    #[test]
    fn shapes_and_sizes() {
        let vs = VarStore::new(Device::Cpu);
        let mut net = Ah1Net::new(&vs.root());
        let convolutions = 9 * 16 + 9 * 16 * 32 + 9 * 32 * 64;
        let lstm = |input: usize, biases: usize| 2 * 4 * 128 * (input + 128 + biases);
        let heads = 3 * 256 * 256 + 256 * (12 + 4 + 2);
        let parameters = convolutions + 2 * (16 + 32 + 64) + lstm(5824, 2) + lstm(256, 2) + heads + 3 * 256 + 12 + 4 + 2;
        assert_eq!(vs.trainable_variables().iter().map(Tensor::numel).sum::<usize>(), parameters);
        let weights = 365 * 9 * 16 + 182 * 9 * 16 * 32 + 91 * 9 * 32 * 64 + lstm(5824, 0) + lstm(256, 0) + heads;
        assert_eq!(net.multiply_adds(), weights as u64);

        let x = Tensor::randn([2, 40, 365], (Kind::Float, Device::Cpu));
        let _guard = tch::no_grad_guard();
        let _ = net.forward_t(&x, true);
        let plain = net.forward_t(&x, false);
        assert_eq!(plain.chroma.size(), [2, 40, 12]);
        assert_eq!((plain.octave.size(), plain.voicing.size()), (vec![2, 40, 4], vec![2, 40, 2]));
        net.fold(Kind::Float);
        assert!((plain.chroma - net.forward_t(&x, false).chroma).abs().max().double_value(&[]) < 1e-4);
    }
}
