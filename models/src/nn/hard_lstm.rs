//! The LSTM of Keras before 2.3, whose gates are piecewise linear. libtorch has none.

use tch::nn::Path;
use tch::{Kind, Tensor};

/// Key of the metadata of weights that says which gates their LSTMs have; without it they are logistic.
pub const GATES: &str = "recurrent_activation";

/// What the gates of an LSTM are passed through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gates {
    /// `1 / (1 + exp(-x))`.
    Logistic,
    /// `0.2 x + 0.5`, clipped to 0..=1.
    Hard,
}

impl Gates {
    /// Name in metadata, as Keras calls it.
    pub fn name(self) -> &'static str {
        match self {
            Gates::Logistic => "sigmoid",
            Gates::Hard => "hard_sigmoid",
        }
    }

    /// The gates of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Gates::Logistic, Gates::Hard].into_iter().find(|g| g.name() == name)
    }
}

/// A bidirectional layer with hard gates over the variables of a libtorch LSTM of one layer. For inference.
#[derive(Debug)]
pub struct HardLstm {
    directions: [Direction; 2],
}

#[derive(Debug)]
struct Direction {
    input: Tensor,
    recurrent: Tensor,
    bias: Tensor,
}

impl HardLstm {
    /// Over the variables under `path`, as they are now; `None` when there is no bidirectional LSTM.
    pub fn new(path: &Path) -> Option<Self> {
        let direction = |suffix: &str| {
            let get = |name: &str| path.get(&format!("{name}_l0{suffix}"));
            Some(Direction {
                input: get("weight_ih")?.detach().tr(),
                recurrent: get("weight_hh")?.detach().tr(),
                bias: (get("bias_ih")? + get("bias_hh")?).detach(),
            })
        };
        Some(HardLstm { directions: [direction("")?, direction("_reverse")?] })
    }

    /// `(batch, frames, input)` to `(batch, frames, 2 * hidden)`, f32.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let [forward, backward] = &self.directions;
        let backward = backward.run(&x.flip([1])).flip([1]);
        Tensor::cat(&[forward.run(x), backward], 2)
    }
}

impl Direction {
    #[expect(clippy::expect_used, reason = "callers give tensors of that many dimensions")]
    fn run(&self, x: &Tensor) -> Tensor {
        let (batch, frames, _) = x.size3().expect("three dimensions");
        let hidden = self.recurrent.size()[0];
        let given = x.matmul(&self.input) + &self.bias;
        let mut output = Tensor::zeros([batch, hidden], (Kind::Float, x.device()));
        let mut cell = output.zeros_like();
        let outputs: Vec<Tensor> = (0..frames)
            .map(|t| {
                let gates = (given.select(1, t) + output.matmul(&self.recurrent)).chunk(4, 1);
                let hard = |x: &Tensor| (x * 0.2 + 0.5).clamp(0.0, 1.0);
                cell = hard(&gates[1]) * &cell + hard(&gates[0]) * gates[2].tanh();
                output = hard(&gates[3]) * cell.tanh();
                output.shallow_clone()
            })
            .collect();
        Tensor::stack(&outputs, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::recurrent;
    use tch::{Device, nn, nn::RNN};

    #[test]
    fn it_is_near_the_logistic_one_where_both_gates_are_alike() {
        let vs = nn::VarStore::new(Device::Cpu);
        let lstm = recurrent::lstm(&(vs.root() / "lstm"), 6, 4, 1);
        let hard = HardLstm::new(&(vs.root() / "lstm")).unwrap();
        // Near 0 the logistic function is 0.25 x + 0.5: small inputs tell the order of gates and frames, not their shape.
        let x = Tensor::randn([2, 9, 6], (Kind::Float, Device::Cpu)) * 0.3;
        let _guard = tch::no_grad_guard();
        let apart = (hard.forward(&x) - lstm.seq(&x).0).abs().max().double_value(&[]);
        assert!(apart > 1e-6 && apart < 0.03, "{apart}");
        assert!(HardLstm::new(&(vs.root() / "other")).is_none());
    }
}
