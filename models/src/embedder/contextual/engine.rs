//! The network on the engine.

use std::sync::Arc;

use super::shape::{DILATIONS, DOWN, HEADS, NARROW, NARROW_STEPS, STEM, WIDE, WIDE_STEPS};
use super::{CHANNELS, STEPS};
use crate::embedder::runner::Runner;
use crate::embedder::shape::{EPS, residual as residual_shape};
use crate::engine::{
    Affine, Conv, Finish, Kernel, LAYER_NORM_EPS, Panels, Plane, Reader, Room as BlockRoom, TransformerBlock, linear, softmax,
};
use crate::nn::weights::Weights;
use crate::{EMBEDDING_DIM, ModelError};

/// Windows that go through the network together: their steps share the weights that come into cache, and still lie in it themselves.
const BATCH: usize = 8;

/// Zeros on either side of an input: what the stem reaches.
const INPUT_MARGIN: usize = 3;

/// Zeros between the windows of a feature map: what the widest dilation reaches.
const MARGIN: usize = 2;

/// The layers, ready for the kernels.
#[derive(Debug)]
struct Network {
    stem: Conv,
    narrow: Vec<[Conv; 2]>,
    down: Conv,
    wide: Vec<[Conv; 2]>,
    position: Vec<f32>,
    block: TransformerBlock,
    norm: Affine,
    pool: Panels,
    output: Panels,
}

/// Feature maps of a batch, windows one after the other with zeros between them.
#[derive(Debug, Clone)]
struct Maps {
    values: Vec<f32>,
    steps: usize,
    channels: usize,
}

impl Maps {
    fn new(steps: usize, channels: usize) -> Self {
        Maps { values: vec![0.0; (MARGIN + BATCH * (steps + MARGIN)) * channels], steps, channels }
    }

    /// The first value, and the steps from window to window and within.
    fn places(&self) -> [usize; 3] {
        [MARGIN * self.channels, (self.steps + MARGIN) * self.channels, self.channels]
    }
}

/// What lies between the layers.
struct Room {
    input: Vec<f32>,
    narrow: [Maps; 2],
    wide: [Maps; 2],
    sequence: Vec<f32>,
    block: BlockRoom,
    normed: Vec<f32>,
    shares: Vec<f32>,
    pooled: Vec<f32>,
}

/// The network with its own room. One value serves one thread.
pub(in crate::embedder) struct Engine {
    network: Arc<Network>,
    kernel: Kernel,
    room: Room,
}

impl Engine {
    /// Packs the weights, and tells how many parameters there are.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub(in crate::embedder) fn new(weights: &Weights, kernel: Kernel) -> Result<(Self, usize), ModelError> {
        let reader = &mut Reader::new(weights);
        let network = Network::read(reader)?;
        Ok((Self::assemble(Arc::new(network), kernel), reader.parameters()))
    }

    fn assemble(network: Arc<Network>, kernel: Kernel) -> Self {
        let positions = BATCH * WIDE_STEPS;
        let room = Room {
            input: vec![0.0; BATCH * (STEPS + 2 * INPUT_MARGIN) * CHANNELS],
            narrow: [0, 1].map(|_| Maps::new(NARROW_STEPS, NARROW as usize)),
            wide: [0, 1].map(|_| Maps::new(WIDE_STEPS, WIDE as usize)),
            sequence: vec![0.0; positions * WIDE as usize],
            block: network.block.room(BATCH, WIDE_STEPS),
            normed: vec![0.0; positions * WIDE as usize],
            shares: vec![0.0; positions * HEADS as usize],
            pooled: vec![0.0; BATCH * (HEADS * WIDE) as usize],
        };
        Engine { network, kernel, room }
    }
}

impl Runner for Engine {
    fn batch(&self) -> usize {
        BATCH
    }

    fn run(&mut self, features: &[f32], out: &mut [f32]) -> Result<(), ModelError> {
        let count = features.len() / (CHANNELS * STEPS);
        let each = (STEPS + 2 * INPUT_MARGIN) * CHANNELS;
        for (window, input) in features.chunks_exact(CHANNELS * STEPS).zip(self.room.input.chunks_exact_mut(each)) {
            let steps = input[INPUT_MARGIN * CHANNELS..].chunks_exact_mut(CHANNELS).take(STEPS);
            steps.enumerate().for_each(|(t, step)| step.iter_mut().enumerate().for_each(|(c, x)| *x = window[c * STEPS + t]));
        }
        self.network.run(self.kernel, count, &mut self.room, out);
        Ok(())
    }

    fn fork(&self) -> Box<dyn Runner> {
        Box::new(Self::assemble(self.network.clone(), self.kernel))
    }
}

