//! The network on libtorch: for training, and for CUDA.

use tch::nn::{self, Init, LayerNorm, Linear, Path};
use tch::{Kind, Tensor};

use super::shape::{DILATIONS, DOWN, HEADS, NARROW, STEM, WIDE, WIDE_STEPS};
use crate::EMBEDDING_DIM;
use crate::embedder::attention::{TransformerBlock, apply, linear, normalise};
use crate::embedder::network::{Network, normalize};
use crate::embedder::residual::Residual;
use crate::embedder::shape::EPS;
use crate::nn::conv::ConvBn;

/// The network with its variables.
#[derive(Debug)]
pub(in crate::embedder) struct Contextual {
    stem: ConvBn<1>,
    narrow: [Residual; 2],
    down: ConvBn<1>,
    wide: [Residual; 2],
    position: Tensor,
    block: TransformerBlock,
    norm: LayerNorm,
    pool: Linear,
    output: Linear,
}

impl Contextual {
    pub(in crate::embedder) fn new(path: &Path) -> Self {
        Contextual {
            stem: ConvBn::new(&(path / "stem"), STEM, EPS),
            narrow: DILATIONS.map(|d| Residual::new(&(path / format!("narrow{d}")), NARROW, NARROW, d)),
            down: ConvBn::new(&(path / "down"), DOWN, EPS),
            wide: DILATIONS.map(|d| Residual::new(&(path / format!("wide{d}")), WIDE, WIDE, d)),
            position: path.var("position", &[1, WIDE_STEPS as i64, WIDE], Init::Randn { mean: 0.0, stdev: 0.02 }),
            block: TransformerBlock::new(&(path / "block"), WIDE, HEADS),
            norm: nn::layer_norm(path / "norm", vec![WIDE], Default::default()),
            pool: linear(path / "pool", WIDE, HEADS),
            output: linear(path / "output", HEADS * WIDE, EMBEDDING_DIM as i64),
        }
    }
}

impl Network for Contextual {
    fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        let mut x = self.stem.forward_t(x, train).relu();
        for block in &self.narrow {
            x = block.forward_t(&x, train);
        }
        x = self.down.forward_t(&x, train).relu();
        for block in &self.wide {
            x = block.forward_t(&x, train);
        }
        let x = x.transpose(1, 2).contiguous();
        let x = self.block.forward(&(&x + self.position.to_kind(x.kind())));
        let x = normalise(&self.norm, &x);
        let weights = apply(&self.pool, &x).softmax(1, None::<Kind>);
        let pooled = weights.transpose(1, 2).matmul(&x).flatten(1, -1);
        let y = apply(&self.output, &pooled.to_kind(Kind::Float));
        normalize(&y)
    }

    fn fold(&mut self) {
        self.stem.fold();
        self.down.fold();
        self.narrow.iter_mut().chain(&mut self.wide).for_each(Residual::fold);
    }
}
