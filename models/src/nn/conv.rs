//! Convolution followed by batch normalisation, which can be folded into one convolution for inference.

use tch::nn::{Init, ModuleT, Path};
use tch::{Kind, Tensor, nn};

pub use super::shape::ConvShape;

/// Convolution without bias, "same" padding, then batch normalisation; 1-d (`D = 1`) or 2-d (`D = 2`).
///
/// Variables: `weight`, `bn.weight`, `bn.bias`, `bn.running_mean`, `bn.running_var`.
#[derive(Debug)]
pub struct ConvBn<const D: usize> {
    shape: ConvShape<D>,
    weight: Tensor,
    norm: nn::BatchNorm,
    eps: f64,
    folded: Option<(Tensor, Tensor)>,
}

impl<const D: usize> ConvBn<D> {
    /// Variables under `path`, He initialised; `eps` is that of the batch normalisation.
    pub fn new(path: &Path, shape: ConvShape<D>, eps: f64) -> Self {
        let weight = he_normal(path, "weight", &shape.weight());
        let config = nn::BatchNormConfig { eps, ws_init: Init::Const(1.0), ..Default::default() };
        let norm = match D {
            1 => nn::batch_norm1d(path / "bn", shape.output, config),
            _ => nn::batch_norm2d(path / "bn", shape.output, config),
        };
        ConvBn { shape, weight, norm, eps, folded: None }
    }

    /// Computes the folded convolution from the variables as they are now; later calls with `train == false` use it.
    pub fn fold(&mut self) {
        let _guard = tch::no_grad_guard();
        let (Some(gamma), Some(beta)) = (&self.norm.ws, &self.norm.bs) else { return };
        let scale = gamma / (&self.norm.running_var + self.eps).sqrt();
        let mut broadcast = vec![-1];
        broadcast.resize(D + 2, 1);
        let weight = &self.weight * scale.view(broadcast.as_slice());
        let bias = beta - &self.norm.running_mean * &scale;
        self.folded = Some((weight.contiguous(), bias.contiguous()));
    }

    /// `(batch, input, ...)` to `(batch, output, ...)`.
    pub fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        match &self.folded {
            Some((weight, bias)) if !train => self.convolve(x, weight, Some(bias)),
            _ => self.norm.forward_t(&self.convolve(x, &self.weight, None), train),
        }
    }

    /// Number of weights: multiply-adds per output position.
    pub fn weights(&self) -> u64 {
        self.shape.weights()
    }

    /// The kernel follows the kind of `x`: bf16 activations are convolved in bf16, while the variables stay f32.
    fn convolve(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        let weight = &weight.to_kind(x.kind());
        let bias = bias.map(|b| b.to_kind(x.kind()));
        let ConvShape { stride, dilation, .. } = &self.shape;
        let padding = self.shape.padding();
        match D {
            1 => x.conv1d(weight, bias, stride, padding, dilation, 1),
            _ => x.conv2d(weight, bias, stride, padding, dilation, 1),
        }
    }

    /// Converts the folded convolution to another kind (such as bf16); does nothing before [`ConvBn::fold`].
    pub fn folded_to_kind(&mut self, kind: Kind) {
        if let Some((weight, bias)) = &mut self.folded {
            *weight = weight.to_kind(kind);
            *bias = bias.to_kind(kind);
        }
    }
}

/// A weight of normal He initialisation.
pub fn he_normal(path: &Path, name: &str, size: &[i64]) -> Tensor {
    let init = Init::Kaiming {
        dist: nn::init::NormalOrUniform::Normal,
        fan: nn::init::FanInOut::FanIn,
        non_linearity: nn::init::NonLinearity::ReLU,
    };
    path.var(name, size, init)
}

/// The same `(batch, channels, height, width)` tensor with channels side by side in memory: the layout in which libtorch's
/// convolutions are fastest on processors, and which they keep.
pub fn channels_last(x: &Tensor) -> Tensor {
    x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
}

/// Leaky ReLU of slope 0.01 into a new tensor.
pub fn leaky(x: &Tensor) -> Tensor {
    x.leaky_relu()
}

/// Leaky ReLU of slope 0.01 in place.
pub fn leaky_(mut x: Tensor) -> Tensor {
    x.leaky_relu_()
}

/// Maximum over each `by` frequencies of `(batch, channels, frames, frequencies)`; what is left over at the top is dropped.
#[expect(clippy::expect_used, reason = "callers give tensors of that many dimensions")]
pub fn max_pool(x: &Tensor, by: i64, train: bool) -> Tensor {
    if train {
        return x.max_pool2d([1, by], [1, by], [0, 0], [1, 1], false);
    }
    // The same over channels-last memory, as a maximum over one axis of a view: twice as fast.
    let (n, channels, frames, bins) = x.size4().expect("four dimensions");
    let kept = bins / by;
    let view = x.permute([0, 2, 3, 1]).narrow(2, 0, kept * by).reshape([n, frames, kept, by, channels]);
    view.amax([3].as_slice(), false).permute([0, 3, 1, 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, nn::VarStore};

    #[test]
    fn folding_changes_nothing() {
        let vs = VarStore::new(Device::Cpu);
        let mut conv = ConvBn::new(&vs.root(), ConvShape::new(3, 5, [3, 3]).dilated([2, 1]).strided([1, 3]), 1e-3);
        let x = Tensor::randn([2, 3, 11, 12], (Kind::Float, Device::Cpu));
        for _ in 0..3 {
            let _ = conv.forward_t(&(&x * 2.0 + 1.0), true);
        }
        let plain = conv.forward_t(&x, false);
        conv.fold();
        let folded = conv.forward_t(&x, false);
        assert_eq!(plain.size(), [2, 5, 11, 4]);
        assert!((plain - folded).abs().max().double_value(&[]) < 1e-5);
    }

    #[test]
    fn bf16_activations_leave_f32_gradients() {
        let vs = VarStore::new(Device::Cpu);
        let conv = ConvBn::new(&vs.root(), ConvShape::new(3, 5, [3]), 1e-3);
        let x = Tensor::randn([4, 3, 11], (Kind::Float, Device::Cpu));
        let y = conv.forward_t(&x.to_kind(Kind::BFloat16), true);
        assert_eq!(y.kind(), Kind::BFloat16);
        let error = (y.to_kind(Kind::Float) - conv.forward_t(&x, true)).abs().max().double_value(&[]);
        assert!(error < 0.1, "{error}");
        y.to_kind(Kind::Float).square().mean(Kind::Float).backward();
        assert_eq!(conv.weight.grad().kind(), Kind::Float);
    }

    #[test]
    fn pooling_is_the_same_in_training_and_inference() {
        let x = channels_last(&Tensor::randn([2, 3, 5, 13], (Kind::Float, Device::Cpu)));
        assert_eq!(max_pool(&x, 4, true), max_pool(&x, 4, false));
    }
}
