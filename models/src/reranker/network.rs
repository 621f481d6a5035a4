//! The network on libtorch: for training, and for CUDA.

use tch::nn::{self, Module, Path, VarStore};
use tch::{Device, Kind, Tensor};

use super::pair::{CHANNELS, Pair, by_steps};
use super::runner::Runner;
use super::shape::{ATTENTION, DILATIONS, EPS, HIDDEN, STEM, WIDTH, block};
use crate::ModelError;
use crate::nn::shape::ConvShape;
use crate::nn::weights::Weights;

/// Share of channels dropped in training.
const DROPOUT: f64 = 0.1;

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
        let conv = |name: &str, shape: ConvShape<1>| {
            let config = nn::ConvConfig { padding: shape.padding()[0], dilation: shape.dilation[0], ..Default::default() };
            nn::conv1d(path / name, shape.input, shape.output, shape.kernel[0], config)
        };
        let residual = |&dilation: &i64| {
            let (name, shape) = block(dilation);
            let norm = path / &name / "norm";
            (norm.ones("weight", &[WIDTH]), norm.zeros("bias", &[WIDTH]), conv(&name, shape))
        };
        SideBySide {
            stem: conv("stem", STEM),
            blocks: DILATIONS.iter().map(residual).collect(),
            attention: conv("attention", ATTENTION),
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

/// The log-odds of pairs, `(pairs)`; those of equally many steps go through the network together.
pub fn logits(network: &SideBySide, pairs: &[&Pair], device: Device, train: bool) -> Result<Tensor, ModelError> {
    let order = by_steps(pairs);
    let mut place = vec![0i64; pairs.len()];
    order.iter().enumerate().for_each(|(at, &pair)| place[pair] = at as i64);
    let mut logits = vec![Tensor::f_zeros([0], (Kind::Float, device))?];
    for alike in order.chunk_by(|&a, &b| pairs[a].steps() == pairs[b].steps()) {
        let alike: Vec<&Pair> = alike.iter().map(|&pair| pairs[pair]).collect();
        logits.push(network.forward_t(&input(&alike)?.f_to_device(device)?, train));
    }
    let place = Tensor::f_from_slice(&place)?.f_to_device(device)?;
    Ok(Tensor::f_cat(&logits, 0)?.f_index_select(0, &place)?)
}

/// The input of the network, `(pairs, CHANNELS, steps)`, for pairs of equally many steps.
fn input(pairs: &[&Pair]) -> Result<Tensor, ModelError> {
    let steps = pairs.first().map_or(1, |pair| pair.steps());
    let mut values = vec![0.0; pairs.len() * CHANNELS * steps];
    pairs.iter().zip(values.chunks_exact_mut(CHANNELS * steps)).for_each(|(pair, out)| pair.features(out));
    Ok(Tensor::f_from_slice(&values)?.f_view([pairs.len() as i64, CHANNELS as i64, steps as i64])?)
}

/// The network for inference.
#[derive(Debug)]
pub(super) struct Torch {
    device: Device,
    network: SideBySide,
    vs: VarStore,
}

impl Torch {
    /// The network with these weights, and how many parameters it has.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub(super) fn new(weights: &Weights, device: Device) -> Result<(Self, usize), ModelError> {
        let mut vs = VarStore::new(device);
        let network = SideBySide::new(&vs.root());
        weights.fill(&mut vs)?;
        let parameters = vs.trainable_variables().iter().map(Tensor::numel).sum();
        vs.freeze();
        Ok((Torch { device, network, vs }, parameters))
    }
}

impl Runner for Torch {
    fn score(&mut self, pairs: &[&Pair]) -> Result<Vec<f32>, ModelError> {
        let _guard = tch::no_grad_guard();
        Ok(logits(&self.network, pairs, self.device, false)?.f_to_device(Device::Cpu)?.try_into()?)
    }

    fn fork(&self) -> Result<Box<dyn Runner>, ModelError> {
        let mut vs = VarStore::new(self.device);
        let network = SideBySide::new(&vs.root());
        vs.copy(&self.vs)?;
        vs.freeze();
        Ok(Box::new(Torch { device: self.device, network, vs }))
    }
}
