//! The network of `harmonic`, described once for both runners: a harmonic stack, dilated residual blocks over semitone rows, a GRU for
//! context, and two heads.

use super::decode::BINS;
use super::front_end::{BANDS, BANDS_PER_OCTAVE};
use crate::nn::cost;
use crate::nn::shape::ConvShape;

/// The stack's channels: spectrum (0 the long window, 1 the short one) and harmonic of the row's pitch.
pub(super) const STACK: [(usize, f32); 12] =
    [(0, 0.5), (0, 1.0), (0, 2.0), (0, 3.0), (0, 4.0), (0, 5.0), (0, 6.0), (0, 7.0), (0, 8.0), (1, 1.0), (1, 2.0), (1, 4.0)];

/// Semitone rows; each holds three pitch bins.
pub(super) const ROWS: usize = 61;

/// Pitch bins per row; the middle bin of row `r` is bin `3 r`.
pub(super) const BINS_PER_ROW: usize = 3;

/// (time, pitch) dilations of the residual blocks; 12 rows are an octave.
pub(super) const DILATIONS: [[i64; 2]; 7] = [[1, 1], [2, 1], [1, 12], [4, 1], [8, 1], [1, 12], [16, 1]];

/// Channels that the GRU sees of every row.
pub(super) const SQUEEZED: usize = 6;

/// Units of the voicing head's local branch.
pub(super) const LOCAL: usize = 24;

/// Epsilon of the batch normalisations.
pub(super) const EPS: f64 = 1e-5;

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

    /// Channels of the residual blocks.
    pub(super) fn channels(self) -> i64 {
        match self {
            Size::S => 16,
            Size::M => 32,
        }
    }

    /// Units of each direction of the GRU.
    pub(super) fn hidden(self) -> i64 {
        match self {
            Size::S => 48,
            Size::M => 64,
        }
    }
}

/// Its layers. Convolutions run over (frames, rows), those of the voicing head over frames.
#[derive(Debug)]
pub(super) struct Shape {
    /// From the harmonic stack, three bins a row.
    pub(super) stem: ConvShape<2>,
    /// `block1`... after each other.
    pub(super) blocks: Vec<Block>,
    /// What the GRU sees of a row.
    pub(super) squeeze: ConvShape<2>,
    /// Values that the GRU sees of a frame.
    pub(super) gru_input: i64,
    /// Units of each direction of the GRU.
    pub(super) hidden: i64,
    /// From the context to a gain and an offset per channel.
    pub(super) film: i64,
    /// After the context has spoken.
    pub(super) post: Block,
    /// The bins of a row.
    pub(super) pitch: ConvShape<2>,
    /// From the features at the melody, in the stem and after `post`, and the strongest ones.
    pub(super) local: ConvShape<1>,
    /// To the voicing.
    pub(super) voicing: ConvShape<1>,
}

/// A residual block: dilated 3x3, then 1x1, added to the input.
#[derive(Debug)]
pub(super) struct Block {
    /// Where its variables are.
    pub(super) name: String,
    /// 3x3.
    pub(super) spread: ConvShape<2>,
    /// 1x1.
    pub(super) mix: ConvShape<2>,
}

impl Block {
    fn new(name: String, channels: i64, dilation: [i64; 2]) -> Self {
        let shape = |kernel| ConvShape::new(channels, channels, kernel);
        Block { name, spread: shape([3, 3]).dilated(dilation), mix: shape([1, 1]) }
    }
}

impl Shape {
    /// The layers of this size.
    pub(super) fn of(size: Size) -> Self {
        let (c, hidden) = (size.channels(), size.hidden());
        let block = |(i, &dilation)| Block::new(format!("block{}", i + 1), c, dilation);
        let (bins, local) = (BINS_PER_ROW as i64, LOCAL as i64);
        Shape {
            stem: ConvShape::new(STACK.len() as i64, c, [3, 9]).strided([1, bins]),
            blocks: DILATIONS.iter().enumerate().map(block).collect(),
            squeeze: ConvShape::new(c, SQUEEZED as i64, [1, 1]),
            gru_input: (SQUEEZED * ROWS) as i64,
            hidden,
            film: 2 * c,
            post: Block::new("post".into(), c, [1, 1]),
            pitch: ConvShape::new(c, bins, [1, 3]),
            local: ConvShape::new(3 * c, local, [3]),
            voicing: ConvShape::new(local, 1, [3]),
        }
    }

    /// Multiply-adds per frame.
    pub(super) fn multiply_adds(&self) -> u64 {
        let residuals = self.blocks.iter().chain([&self.post]).map(|b| b.spread.weights() + b.mix.weights());
        let per_row = residuals.sum::<u64>() + self.stem.weights() + self.squeeze.weights() + self.pitch.weights();
        let from_context = self.film + ROWS as i64 + self.local.output;
        let rest = self.local.weights() + self.voicing.weights() + (2 * self.hidden * from_context) as u64;
        per_row * ROWS as u64 + cost::gru(self.gru_input, self.hidden) + rest
    }
}

/// Bands between the first band and the first bin of each channel of the stack: channel `(s, k)` holds spectrum `s` at `k` times the
/// frequency of the bin.
pub(super) fn stack_offsets() -> [usize; STACK.len()] {
    // The bands begin an octave below the lowest pitch bin.
    STACK.map(|(_, k)| (BANDS_PER_OCTAVE as f32 * (1.0 + k.log2())).round() as usize)
}

/// Bands above the highest that the stack reaches into; they are silent.
pub(super) fn missing_bands() -> usize {
    stack_offsets().into_iter().max().map_or(0, |highest| (highest + BINS).saturating_sub(BANDS))
}
