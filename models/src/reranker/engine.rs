//! The network on the engine: one pair at a time, all of which lies in the innermost cache.

use std::sync::Arc;

use super::pair::{CHANNELS, Pair};
use super::runner::Runner;
use super::shape::{ATTENTION, DILATIONS, EPS, HIDDEN, STEM, WIDTH, block};
use crate::ModelError;
use crate::engine::{Affine, Conv, Finish, Kernel, Panels, Plane, Reader, linear, softmax};
use crate::nn::weights::Weights;

const W: usize = WIDTH as usize;

/// Zeros on either side of the steps: what the widest dilation reaches.
const MARGIN: usize = 16;

/// The layers, ready for the kernels.
#[derive(Debug)]
struct Network {
    stem: Conv,
    blocks: Vec<(Affine, Conv)>,
    attention: Conv,
    hidden: Panels,
    output: Panels,
}

/// What lies between the layers; it grows with the longest pair.
#[derive(Debug, Default)]
struct Room {
    /// Features as a pair gives them, and as steps of channels with margins.
    features: Vec<f32>,
    input: Vec<f32>,
    h: Vec<f32>,
    /// Normalised, with margins.
    normed: Vec<f32>,
    shares: Vec<f32>,
}

/// The network with its own room.
#[derive(Debug)]
pub(super) struct Engine {
    network: Arc<Network>,
    kernel: Kernel,
    room: Room,
}

impl Engine {
    /// Packs the weights, and tells how many parameters there are.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub(super) fn new(weights: &Weights, kernel: Kernel) -> Result<(Self, usize), ModelError> {
        let reader = &mut Reader::new(weights);
        let residual = |reader: &mut Reader, dilation| {
            let (name, shape) = block(dilation);
            Ok::<_, ModelError>((reader.affine(&format!("{name}.norm"), WIDTH)?, reader.conv(&name, &shape, [W])?))
        };
        let network = Network {
            stem: reader.conv("stem", &STEM, [CHANNELS])?,
            blocks: DILATIONS.iter().map(|&dilation| residual(reader, dilation)).collect::<Result<_, _>>()?,
            attention: reader.conv("attention", &ATTENTION, [W])?,
            hidden: reader.linear("hidden", 3 * WIDTH, HIDDEN)?,
            output: reader.linear("output", HIDDEN, 1)?,
        };
        Ok((Engine { network: Arc::new(network), kernel, room: Room::default() }, reader.parameters()))
    }
}

impl Runner for Engine {
    fn score(&mut self, pairs: &[&Pair]) -> Result<Vec<f32>, ModelError> {
        Ok(pairs.iter().map(|pair| self.network.score(self.kernel, pair, &mut self.room)).collect())
    }

    fn fork(&self) -> Result<Box<dyn Runner>, ModelError> {
        Ok(Box::new(Engine { network: self.network.clone(), kernel: self.kernel, room: Room::default() }))
    }
}

impl Network {
    fn score(&self, kernel: Kernel, pair: &Pair, room: &mut Room) -> f32 {
        let steps = pair.steps();
        room.fit(steps);
        pair.features(&mut room.features);
        for (channel, row) in room.features.chunks_exact(steps).enumerate() {
            let column = room.input[MARGIN * CHANNELS..].iter_mut().skip(channel).step_by(CHANNELS);
            column.zip(row).for_each(|(x, value)| *x = *value);
        }
        let plane = Plane { x: [MARGIN * CHANNELS, 0, CHANNELS], ..Plane::line(steps, CHANNELS, W) };
        self.stem.apply(kernel, Finish::Relu, &plane, &room.input, &mut room.h);
        let plane = Plane { x: [MARGIN * W, 0, W], ..Plane::line(steps, W, W) };
        for (norm, conv) in &self.blocks {
            norm.normalise(EPS as f32, &room.h, &mut room.normed[MARGIN * W..][..steps * W]);
            conv.apply(kernel, Finish::ReluAdd, &plane, &room.normed, &mut room.h);
        }
        self.attention.apply(kernel, Finish::Sum, &Plane::line(steps, W, 1), &room.h, &mut room.shares);
        softmax(kernel, &mut room.shares);

        let mut pooled = [0.0; 3 * W];
        let (mean, rest) = pooled.split_at_mut(W);
        let (most, attended) = rest.split_at_mut(W);
        most.fill(f32::NEG_INFINITY);
        for (step, share) in room.h.chunks_exact(W).zip(&room.shares) {
            for c in 0..W {
                mean[c] += step[c] / steps as f32;
                most[c] = most[c].max(step[c]);
                attended[c] += share * step[c];
            }
        }
        let (mut hidden, mut output) = ([0.0; HIDDEN as usize], [0.0]);
        linear(kernel, &self.hidden, Finish::Relu, &Plane::line(1, 3 * W, HIDDEN as usize), &pooled, &mut hidden);
        linear(kernel, &self.output, Finish::Sum, &Plane::line(1, HIDDEN as usize, 1), &hidden, &mut output);
        output[0]
    }
}

impl Room {
    /// For a pair of this many steps; margins are zero.
    fn fit(&mut self, steps: usize) {
        self.features.resize(CHANNELS * steps, 0.0);
        self.h.resize(steps * W, 0.0);
        self.shares.resize(steps, 0.0);
        for (values, width) in [(&mut self.input, CHANNELS), (&mut self.normed, W)] {
            values.clear();
            values.resize((steps + 2 * MARGIN) * width, 0.0);
        }
    }
}
