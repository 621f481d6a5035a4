//! Exponential moving average of a network's weights: what is evaluated and shipped.

use tch::Tensor;
use tch::nn::VarStore;

use qbh_models::ModelError;
use qbh_models::nn::weights::Weights;

/// Running average of every variable of a network, batch-norm statistics included.
pub struct Ema {
    decay: f64,
    slots: Vec<(String, Tensor, Tensor)>,
}

impl Ema {
    /// Starts at the variables of `vs` as they are; `decay` is the weight of the past per step (0.999 = the last thousand steps).
    pub fn new(vs: &VarStore, decay: f64) -> Self {
        let _guard = tch::no_grad_guard();
        let mut slots: Vec<_> =
            vs.variables().into_iter().map(|(name, variable)| (name, variable.detach().copy(), variable)).collect();
        slots.sort_by(|a, b| a.0.cmp(&b.0));
        Ema { decay, slots }
    }

    /// Takes in the variables after step `step` (counted from 1). Early on the decay is shorter, so that the random start is forgotten.
    pub fn update(&mut self, step: u64) {
        let _guard = tch::no_grad_guard();
        let decay = self.decay.min((1.0 + step as f64) / (10.0 + step as f64));
        for (_, average, variable) in &mut self.slots {
            let _ = average.lerp_(variable, 1.0 - decay);
        }
    }

    /// Copies the average into a network of the same architecture.
    pub fn copy_to(&self, vs: &VarStore) -> Result<(), ModelError> {
        let _guard = tch::no_grad_guard();
        let variables = vs.variables();
        for (name, average, _) in &self.slots {
            let variable = variables
                .get(name)
                .ok_or_else(|| ModelError::Training(format!("the averaged variable {name} is not in the network to fill")))?;
            variable.shallow_clone().f_copy_(average)?;
        }
        Ok(())
    }

    /// The averaged weights by name, as a model ships them.
    pub fn weights(&self) -> Vec<(String, Tensor)> {
        self.slots.iter().map(|(name, average, _)| (name.clone(), average.shallow_clone())).collect()
    }

    /// The state to store in a checkpoint.
    pub fn tensors(&self) -> Vec<(String, Tensor)> {
        self.weights().into_iter().map(|(name, average)| (format!("ema/{name}"), average)).collect()
    }

    /// Restores what [`Ema::tensors`] gave.
    pub fn restore(&mut self, stored: &Weights) -> Result<(), ModelError> {
        let _guard = tch::no_grad_guard();
        for (name, average, _) in &mut self.slots {
            average.f_copy_(&stored.tensor(&format!("ema/{name}"))?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, nn::Init};

    #[test]
    fn follows_the_weights_and_can_be_copied_out() {
        let vs = VarStore::new(Device::Cpu);
        let mut x = vs.root().var("x", &[3], Init::Const(0.0));
        let mut ema = Ema::new(&vs, 0.9);
        let _ = tch::no_grad(|| x.fill_(1.0));
        for step in 1..=100 {
            ema.update(step);
        }
        let other = VarStore::new(Device::Cpu);
        let y = other.root().var("x", &[3], Init::Const(7.0));
        ema.copy_to(&other).unwrap();
        let value = y.double_value(&[0]);
        assert!(value > 0.999 && value <= 1.0 + 1e-6, "{value}");
        let empty = VarStore::new(Device::Cpu);
        assert!(ema.copy_to(&empty).is_err());
    }
}
