//! The network of `harmonic`: a harmonic stack, dilated residual blocks over semitone rows, a GRU for context, and two heads.

use tch::nn::{self, Init, Module, Path, RNN};
use tch::{Kind, Tensor};

use super::decode::BINS;
use super::front_end::{BANDS, BANDS_PER_OCTAVE, FLOOR, SPECTRA};
use crate::nn::conv::{ConvBn, ConvShape};
use crate::nn::cost;

/// The stack's channels: spectrum (0 the long window, 1 the short one) and harmonic of the row's pitch.
const STACK: [(i64, f32); 12] =
    [(0, 0.5), (0, 1.0), (0, 2.0), (0, 3.0), (0, 4.0), (0, 5.0), (0, 6.0), (0, 7.0), (0, 8.0), (1, 1.0), (1, 2.0), (1, 4.0)];

/// Semitone rows; each holds three pitch bins.
const ROWS: i64 = 61;

/// Pitch bins per row.
const BINS_PER_ROW: i64 = 3;

/// (time, pitch) dilations of the residual blocks; 12 rows are an octave.
const DILATIONS: [[i64; 2]; 7] = [[1, 1], [2, 1], [1, 12], [4, 1], [8, 1], [1, 12], [16, 1]];

/// Channels that the GRU sees of every row.
const SQUEEZED: i64 = 6;

/// Units of the voicing head's local branch.
const LOCAL: i64 = 24;

const EPS: f64 = 1e-5;

/// How wide the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 16 channels, GRU 48 + 48.
    S,
    /// 32 channels, GRU 64 + 64.
    M,
}

impl Size {
    /// By its name in metadata and on the command line, `s` or `m`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "s" => Some(Size::S),
            "m" => Some(Size::M),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Size::S => "s",
            Size::M => "m",
        }
    }

    fn channels(self) -> i64 {
        match self {
            Size::S => 16,
            Size::M => 32,
        }
    }

    fn hidden(self) -> i64 {
        match self {
            Size::S => 48,
            Size::M => 64,
        }
    }
}

/// Pitch logits and voicing from log-frequency spectra.
#[derive(Debug)]
pub struct HarmonicNet {
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
        let (c, hidden) = (size.channels(), size.hidden());
        let stem = ConvShape::new(STACK.len() as i64, c, [3, 9]).strided([1, BINS_PER_ROW]);
        let bound = 1.0 / (hidden as f64).sqrt();
        let uniform = Init::Uniform { lo: -bound, up: bound };
        let gru = nn::RNNConfig { bidirectional: true, w_ih_init: uniform, w_hh_init: uniform, ..Default::default() };
        let same = |padding| nn::ConvConfig { padding, ..Default::default() };
        let blocks = DILATIONS.iter().enumerate();
        HarmonicNet {
            stem: ConvBn::new(&(path / "stem"), stem, EPS),
            blocks: blocks.map(|(i, &d)| Residual::new(&(path / format!("block{}", i + 1)), c, d)).collect(),
            squeeze: ConvBn::new(&(path / "squeeze"), ConvShape::new(c, SQUEEZED, [1, 1]), EPS),
            gru: nn::gru(path / "gru", SQUEEZED * ROWS, hidden, gru),
            film: nn::linear(path / "film", 2 * hidden, 2 * c, Default::default()),
            row_bias: nn::linear(path / "row_bias", 2 * hidden, ROWS, Default::default()),
            post: Residual::new(&(path / "post"), c, [1, 1]),
            pitch: nn::conv(
                path / "pitch",
                c,
                BINS_PER_ROW,
                [1, 3],
                nn::ConvConfigND::<[i64; 2]> {
                    stride: [1, 1],
                    padding: [0, 1],
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                    ws_init: nn::init::DEFAULT_KAIMING_UNIFORM,
                    bs_init: Init::Const(0.0),
                    padding_mode: nn::PaddingMode::Zeros,
                },
            ),
            local: nn::conv1d(path / "local", 3 * c, LOCAL, 3, same(1)),
            context: nn::linear(path / "context", 2 * hidden, LOCAL, Default::default()),
            voicing: nn::conv1d(path / "voicing", LOCAL, 1, 3, same(1)),
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
        let squeezed = squeezed.permute([0, 2, 3, 1]).reshape([n, frames, ROWS * SQUEEZED]).to_kind(Kind::Float);
        let context = self.gru.seq(&squeezed).0;

        // The context speaks to every row alike: a gain and an offset per channel (FiLM, Perez et al. 2018).
        let film = self.film.forward(&context).transpose(1, 2).unsqueeze(-1).to_kind(kind).chunk(2, 1);
        let h = self.post.forward_t(&(h * (film[0].tanh() + 1.0) + &film[1]), train);
        let pitch = self.pitch_logits(&h, &context);
        let voicing = self.voicing_logits(&stem, &h, &pitch, &context);
        (pitch.reshape([n, frames, ROWS * BINS_PER_ROW]).narrow(2, 1, BINS as i64), voicing)
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

    /// Multiply-adds per frame.
    pub fn multiply_adds(&self) -> u64 {
        let residuals = self.blocks.iter().chain([&self.post]).map(|r| r.spread.weights() + r.mix.weights());
        let per_row = residuals.sum::<u64>() + self.stem.weights() + self.squeeze.weights() + self.pitch.ws.numel() as u64;
        let gru = cost::gru(SQUEEZED * ROWS, self.film.ws.size()[1] / 2);
        let rest = [&self.film.ws, &self.row_bias.ws, &self.local.ws, &self.context.ws, &self.voicing.ws];
        per_row * ROWS as u64 + gru + rest.map(|w| w.numel() as u64).iter().sum::<u64>()
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
    fn new(path: &Path, channels: i64, dilation: [i64; 2]) -> Self {
        let shape = |kernel| ConvShape::new(channels, channels, kernel);
        Residual {
            spread: ConvBn::new(&(path / "spread"), shape([3, 3]).dilated(dilation), EPS),
            mix: ConvBn::new(&(path / "mix"), shape([1, 1]), EPS),
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
    let offset = |harmonic: f32| {
        // The bands begin an octave below the lowest pitch bin.
        BANDS_PER_OCTAVE as i64 + (BANDS_PER_OCTAVE as f32 * harmonic.log2()).round() as i64
    };
    let highest = STACK.iter().map(|&(_, k)| offset(k)).max().unwrap_or(0);
    let missing = (highest + BINS as i64 - BANDS as i64).max(0);
    let padded = x.pad([0, missing], "constant", f64::from(FLOOR));
    debug_assert_eq!(x.size()[2], SPECTRA as i64);
    let channels: Vec<Tensor> =
        STACK.iter().map(|&(spectrum, k)| padded.select(2, spectrum).narrow(2, offset(k), BINS as i64)).collect();
    Tensor::stack(&channels, -1).permute([0, 3, 1, 2])
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let millions = net.multiply_adds() as f64 * 50.0 / 1e6;
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
