//! The networks of `multidnn` and `multidnn-rnn`.

use tch::nn::{self, Init, Module, Path, RNN};
use tch::{Kind, Tensor};

use super::{BINS, CLASSES};
use crate::nn::{cost, recurrent};

/// Units of the shared layers.
const WIDTHS: [i64; 3] = [2048, 2048, 1024];

/// Share of units that is dropped in training.
const DROPOUT: f64 = 0.7;

/// Layers of the LSTMs, and units per direction.
const LSTM: (i64, i64) = (2, 64);

/// Shared layers and a head per task: 8.9 M parameters, 1.3 M more with LSTMs.
#[derive(Debug)]
pub struct MultiDnnNet {
    shared: Vec<nn::Linear>,
    pitch: Head,
    voice: Head,
    /// The shared layers in the kind of inference: weights and biases.
    prepared: Vec<(Tensor, Tensor)>,
}

/// The layers of one task.
#[derive(Debug)]
struct Head {
    lstm: Option<nn::LSTM>,
    out: nn::Linear,
}

impl MultiDnnNet {
    /// Variables under `path`, randomly initialised: `dnn.0` to `dnn.2` are shared; the heads of the network with LSTMs have
    /// names of their own, so that its shared layers can be those of a trained network without.
    pub fn new(path: &Path, recurrent: bool) -> Self {
        let inputs = std::iter::once(BINS as i64).chain(WIDTHS);
        let shared = inputs.zip(WIDTHS).enumerate().map(|(i, (input, output))| linear(&(path / "dnn" / i), input, output));
        let heads = if recurrent { path / "rnn" } else { path.clone() };
        MultiDnnNet {
            shared: shared.collect(),
            pitch: Head::new(&(&heads / "pitch"), recurrent, CLASSES),
            voice: Head::new(&(&heads / "voice"), recurrent, 2),
            prepared: Vec::new(),
        }
    }

    /// Whether there are LSTMs.
    pub fn is_recurrent(&self) -> bool {
        self.pitch.lstm.is_some()
    }

    /// Makes ready for inference in `kind`.
    pub fn prepare(&mut self, kind: Kind) {
        let _guard = tch::no_grad_guard();
        let bias =
            |layer: &nn::Linear| layer.bs.as_ref().map_or_else(|| layer.ws.select(1, 0).zeros_like(), Tensor::shallow_clone);
        self.prepared = self.shared.iter().map(|layer| (layer.ws.to_kind(kind), bias(layer).to_kind(kind))).collect();
    }

    /// Spectra `(..., 1025)` to shared features `(..., 1024)`, f32; computes in the kind of `x`.
    pub fn shared_t(&self, x: &Tensor, train: bool) -> Tensor {
        if !train && !self.prepared.is_empty() {
            let layer = |h: Tensor, (weight, bias): &(Tensor, Tensor)| h.linear(weight, Some(bias)).relu_();
            return self.prepared.iter().fold(x.shallow_clone(), layer).to_kind(Kind::Float);
        }
        let layer = |h: Tensor, layer: &nn::Linear| {
            let bias = layer.bs.as_ref().map(|bias| bias.to_kind(x.kind()));
            h.linear(&layer.ws.to_kind(x.kind()), bias.as_ref()).relu().dropout(DROPOUT, train)
        };
        self.shared.iter().fold(x.shallow_clone(), layer).to_kind(Kind::Float)
    }

    /// Features `(frames, 1024)`, or with LSTMs `(groups, frames, 1024)`, to the logits of 540 pitch classes and of
    /// (unvoiced, voiced).
    pub fn heads_t(&self, features: &Tensor, train: bool) -> (Tensor, Tensor) {
        (self.pitch.forward_t(features, train), self.voice.forward_t(features, train))
    }

    /// Multiply-adds of the shared layers per frame.
    pub fn shared_multiply_adds(&self) -> u64 {
        self.shared.iter().map(|layer| layer.ws.numel() as u64).sum()
    }

    /// Multiply-adds of the heads per frame and group.
    pub fn heads_multiply_adds(&self) -> u64 {
        let lstms = if self.is_recurrent() { 2 * cost::lstm(WIDTHS[2], LSTM.1, LSTM.0) } else { 0 };
        lstms + (self.pitch.out.ws.numel() + self.voice.out.ws.numel()) as u64
    }
}

impl Head {
    fn new(path: &Path, recurrent: bool, classes: i64) -> Self {
        let (layers, hidden) = LSTM;
        let lstm = recurrent.then(|| recurrent::lstm(&(path / "lstm"), WIDTHS[2], hidden, layers));
        let input = if recurrent { 2 * hidden } else { WIDTHS[2] };
        Head { lstm, out: linear(&(path / "out"), input, classes) }
    }

    fn forward_t(&self, features: &Tensor, train: bool) -> Tensor {
        match &self.lstm {
            Some(lstm) => self.out.forward(&lstm.seq(features).0.dropout(DROPOUT, train)),
            None => self.out.forward(features),
        }
    }
}

/// Xavier initialised, as published.
fn linear(path: &Path, input: i64, output: i64) -> nn::Linear {
    let deviation = (2.0 / (input + output) as f64).sqrt();
    let config = nn::LinearConfig {
        ws_init: Init::Randn { mean: 0.0, stdev: deviation },
        bs_init: Some(Init::Const(0.0)),
        ..Default::default()
    };
    nn::linear(path, input, output, config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, nn::VarStore};

    #[test]
    fn shapes_and_sizes() {
        let shared = 1025 * 2048 + 2048 + 2048 * 2048 + 2048 + 2048 * 1024 + 1024;
        let lstm = |input: usize| 2 * 4 * 64 * (input + 64 + 2);
        let plain = shared + 1024 * 542 + 542;
        let recurrent = shared + 2 * (lstm(1024) + lstm(128)) + 128 * 542 + 542;
        for (with, parameters) in [(false, plain), (true, recurrent)] {
            let vs = VarStore::new(Device::Cpu);
            let mut net = MultiDnnNet::new(&vs.root(), with);
            assert_eq!(vs.variables().values().map(Tensor::numel).sum::<usize>(), parameters);
            let x = Tensor::rand([2, 64, 1025], (Kind::Float, Device::Cpu));
            let features = net.shared_t(&x, false);
            let (pitch, voice) = net.heads_t(&features, false);
            assert_eq!((pitch.size(), voice.size()), (vec![2, 64, 540], vec![2, 64, 2]));
            net.prepare(Kind::Float);
            assert!((net.shared_t(&x, false) - features).abs().max().double_value(&[]) < 1e-4);
            assert_eq!(net.shared_multiply_adds(), 1025 * 2048 + 2048 * 2048 + 2048 * 1024);
            let lstms = 2 * 2 * 4 * 64 * (1024 + 64 + 128 + 64);
            assert_eq!(net.heads_multiply_adds(), if with { lstms + 128 * 542 } else { 1024 * 542 });
        }
    }
}
