//! A bidirectional GRU.

use super::conv::linear;
use super::kernels::{Finish, Kernel, Plane, Recurrence};
use super::panels::Panels;
use super::reader::Reader;
use crate::ModelError;

/// One layer, both directions, over the variables of libtorch's.
#[derive(Debug, Clone)]
pub(crate) struct Gru {
    /// From the input to the gates of both directions.
    input: Panels,
    /// From the state to the gates, forwards and backwards.
    recurrent: [Panels; 2],
}

/// Room for what a GRU remembers while it runs.
#[derive(Debug, Clone)]
pub(crate) struct GruState {
    state: Vec<f32>,
    gates: Vec<f32>,
}

impl Gru {
    /// Reads the variables `NAME.weight_ih_l0`...
    ///
    /// # Errors
    /// One is missing or has another shape.
    pub(crate) fn read(reader: &mut Reader, name: &str, input: i64, hidden: i64) -> Result<Self, ModelError> {
        let gates = 3 * hidden;
        let mut weights = Vec::new();
        let mut biases = Vec::new();
        let mut recurrent = Vec::new();
        for suffix in ["", "_reverse"] {
            let mut take = |part: &str, shape: &[i64]| reader.take(&format!("{name}.{part}_l0{suffix}"), shape);
            weights.push(take("weight_ih", &[gates, input])?);
            biases.extend_from_slice(take("bias_ih", &[gates])?);
            let weight = take("weight_hh", &[gates, hidden])?;
            let bias = take("bias_hh", &[gates])?;
            recurrent.push(Panels::new(hidden as usize, bias, |row, column| weight[column * hidden as usize + row]));
        }
        let of_direction = |row: usize, column: usize| {
            let (direction, column) = (column / gates as usize, column % gates as usize);
            weights[direction][column * input as usize + row]
        };
        let input = Panels::new(input as usize, &biases, of_direction);
        let [forwards, backwards] = <[Panels; 2]>::try_from(recurrent).unwrap_or_else(|_| unreachable!("two directions"));
        Ok(Gru { input, recurrent: [forwards, backwards] })
    }

    /// Units of each direction.
    pub(crate) fn hidden(&self) -> usize {
        self.recurrent[0].rows()
    }

    /// Values that [`Gru::given`] makes of each frame.
    pub(crate) fn given_width(&self) -> usize {
        self.input.columns()
    }

    /// What a GRU of this size remembers while it runs.
    pub(crate) fn state(&self) -> GruState {
        GruState { state: vec![0.0; self.hidden()], gates: vec![0.0; 3 * self.hidden()] }
    }

    /// The share of the input in the gates: frames of `x` to frames of `y`, [`Gru::given_width`] values each.
    pub(crate) fn given(&self, kernel: Kernel, frames: usize, x: &[f32], y: &mut [f32]) {
        linear(kernel, &self.input, Finish::Sum, &Plane::line(frames, self.input.rows(), self.input.columns()), x, y);
    }

    /// The states of both directions, `2 hidden` values a frame, from what [`Gru::given`] computed.
    pub(crate) fn run(&self, kernel: Kernel, frames: usize, given: &[f32], room: &mut GruState, y: &mut [f32]) {
        let hidden = self.hidden();
        let (state, gates) = (&mut room.state[..], &mut room.gates[..]);
        for (direction, panels) in self.recurrent.iter().enumerate() {
            kernel.recur(Recurrence {
                panels,
                given: &given[direction * 3 * hidden..],
                given_step: self.given_width(),
                frames,
                backwards: direction == 1,
                state,
                gates,
                y: &mut y[direction * hidden..],
                y_step: 2 * hidden,
            });
        }
    }
}