impl Network {
    fn read(reader: &mut Reader) -> Result<Self, ModelError> {
        let residuals = |reader: &mut Reader, name: &str, channels: i64| {
            let one = |reader: &mut Reader, part: &str, dilation| {
                let shape = residual_shape(channels, channels, dilation);
                reader.conv_bn(&format!("{name}{dilation}.{part}"), &shape, EPS, [channels as usize])
            };
            DILATIONS.iter().map(|&d| Ok([one(reader, "a", d)?, one(reader, "b", d)?])).collect::<Result<Vec<_>, ModelError>>()
        };
        Ok(Network {
            stem: reader.conv_bn("stem", &STEM, EPS, [CHANNELS])?,
            narrow: residuals(reader, "narrow", NARROW)?,
            down: reader.conv_bn("down", &DOWN, EPS, [NARROW as usize])?,
            wide: residuals(reader, "wide", WIDE)?,
            position: reader.take("position", &[1, WIDE_STEPS as i64, WIDE])?.to_vec(),
            block: TransformerBlock::read(reader, "block", WIDE, HEADS)?,
            norm: reader.affine("norm", WIDE)?,
            pool: reader.linear("pool", WIDE, HEADS)?,
            output: reader.linear("output", HEADS * WIDE, EMBEDDING_DIM as i64)?,
        })
    }

    /// The first `count` inputs in `room` to as many unit vectors.
    fn run(&self, kernel: Kernel, count: usize, room: &mut Room, out: &mut [f32]) {
        let first = [INPUT_MARGIN * CHANNELS, (STEPS + 2 * INPUT_MARGIN) * CHANNELS, 2 * CHANNELS];
        let [narrow, inner] = &mut room.narrow;
        let plane = Plane { frames: count, rows: NARROW_STEPS, x: first, y: narrow.places() };
        self.stem.apply(kernel, Finish::Relu, &plane, &room.input, &mut narrow.values);
        self.narrow.iter().for_each(|convs| residual(kernel, count, convs, narrow, inner));

        let [begin, window, step] = narrow.places();
        let [wide, inner] = &mut room.wide;
        let plane = Plane { frames: count, rows: WIDE_STEPS, x: [begin, window, 2 * step], y: wide.places() };
        self.down.apply(kernel, Finish::Relu, &plane, &narrow.values, &mut wide.values);
        self.wide.iter().for_each(|convs| residual(kernel, count, convs, wide, inner));

        let [begin, window, width] = wide.places();
        let each = WIDE_STEPS * width;
        for (index, sequence) in room.sequence.chunks_exact_mut(each).take(count).enumerate() {
            let map = &wide.values[begin + index * window..][..each];
            sequence.iter_mut().zip(map).zip(&self.position).for_each(|((y, x), position)| *y = x + position);
        }
        self.block.apply(kernel, (count, WIDE_STEPS), &mut room.sequence, &mut room.block);
        self.norm.layer_norm(LAYER_NORM_EPS, &room.sequence[..count * each], &mut room.normed);
        let plane = Plane::line(count * WIDE_STEPS, width, HEADS as usize);
        linear(kernel, &self.pool, Finish::Sum, &plane, &room.normed, &mut room.shares);
        for index in 0..count {
            let shares = &room.shares[index * WIDE_STEPS * HEADS as usize..][..WIDE_STEPS * HEADS as usize];
            let pooled = &mut room.pooled[index * HEADS as usize * width..][..HEADS as usize * width];
            pool(kernel, shares, &room.normed[index * each..][..each], pooled);
        }
        let plane = Plane::line(count, HEADS as usize * width, EMBEDDING_DIM);
        linear(kernel, &self.output, Finish::Sum, &plane, &room.pooled, out);
        for embedding in out.chunks_exact_mut(EMBEDDING_DIM) {
            let length = embedding.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-9);
            embedding.iter_mut().for_each(|x| *x /= length);
        }
    }
}

/// `relu(x + b(relu(a(x))))`, in place; `inner` is room.
fn residual(kernel: Kernel, count: usize, [a, b]: &[Conv; 2], x: &mut Maps, inner: &mut Maps) {
    let plane = Plane { frames: count, rows: x.steps, x: x.places(), y: x.places() };
    a.apply(kernel, Finish::Relu, &plane, &x.values, &mut inner.values);
    b.apply(kernel, Finish::AddRelu, &plane, &inner.values, &mut x.values);
}

/// For each head the mean of a sequence, its steps weighted by the softmax of the head's shares (`steps x heads`).
fn pool(kernel: Kernel, shares: &[f32], sequence: &[f32], pooled: &mut [f32]) {
    let (heads, width) = (HEADS as usize, WIDE as usize);
    for (head, pooled) in pooled.chunks_exact_mut(width).enumerate() {
        let mut weights: [f32; WIDE_STEPS] = std::array::from_fn(|t| shares[t * heads + head]);
        softmax(kernel, &mut weights);
        pooled.fill(0.0);
        for (step, weight) in sequence.chunks_exact(width).zip(weights) {
            pooled.iter_mut().zip(step).for_each(|(y, x)| *y += weight * x);
        }
    }
}
