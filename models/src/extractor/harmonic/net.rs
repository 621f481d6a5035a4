//! The network of `harmonic` on libtorch: for training, and for CUDA.

use tch::nn::{self, Init, Module, Path, RNN};
use tch::{Kind, Tensor};

use super::decode::BINS;
use super::front_end::{FLOOR, SPECTRA};
use super::shape::{BINS_PER_ROW, Block, EPS, ROWS, STACK, Shape, Size, missing_bands, stack_offsets};
use crate::nn::conv::ConvBn;
use crate::nn::shape::ConvShape;

/// Pitch logits and voicing from log-frequency spectra.
#[derive(Debug)]
pub struct HarmonicNet {
    shape: Shape,
    stem: ConvBn<2>,
    blocks: Vec<Residual>,
    squeeze: ConvBn<2>,
    gru: nn::GRU,
    film: nn::Linear,
    row_bias: nn::Linear,
    post: Residual,
    pitch: nn::Conv2D,
    local: nn::Conv1D,
    context: nn::Linear,
    voicing: nn::Conv1D,
}

impl HarmonicNet {
    /// Variables under `path`, randomly initialised.
    pub fn new(path: &Path, size: Size) -> Self {
        let shape = Shape::of(size);
        let hidden = shape.hidden;
        let bound = 1.0 / (hidden as f64).sqrt();
        let uniform = Init::Uniform { lo: -bound, up: bound };
        let gru = nn::RNNConfig { bidirectional: true, w_ih_init: uniform, w_hh_init: uniform, ..Default::default() };
        let along_time = |name: &str, shape: &ConvShape<1>| {
            let config = nn::ConvConfig { padding: shape.padding()[0], ..Default::default() };
            nn::conv1d(path / name, shape.input, shape.output, shape.kernel[0], config)
        };
        let from_context = |name: &str, output| nn::linear(path / name, 2 * hidden, output, Default::default());
        let pitch = nn::ConvConfigND::<[i64; 2]> {
            stride: [1, 1],
            padding: shape.pitch.padding(),
            dilation: [1, 1],
            groups: 1,
            bias: true,
            ws_init: nn::init::DEFAULT_KAIMING_UNIFORM,
            bs_init: Init::Const(0.0),
            padding_mode: nn::PaddingMode::Zeros,
        };
        HarmonicNet {
            stem: ConvBn::new(&(path / "stem"), shape.stem, EPS),
            blocks: shape.blocks.iter().map(|block| Residual::new(path, block)).collect(),
            squeeze: ConvBn::new(&(path / "squeeze"), shape.squeeze, EPS),
            gru: nn::gru(path / "gru", shape.gru_input, hidden, gru),
            film: from_context("film", shape.film),
            row_bias: from_context("row_bias", ROWS as i64),
            post: Residual::new(path, &shape.post),
            pitch: nn::conv(path / "pitch", shape.pitch.input, shape.pitch.output, shape.pitch.kernel, pitch),
            local: along_time("local", &shape.local),
            context: from_context("context", shape.local.output),
            voicing: along_time("voicing", &shape.voicing),
            shape,
        }
    }

    /// Spectra `(n, frames, 2, 284)` to pitch logits `(n, frames, 181)` and voicing logits `(n, frames)`, both f32.
    /// The convolutions compute in the kind of `x`.
    #[expect(clippy::expect_used, reason = "callers give tensors of that many dimensions")]
    pub fn forward_t(&self, x: &Tensor, train: bool) -> (Tensor, Tensor) {
        let (n, frames, _, _) = x.size4().expect("spectra have four dimensions");
        let kind = x.kind();
        let stem = relu_(self.stem.forward_t(&harmonic_stack(x), train));
        let mut h = stem.shallow_clone();
        for block in &self.blocks {
            h = block.forward_t(&h, train);
        }
        let squeezed = relu_(self.squeeze.forward_t(&h, train));
        let squeezed = squeezed.permute([0, 2, 3, 1]).reshape([n, frames, self.shape.gru_input]).to_kind(Kind::Float);
        let context = self.gru.seq(&squeezed).0;

        // The context speaks to every row alike: a gain and an offset per channel (FiLM, Perez et al. 2018).
        let film = self.film.forward(&context).transpose(1, 2).unsqueeze(-1).to_kind(kind).chunk(2, 1);
        let h = self.post.forward_t(&(h * (film[0].tanh() + 1.0) + &film[1]), train);
        let pitch = self.pitch_logits(&h, &context);
        let voicing = self.voicing_logits(&stem, &h, &pitch, &context);
        (pitch.reshape([n, frames, (ROWS * BINS_PER_ROW) as i64]).narrow(2, 1, BINS as i64), voicing)
    }

    /// `(n, frames, rows, bins per row)`; the middle bin of row `r` is bin `3 r`.
    fn pitch_logits(&self, h: &Tensor, context: &Tensor) -> Tensor {
        let weight = self.pitch.ws.to_kind(h.kind());
        let logits = h.conv2d(&weight, None::<&Tensor>, [1, 1], [0, 1], [1, 1], 1).to_kind(Kind::Float);
        let logits = logits.permute([0, 2, 3, 1]) + self.row_bias.forward(context).unsqueeze(-1);
        match &self.pitch.bs {
            Some(bias) => logits + bias,
            None => logits,
        }
    }

