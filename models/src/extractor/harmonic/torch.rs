//! `harmonic` on libtorch: on CUDA, and to compare the engine with.

use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use super::decode::BINS;
use super::front_end::{BANDS, SPECTRA};
use super::net::HarmonicNet;
use super::runner::Runner;
use super::shape::Size;
use crate::ModelError;
use crate::extractor::fastest_kind;
use crate::extractor::pieces::Piece;
use crate::nn::weights::Weights;

/// Pieces that go through the network together: few enough for the processor's cache, enough to share the GRU's steps.
const BATCH: usize = 4;

/// A network of libtorch, batch normalisation folded.
pub(super) struct Torch {
    vs: VarStore,
    net: HarmonicNet,
    size: Size,
    kind: Kind,
}

impl Torch {
    /// The network with these weights, and how many parameters it has.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub(super) fn new(weights: &Weights, size: Size, device: Device) -> Result<(Self, usize), ModelError> {
        let mut vs = VarStore::new(device);
        let net = HarmonicNet::new(&vs.root(), size);
        weights.fill(&mut vs)?;
        let parameters = vs.trainable_variables().iter().map(Tensor::numel).sum();
        Ok((Self::assemble(vs, net, size), parameters))
    }

    fn assemble(vs: VarStore, mut net: HarmonicNet, size: Size) -> Self {
        let kind = fastest_kind(vs.device());
        net.fold(kind);
        Torch { vs, net, size, kind }
    }
}

impl Runner for Torch {
    fn batch(&self) -> usize {
        BATCH
    }

    fn run(&mut self, spectra: &[f32], pieces: &[Piece], logits: &mut [f32], voicing: &mut [f32]) -> Result<(), ModelError> {
        let _guard = tch::no_grad_guard();
        let frames = pieces.first().map_or(0, |piece| piece.read.len()) as i64;
        let x = Tensor::f_from_slice(spectra)?.f_view([pieces.len() as i64, frames, SPECTRA as i64, BANDS as i64])?;
        let (pitch, voiced) = self.net.forward_t(&x.f_to_device(self.vs.device())?.f_to_kind(self.kind)?, false);
        let (pitch, voiced) = (pitch.f_to_device(Device::Cpu)?.f_contiguous()?, voiced.f_sigmoid()?.f_to_device(Device::Cpu)?);
        for (i, piece) in pieces.iter().enumerate() {
            let (skip, kept) = ((piece.keep.start - piece.read.start) as i64, piece.keep.len());
            let pitch = pitch.get(i as i64).narrow(0, skip, kept as i64).contiguous();
            pitch.f_copy_data(&mut logits[piece.keep.start * BINS..piece.keep.end * BINS], kept * BINS)?;
            let voiced = voiced.get(i as i64).narrow(0, skip, kept as i64).contiguous();
            voiced.f_copy_data(&mut voicing[piece.keep.clone()], kept)?;
        }
        Ok(())
    }

    #[expect(clippy::expect_used, reason = "the same architecture has the same variables")]
    fn fork(&self) -> Box<dyn Runner> {
        let mut vs = VarStore::new(self.vs.device());
        let net = HarmonicNet::new(&vs.root(), self.size);
        vs.copy(&self.vs).expect("the same architecture has the same variables");
        Box::new(Self::assemble(vs, net, self.size))
    }
}
