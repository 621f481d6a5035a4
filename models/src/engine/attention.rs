//! The transformer block.

use super::conv::linear;
use super::kernels::{Finish, Function, Kernel, Plane, Product};
use super::norm::{Affine, softmax};
use super::panels::Panels;
use super::reader::Reader;
use crate::ModelError;

/// libtorch's epsilon of a layer normalisation.
pub(crate) const LAYER_NORM_EPS: f32 = 1e-5;

/// Pre-norm transformer block (Vaswani et al. 2017; Xiong et al. 2020): self-attention, then a GELU perceptron four times as wide.
#[derive(Debug, Clone)]
pub(crate) struct TransformerBlock {
    norm1: Affine,
    query_key_value: Panels,
    out: Panels,
    norm2: Affine,
    up: Panels,
    down: Panels,
    heads: usize,
}

/// Room for what lies between the layers of a block.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    normed: Vec<f32>,
    query_key_value: Vec<f32>,
    mixed: Vec<f32>,
    inner: Vec<f32>,
    /// Keys and values of one head, as weights.
    keys: Panels,
    values: Panels,
    scores: Vec<f32>,
}

impl TransformerBlock {
    /// Reads the variables under `NAME.`; `width` must be a multiple of `heads`.
    ///
    /// # Errors
    /// One is missing or has another shape.
    pub(crate) fn read(reader: &mut Reader, name: &str, width: i64, heads: i64) -> Result<Self, ModelError> {
        Ok(TransformerBlock {
            norm1: reader.affine(&format!("{name}.norm1"), width)?,
            query_key_value: reader.linear(&format!("{name}.query_key_value"), width, 3 * width)?,
            out: reader.linear(&format!("{name}.out"), width, width)?,
            norm2: reader.affine(&format!("{name}.norm2"), width)?,
            up: reader.linear(&format!("{name}.up"), width, 4 * width)?,
            down: reader.linear(&format!("{name}.down"), 4 * width, width)?,
            heads: heads as usize,
        })
    }

    fn width(&self) -> usize {
        self.out.rows()
    }

    /// Room for a batch of `count` sequences of `length` positions.
    pub(crate) fn room(&self, count: usize, length: usize) -> Room {
        let (width, size) = (self.width(), self.width() / self.heads);
        let positions = vec![0.0; count * length * width];
        Room {
            normed: positions.clone(),
            query_key_value: vec![0.0; 3 * count * length * width],
            mixed: positions,
            inner: vec![0.0; 4 * count * length * width],
            keys: Panels::empty(size, length),
            values: Panels::empty(length, size),
            scores: vec![0.0; length * length],
        }
    }

    /// Passes `count` sequences of `length` positions through the block, in place; `room` is for no fewer sequences of that length.
    pub(crate) fn apply(&self, kernel: Kernel, (count, length): (usize, usize), x: &mut [f32], room: &mut Room) {
        let (width, positions) = (self.width(), count * length);
        self.norm1.layer_norm(LAYER_NORM_EPS, &x[..positions * width], &mut room.normed);
        linear(
            kernel,
            &self.query_key_value,
            Finish::Sum,
            &Plane::line(positions, width, 3 * width),
            &room.normed,
            &mut room.query_key_value,
        );
        for sequence in 0..count {
            for head in 0..self.heads {
                self.attend(kernel, sequence * length, length, head, room);
            }
        }
        linear(kernel, &self.out, Finish::Add, &Plane::line(positions, width, width), &room.mixed, x);
        self.norm2.layer_norm(LAYER_NORM_EPS, &x[..positions * width], &mut room.normed);
        linear(kernel, &self.up, Finish::Sum, &Plane::line(positions, width, 4 * width), &room.normed, &mut room.inner);
        kernel.map(Function::Gelu, &mut room.inner[..4 * positions * width]);
        linear(kernel, &self.down, Finish::Add, &Plane::line(positions, 4 * width, width), &room.inner, x);
    }

    /// One head over one sequence, which begins at the position `first`.
    fn attend(&self, kernel: Kernel, first: usize, length: usize, head: usize, room: &mut Room) {
        let (width, size) = (self.width(), self.width() / self.heads);
        let at = |part: usize| first * 3 * width + part * width + head * size;
        let (query, key, value) = (at(0), at(1), at(2));
        let scale = (size as f32).powf(-0.5);
        let all = &room.query_key_value;
        room.keys.fill(|k, position| scale * all[key + position * 3 * width + k]);
        let scores = Product { panels: &room.keys, taps: &[0], depth: size, finish: Finish::Sum };
        let plane = Plane { frames: 1, rows: length, x: [query, 0, 3 * width], y: [0, 0, length] };
        kernel.product(&scores, &plane, all, &mut room.scores);
        room.scores.chunks_exact_mut(length).for_each(|row| softmax(kernel, row));
        room.values.fill(|position, k| all[value + position * 3 * width + k]);
        let mixed = Product { panels: &room.values, taps: &[0], depth: length, finish: Finish::Sum };
        let plane = Plane { frames: 1, rows: length, x: [0, 0, length], y: [first * width + head * size, 0, width] };
        kernel.product(&mixed, &plane, &room.scores, &mut room.mixed);
    }
}