    /// Voicing looks at the row of the melody in the first and in the last features, a few frames around, beside the context:
    /// the context alone blurs short gaps.
    fn voicing_logits(&self, stem: &Tensor, h: &Tensor, pitch: &Tensor, context: &Tensor) -> Tensor {
        let rows = pitch.detach().amax([3].as_slice(), false).softmax(2, Kind::Float).unsqueeze(-1).to_kind(h.kind());
        let at_melody = |features: &Tensor| features.permute([0, 2, 3, 1]).transpose(2, 3).matmul(&rows).squeeze_dim(3);
        let strongest = h.amax([3].as_slice(), false).transpose(1, 2);
        let local = Tensor::cat(&[at_melody(stem), at_melody(h), strongest], 2).to_kind(Kind::Float);
        let local = self.local.forward(&local.transpose(1, 2)) + self.context.forward(context).transpose(1, 2);
        self.voicing.forward(&local.relu()).squeeze_dim(1)
    }

    /// Folds every batch normalisation, and convolves in `kind` from now on.
    pub fn fold(&mut self, kind: Kind) {
        let residuals = self.blocks.iter_mut().chain([&mut self.post]);
        let inner = residuals.flat_map(|r| [&mut r.spread, &mut r.mix]);
        for conv in inner.chain([&mut self.stem, &mut self.squeeze]) {
            conv.fold();
            conv.folded_to_kind(kind);
        }
    }
}

/// 3x3 dilated, then 1x1, added to the input.
#[derive(Debug)]
struct Residual {
    spread: ConvBn<2>,
    mix: ConvBn<2>,
}

impl Residual {
    fn new(path: &Path, block: &Block) -> Self {
        let path = path / &block.name;
        Residual {
            spread: ConvBn::new(&(&path / "spread"), block.spread, EPS),
            mix: ConvBn::new(&(&path / "mix"), block.mix, EPS),
        }
    }

    fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        let h = relu_(self.spread.forward_t(x, train));
        relu_(self.mix.forward_t(&h, train) + x)
    }
}

fn relu_(mut x: Tensor) -> Tensor {
    x.relu_()
}

/// `(n, frames, 2, 284)` spectra to `(n, 12, frames, 181)`, channels last in memory: channel `(s, k)` holds spectrum `s` at `k`
/// times the frequency of the bin.
fn harmonic_stack(x: &Tensor) -> Tensor {
    debug_assert_eq!(x.size()[2], SPECTRA as i64);
    let padded = x.pad([0, missing_bands() as i64], "constant", f64::from(FLOOR));
    let channels = STACK.iter().zip(stack_offsets());
    let channels: Vec<Tensor> = channels
        .map(|(&(spectrum, _), offset)| padded.select(2, spectrum as i64).narrow(2, offset as i64, BINS as i64))
        .collect();
    Tensor::stack(&channels, -1).permute([0, 3, 1, 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extractor::harmonic::front_end::BANDS;
    use tch::{Device, nn::VarStore};

    const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

    #[test]
    fn shapes_and_sizes() {
        for (size, parameters, cost) in [(Size::S, 161_173, 85.7), (Size::M, 285_989, 292.5)] {
            let vs = VarStore::new(Device::Cpu);
            let net = HarmonicNet::new(&vs.root(), size);
            let (pitch, voicing) = net.forward_t(&Tensor::randn([2, 17, 2, 284], FLOAT), false);
            assert_eq!(pitch.size(), [2, 17, 181]);
            assert_eq!(voicing.size(), [2, 17]);
            let count: usize = vs.trainable_variables().iter().map(Tensor::numel).sum();
            assert_eq!(count, parameters, "size {}", size.name());
            let millions = Shape::of(size).multiply_adds() as f64 * 50.0 / 1e6;
            assert!((millions - cost).abs() < 0.1, "{millions} M per second");
            assert_eq!(Size::from_name(size.name()), Some(size));
        }
    }

    #[test]
    fn harmonics_of_a_tone_meet_in_one_bin() {
        // Energy at 1, 2, 3 and 4 times the frequency of bin 60 (MIDI 56).
        let mut spectra = vec![FLOOR; BANDS];
        for k in [1.0f32, 2.0, 3.0, 4.0] {
            spectra[36 + 60 + (36.0 * k.log2()).round() as usize] = 0.0;
        }
        let x = Tensor::from_slice(&spectra).view([1, 1, 1, BANDS as i64]).repeat([1, 1, 2, 1]);
        let stack = harmonic_stack(&x);
        assert_eq!(stack.size(), [1, 12, 1, 181]);
        for channel in [1, 2, 3, 4, 9, 10, 11] {
            assert_eq!(stack.double_value(&[0, channel, 0, 60]), 0.0, "channel {channel}");
        }
        assert!(stack.double_value(&[0, 5, 0, 60]) < -2.0);
    }

    #[test]
    fn folding_keeps_the_output() {
        let vs = VarStore::new(Device::Cpu);
        let mut net = HarmonicNet::new(&vs.root(), Size::S);
        let x = Tensor::randn([2, 40, 2, 284], FLOAT);
        let _guard = tch::no_grad_guard();
        let _ = net.forward_t(&x, true);
        let plain = net.forward_t(&x, false);
        net.fold(Kind::Float);
        let folded = net.forward_t(&x, false);
        assert!((plain.0 - folded.0).abs().max().double_value(&[]) < 1e-3);
        assert!((plain.1 - folded.1).abs().max().double_value(&[]) < 1e-3);
    }
}
