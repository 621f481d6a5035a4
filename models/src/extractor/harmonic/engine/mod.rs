//! The network of `harmonic` on the engine.
//!
//! The residual blocks are computed together, a few frames at a time: each block's input is a [`Window`] that slides along the
//! recording, so that feature maps stay in cache and only the stem's and the last block's are kept whole, for the heads.

mod heads;
mod room;
mod stack;
mod window;

use std::ops::Range;

pub(super) use room::Room;

use self::window::Window;
use super::front_end::{BANDS, SPECTRA};
use super::shape::{Block, EPS, LOCAL, ROWS, SQUEEZED, Shape, Size};
use crate::ModelError;
use crate::engine::{Conv, Finish, Gru, Kernel, Panels, Plane, Reader, Residual};
use crate::nn::weights::Weights;

/// Frames computed at a time: a multiple of what every kernel computes at a time.
const CHUNK: usize = 24;

/// The layers, ready for the kernels.
#[derive(Debug)]
pub(super) struct Network {
    channels: usize,
    parameters: usize,
    stem: Conv,
    blocks: Vec<Residual>,
    /// Frames that each block reaches to either side.
    reaches: Vec<usize>,
    squeeze: Conv,
    gru: Gru,
    film: Panels,
    row_bias: Panels,
    post: Residual,
    pitch: Conv,
    local: Conv,
    context: Panels,
    voicing: Conv,
}

