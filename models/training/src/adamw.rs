//! AdamW (Loshchilov & Hutter, "Decoupled weight decay regularization", 2019) whose state can be stored and restored,
//! which libtorch's own optimiser does not offer through tch.

use tch::nn::VarStore;
use tch::{Kind, Tensor};

use qbh_models::ModelError;
use qbh_models::nn::weights::Weights;

/// Settings that stay fixed during a training; the learning rate comes with each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWConfig {
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// Added to the root of the latter.
    pub eps: f64,
    /// Decoupled weight decay; applies to matrices and kernels, not to biases and norms.
    pub weight_decay: f64,
}

struct Slot {
    name: String,
    parameter: Tensor,
    mean: Tensor,
    square: Tensor,
}

/// The optimiser of one network's trainable variables.
pub struct AdamW {
    config: AdamWConfig,
    slots: Vec<Slot>,
    step: u64,
}

impl AdamW {
    /// For the trainable variables of `vs`, which must all exist by now.
    pub fn new(vs: &VarStore, config: AdamWConfig) -> Self {
        let mut slots: Vec<Slot> = vs
            .variables()
            .into_iter()
            .filter(|(_, parameter)| parameter.requires_grad())
            .map(|(name, parameter)| Slot {
                name,
                mean: parameter.zeros_like().set_requires_grad(false),
                square: parameter.zeros_like().set_requires_grad(false),
                parameter,
            })
            .collect();
        slots.sort_by(|a, b| a.name.cmp(&b.name));
        AdamW { config, slots, step: 0 }
    }

    /// Forgets the gradients of the step before.
    pub fn zero_grad(&mut self) {
        for slot in &mut self.slots {
            slot.parameter.zero_grad();
        }
    }

    /// Scales all gradients so that their joint L2 norm is at most `max_norm`; returns the norm they had.
    pub fn clip_gradients(&mut self, max_norm: f64) -> f64 {
        let _guard = tch::no_grad_guard();
        let gradients: Vec<Tensor> = self.slots.iter().map(|s| s.parameter.grad()).filter(Tensor::defined).collect();
        if gradients.is_empty() {
            return 0.0;
        }
        let norms: Vec<Tensor> = gradients.iter().map(|g| g.norm().to_kind(Kind::Float)).collect();
        let norm = Tensor::stack(&norms, 0).norm().double_value(&[]);
        if norm > max_norm {
            for mut gradient in gradients {
                let _ = gradient.g_mul_scalar_(max_norm / (norm + 1e-6));
            }
        }
        norm
    }

    /// One update with the gradients at hand; variables without a gradient stay as they are.
    pub fn step(&mut self, rate: f64) {
        let _guard = tch::no_grad_guard();
        let AdamWConfig { beta1, beta2, eps, weight_decay } = self.config;
        self.step += 1;
        let correction1 = 1.0 - beta1.powf(self.step as f64);
        let correction2 = (1.0 - beta2.powf(self.step as f64)).sqrt();
        for Slot { parameter, mean, square, .. } in &mut self.slots {
            let gradient = parameter.grad();
            if !gradient.defined() {
                continue;
            }
            if parameter.dim() > 1 {
                let _ = parameter.g_mul_scalar_(1.0 - rate * weight_decay);
            }
            let _ = mean.lerp_(&gradient, 1.0 - beta1);
            let _ = square.g_mul_scalar_(beta2).addcmul_(&gradient, &(&gradient * (1.0 - beta2)));
            let denominator = square.sqrt() / correction2 + eps;
            let _ = parameter.addcdiv_(mean, &(denominator * (-correction1 / rate)));
        }
    }

    /// The state to store beside the weights: two tensors per variable.
    pub fn tensors(&self) -> Vec<(String, Tensor)> {
        self.slots
            .iter()
            .flat_map(|s| {
                [
                    (format!("adamw.mean/{}", s.name), s.mean.shallow_clone()),
                    (format!("adamw.square/{}", s.name), s.square.shallow_clone()),
                ]
            })
            .collect()
    }

    /// Restores the state that [`AdamW::tensors`] gave after `step` steps.
    pub fn restore(&mut self, stored: &Weights, step: u64) -> Result<(), ModelError> {
        let _guard = tch::no_grad_guard();
        for slot in &mut self.slots {
            slot.mean.f_copy_(&stored.tensor(&format!("adamw.mean/{}", slot.name))?)?;
            slot.square.f_copy_(&stored.tensor(&format!("adamw.square/{}", slot.name))?)?;
        }
        self.step = step;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::nn::{self, OptimizerConfig};
    use tch::{Device, Kind};

    /// Some steps on a small regression with either optimiser, from the same start.
    fn descend(mut step: impl FnMut(&VarStore, Tensor), vs: &VarStore, layer: &nn::Linear) -> Tensor {
        for i in 0..20 {
            let x = Tensor::arange(12, (Kind::Float, Device::Cpu)).view([4, 3]).sin() + f64::from(i) * 0.1;
            let loss = (x.apply(layer) - x.sum_dim_intlist([1i64].as_slice(), true, Kind::Float)).square().mean(Kind::Float);
            step(vs, loss);
        }
        layer.ws.detach().copy()
    }

    #[test]
    fn equals_the_optimiser_of_libtorch() {
        let build = || {
            let vs = VarStore::new(Device::Cpu);
            let layer = nn::linear(vs.root() / "fc", 3, 2, nn::LinearConfig { bias: false, ..Default::default() });
            let _ = tch::no_grad(|| layer.ws.shallow_clone().fill_(0.3));
            (vs, layer)
        };
        let (vs, layer) = build();
        let config = AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.1 };
        let mut own = AdamW::new(&vs, config);
        let ours = descend(
            |_, loss| {
                own.zero_grad();
                loss.backward();
                own.step(0.01);
            },
            &vs,
            &layer,
        );
        let (vs, layer) = build();
        let mut theirs = nn::AdamW { beta1: 0.9, beta2: 0.98, wd: 0.1, eps: 1e-8, amsgrad: false }.build(&vs, 0.01).unwrap();
        let reference = descend(|_, loss| theirs.backward_step(&loss), &vs, &layer);
        assert!((&ours - 0.3).abs().max().double_value(&[]) > 0.05, "nothing was learned");
        assert!((ours - reference).abs().max().double_value(&[]) < 1e-6);
    }

    #[test]
    fn clipping_bounds_the_norm() {
        let vs = VarStore::new(Device::Cpu);
        let x = vs.root().var("x", &[2], nn::Init::Const(1.0));
        let mut optimiser = AdamW::new(&vs, AdamWConfig { beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.0 });
        (&x * Tensor::from_slice(&[3.0f32, 4.0])).sum(Kind::Float).backward();
        assert!((optimiser.clip_gradients(1.0) - 5.0).abs() < 1e-5);
        assert!((x.grad().norm().double_value(&[]) - 1.0).abs() < 1e-4);
    }
}
