//! The network: dilated convolutions along the hum, pooled to one number.

use tch::nn::{self, Module, Path};
use tch::{Kind, Tensor};

use super::pair::CHANNELS;

/// Channels inside.
const WIDTH: i64 = 40;
/// Dilations of the convolutions: the last sees 8 s around a step.
const DILATIONS: [i64; 4] = [1, 2, 4, 8];
/// Steps of a kernel.
const KERNEL: i64 = 5;
/// Units between pooling and the answer.
const HIDDEN: i64 = 48;
/// Share of channels dropped in training.
const DROPOUT: f64 = 0.1;
const EPS: f64 = 1e-5;

/// `(pairs, 31, steps)` to the log-odds of each pair, `(pairs)`.
#[derive(Debug)]
pub struct SideBySide {
    stem: nn::Conv1D,
    blocks: Vec<(Tensor, Tensor, nn::Conv1D)>,
    attention: nn::Conv1D,
    hidden: nn::Linear,
    output: nn::Linear,
}

impl SideBySide {
    /// Variables under `path`, randomly initialised.
    pub fn new(path: &Path) -> Self {
        let conv = |name: &str, input, output, kernel: i64, dilation| {
            let config = nn::ConvConfig { padding: kernel / 2 * dilation, dilation, ..Default::default() };
            nn::conv1d(path / name, input, output, kernel, config)
        };
        let block = |&dilation: &i64| {
            let name = format!("block{dilation}");
            let norm = path / &name / "norm";
            (norm.ones("weight", &[WIDTH]), norm.zeros("bias", &[WIDTH]), conv(&name, WIDTH, WIDTH, KERNEL, dilation))
        };
        SideBySide {
            stem: conv("stem", CHANNELS as i64, WIDTH, KERNEL, 1),
            blocks: DILATIONS.iter().map(block).collect(),
            attention: conv("attention", WIDTH, 1, 1, 1),
            hidden: nn::linear(path / "hidden", 3 * WIDTH, HIDDEN, Default::default()),
            output: nn::linear(path / "output", HIDDEN, 1, Default::default()),
        }
    }

    /// Log-odds `[pairs]` of pairs `[pairs, channels, steps]`.
    pub fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        let mut h = self.stem.forward(x).relu();
        for (weight, bias, conv) in &self.blocks {
            let normed = h.group_norm(1, Some(weight), Some(bias), EPS, false);
            h = conv.forward(&normed).relu().feature_dropout(DROPOUT, train) + &h;
        }
        let attention = self.attention.forward(&h).softmax(2, Kind::Float);
        let along = [2i64].as_slice();
        let pooled = [
            h.mean_dim(along, false, Kind::Float),
            h.amax(along, false),
            (&h * attention).sum_dim_intlist(along, false, Kind::Float),
        ];
        let pooled = Tensor::cat(&pooled, 1).dropout(DROPOUT, train);
        self.output.forward(&self.hidden.forward(&pooled).relu()).squeeze_dim(1)
    }
}
