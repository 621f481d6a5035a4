//! The transformer block of the contextual encoder.

use tch::nn::{self, Init, LayerNorm, Linear, LinearConfig, Module, Path};
use tch::{Kind, Tensor};

/// A fully connected layer, uniformly initialised within 1 / sqrt(fan-in).
pub(super) fn linear(path: Path, input: i64, output: i64) -> Linear {
    let bound = 1.0 / (input as f64).sqrt();
    let init = Init::Uniform { lo: -bound, up: bound };
    nn::linear(path, input, output, LinearConfig { ws_init: init, bs_init: Some(init), bias: true })
}

/// A fully connected layer in the kind of its input (its variables stay f32).
pub(super) fn apply(layer: &Linear, x: &Tensor) -> Tensor {
    let kind = x.kind();
    x.linear(&layer.ws.to_kind(kind), layer.bs.as_ref().map(|b| b.to_kind(kind)))
}

/// A layer normalisation, computed in f32, in the kind of its input: CUDA has none whose variables are of another kind than its input.
pub(super) fn normalise(norm: &LayerNorm, x: &Tensor) -> Tensor {
    norm.forward(&x.to_kind(Kind::Float)).to_kind(x.kind())
}

/// Pre-norm transformer block (Vaswani et al. 2017; Xiong et al. 2020): self-attention, then a GELU perceptron four times as wide.
#[derive(Debug)]
pub(super) struct TransformerBlock {
    norm1: LayerNorm,
    query_key_value: Linear,
    out: Linear,
    norm2: LayerNorm,
    up: Linear,
    down: Linear,
    heads: i64,
}

impl TransformerBlock {
    /// Variables under `path`; `width` must be a multiple of `heads`.
    pub(super) fn new(path: &Path, width: i64, heads: i64) -> Self {
        let norm = |name: &str| nn::layer_norm(path / name, vec![width], Default::default());
        TransformerBlock {
            norm1: norm("norm1"),
            query_key_value: linear(path / "query_key_value", width, 3 * width),
            out: linear(path / "out", width, width),
            norm2: norm("norm2"),
            up: linear(path / "up", width, 4 * width),
            down: linear(path / "down", 4 * width, width),
            heads,
        }
    }

    /// `(batch, length, width)` to the same.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let (batch, length, width) = x.size3().unwrap_or_default();
        let size = width / self.heads;
        let qkv = apply(&self.query_key_value, &normalise(&self.norm1, x))
            .view([batch, length, 3, self.heads, size])
            .permute([2, 0, 3, 1, 4]);
        let (query, key, value) = (qkv.get(0), qkv.get(1), qkv.get(2));
        let scores = (query * (size as f64).powf(-0.5)).matmul(&key.transpose(-2, -1)).softmax(-1, None::<Kind>);
        let mixed = scores.matmul(&value).transpose(1, 2).reshape([batch, length, width]);
        let x = x + apply(&self.out, &mixed);
        let inner = apply(&self.up, &normalise(&self.norm2, &x)).gelu("none");
        x + apply(&self.down, &inner)
    }
}