impl Network {
    /// Packs the weights of a network of this size.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub(super) fn read(weights: &Weights, size: Size) -> Result<Self, ModelError> {
        let (shape, reader) = (Shape::of(size), &mut Reader::new(weights));
        let channels = size.channels() as usize;
        let steps = Window::steps(channels);
        let block = |reader: &mut Reader, Block { name, spread, mix }: &Block| {
            let spread = reader.conv_bn(&format!("{name}.spread"), spread, EPS, steps)?;
            Ok::<_, ModelError>(Residual { spread, mix: reader.conv_bn(&format!("{name}.mix"), mix, EPS, steps)? })
        };
        let mut network = Network {
            channels,
            parameters: 0,
            stem: reader.conv_bn("stem", &shape.stem, EPS, [stack::FRAME, stack::CHANNELS])?,
            blocks: shape.blocks.iter().map(|b| block(reader, b)).collect::<Result<_, _>>()?,
            reaches: shape.blocks.iter().map(|b| b.spread.padding()[0] as usize).collect(),
            squeeze: reader.conv_bn("squeeze", &shape.squeeze, EPS, steps)?,
            gru: Gru::read(reader, "gru", shape.gru_input, shape.hidden)?,
            film: reader.linear("film", 2 * shape.hidden, shape.film)?,
            row_bias: reader.linear("row_bias", 2 * shape.hidden, ROWS as i64)?,
            post: block(reader, &shape.post)?,
            pitch: reader.conv("pitch", &shape.pitch, steps)?,
            local: reader.conv("local", &shape.local, [3 * channels])?,
            context: reader.linear("context", 2 * shape.hidden, shape.local.output)?,
            voicing: reader.conv("voicing", &shape.voicing, [LOCAL])?,
        };
        network.parameters = reader.parameters();
        Ok(network)
    }

    /// Number of trainable parameters.
    pub(super) fn parameters(&self) -> usize {
        self.parameters
    }

    /// Pitch logits (181 a frame) and voicing probabilities of the frames in `keep`, from spectra (`frames x 2 x 284`).
    pub(super) fn run(
        &self,
        kernel: Kernel,
        spectra: &[f32],
        keep: Range<usize>,
        room: &mut Room,
        logits: &mut [f32],
        voicing: &mut [f32],
    ) {
        let frames = spectra.len() / (SPECTRA * BANDS);
        room.fit(frames);
        let lag: usize = self.reaches.iter().sum();
        for chunk in 0..(frames + lag).div_ceil(CHUNK) {
            self.advance(kernel, spectra, chunk * CHUNK, room);
        }
        self.gru.run(kernel, frames, &room.given, &mut room.gru, &mut room.context);
        self.heads(kernel, frames, keep, room, logits, voicing);
    }

    /// Computes the stem's frames from `first` on and every block's that follow from them; each block lags behind the one before it
    /// by what it reaches.
    fn advance(&self, kernel: Kernel, spectra: &[f32], first: usize, room: &mut Room) {
        let channels = self.channels;
        let [frame, row] = Window::steps(channels);
        let frames = spectra.len() / (SPECTRA * BANDS);

        let now = Chunk::of(first as isize, frames);
        self.stem(kernel, spectra, first, now, room);
        let compact = ROWS * channels;
        for index in 0..CHUNK {
            let rows = room.windows[0].frame_mut(index);
            match now.frame(index) {
                Some(frame) => rows.copy_from_slice(&room.stem[frame * compact..][..compact]),
                None => rows.fill(0.0),
            }
        }
        let mut first = first as isize;
        for (i, block) in self.blocks.iter().enumerate() {
            let (before, after) = room.windows.split_at_mut(i + 1);
            let window = &mut before[i];
            first -= window.reach() as isize;
            let now = Chunk::of(first, frames);
            let x = [window.centre(now.begin), frame, row];
            match after.first_mut() {
                Some(next) => {
                    (0..CHUNK).filter(|&i| now.frame(i).is_none()).for_each(|i| next.frame_mut(i).fill(0.0));
                    let plane = Plane { frames: now.count, rows: ROWS, x, y: [next.fresh(now.begin), frame, row] };
                    block.apply(kernel, &plane, window.values(), next.values_mut());
                }
                None => {
                    let plane = Plane { frames: now.count, rows: ROWS, x, y: [now.first * compact, compact, channels] };
                    block.apply(kernel, &plane, window.values(), &mut room.features);
                    self.give(kernel, now, room);
                }
            }
            room.windows[i].slide();
        }
    }

    /// The stem's frames of a chunk, kept whole.
    fn stem(&self, kernel: Kernel, spectra: &[f32], first: usize, now: Chunk, room: &mut Room) {
        let frames = spectra.len() / (SPECTRA * BANDS);
        for index in 0..CHUNK + 2 {
            let stack = &mut room.stack[index * stack::FRAME..][..stack::FRAME];
            match (first + index).checked_sub(1).filter(|&frame| frame < frames) {
                Some(frame) => room.harmonics.fill(&spectra[frame * SPECTRA * BANDS..][..SPECTRA * BANDS], stack),
                None => stack.fill(0.0),
            }
        }
        let compact = ROWS * self.channels;
        let first_bin = stack::FRAME + stack::MARGIN * stack::CHANNELS;
        let x = [first_bin, stack::FRAME, super::shape::BINS_PER_ROW * stack::CHANNELS];
        let plane = Plane { frames: now.count, rows: ROWS, x, y: [now.first * compact, compact, self.channels] };
        self.stem.apply(kernel, Finish::Relu, &plane, &room.stack, &mut room.stem);
    }

    /// What the GRU is given of a chunk of the last block's frames.
    fn give(&self, kernel: Kernel, now: Chunk, room: &mut Room) {
        let Chunk { first, count, .. } = now;
        let compact = ROWS * self.channels;
        let plane = Plane::line(count * ROWS, self.channels, SQUEEZED);
        self.squeeze.apply(kernel, Finish::Relu, &plane, &room.features[first * compact..], &mut room.squeezed);
        let width = self.gru.given_width();
        self.gru.given(kernel, count, &room.squeezed, &mut room.given[first * width..]);
    }
}

/// Which of the `CHUNK` frames from some frame on lie within a recording.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    /// How many lie before it.
    begin: usize,
    /// The first that lies within.
    first: usize,
    /// How many do.
    count: usize,
}

impl Chunk {
    fn of(first: isize, frames: usize) -> Self {
        let begin = first.min(0).unsigned_abs().min(CHUNK);
        let end = (frames as isize - first).clamp(0, CHUNK as isize) as usize;
        Chunk { begin, first: first.max(0) as usize, count: end.saturating_sub(begin) }
    }

    /// The frame that is the `index`th of the chunk, if it is in the recording.
    fn frame(self, index: usize) -> Option<usize> {
        (self.begin..self.begin + self.count).contains(&index).then(|| self.first + index - self.begin)
    }
}
