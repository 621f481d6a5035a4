//! What comes after the GRU: pitch and voicing.

use std::ops::Range;

use super::room::Room;
use super::window::Window;
use super::{CHUNK, Network};
use crate::engine::{Finish, Function, Kernel, Plane, linear, softmax};
use crate::extractor::harmonic::decode::BINS;
use crate::extractor::harmonic::shape::{BINS_PER_ROW, LOCAL, ROWS};

/// Frames that the voicing head looks to either side: two convolutions of three frames.
const VOICING_REACH: usize = 2;

impl Network {
    /// Logits and voicing of the frames in `keep` from the stem's, the last block's and the GRU's.
    pub(super) fn heads(
        &self,
        kernel: Kernel,
        frames: usize,
        keep: Range<usize>,
        room: &mut Room,
        logits: &mut [f32],
        voicing: &mut [f32],
    ) {
        let wanted = keep.start.saturating_sub(VOICING_REACH)..(keep.end + VOICING_REACH).min(frames);
        let seen = 3 * self.channels;
        // One frame of silence before and after.
        room.seen[..seen].fill(0.0);
        room.seen[(wanted.len() + 1) * seen..][..seen].fill(0.0);
        for first in wanted.clone().step_by(CHUNK) {
            let chunk = first..(first + CHUNK).min(wanted.end);
            self.after_context(kernel, frames, chunk.clone(), room);
            for frame in chunk {
                let index = frame - first;
                self.look(kernel, frame, index, frame - wanted.start, room);
                if keep.contains(&frame) {
                    let bins = &room.bins[index * ROWS * BINS_PER_ROW..][..ROWS * BINS_PER_ROW];
                    logits[(frame - keep.start) * BINS..][..BINS].copy_from_slice(&bins[1..=BINS]);
                }
            }
        }
        self.voicing(kernel, wanted, keep, room, voicing);
    }

    /// The last residual block and the pitch bins for some frames, `room.after_post` and `room.bins`.
    fn after_context(&self, kernel: Kernel, frames: usize, chunk: Range<usize>, room: &mut Room) {
        let (channels, context) = (self.channels, self.film.rows());
        let [frame_step, row] = Window::steps(channels);

        // The context speaks to every row alike: a gain and an offset per channel (FiLM, Perez et al. 2018).
        let around = chunk.start.saturating_sub(1)..(chunk.end + 1).min(frames);
        let plane = Plane::line(around.len(), context, 2 * channels);
        linear(kernel, &self.film, Finish::Sum, &plane, &room.context[around.start * context..], &mut room.film);
        for index in 0..chunk.len() + 2 {
            let at = room.before_post.place(index);
            let rows = &mut room.before_post.values_mut()[at..][..ROWS * channels];
            let Some(frame) = (chunk.start + index).checked_sub(1).filter(|&frame| frame < frames) else {
                rows.fill(0.0);
                continue;
            };
            let (gain, offset) = room.film[(frame - around.start) * 2 * channels..][..2 * channels].split_at_mut(channels);
            kernel.map(Function::Tanh, gain);
            let features = &room.features[frame * ROWS * channels..][..ROWS * channels];
            for (y, x) in rows.chunks_exact_mut(channels).zip(features.chunks_exact(channels)) {
                for (((y, x), gain), offset) in y.iter_mut().zip(x).zip(&*gain).zip(&*offset) {
                    *y = x * (1.0 + gain) + offset;
                }
            }
        }
        let (x, y) = (room.before_post.centre(0), room.after_post.fresh(0));
        let plane = Plane { frames: chunk.len(), rows: ROWS, x: [x, frame_step, row], y: [y, frame_step, row] };
        self.post.apply(kernel, &plane, room.before_post.values(), room.after_post.values_mut());

        let all = ROWS * BINS_PER_ROW;
        let plane = Plane { frames: chunk.len(), rows: ROWS, x: [y, frame_step, row], y: [0, all, BINS_PER_ROW] };
        self.pitch.apply(kernel, Finish::Sum, &plane, room.after_post.values(), &mut room.bins);
        let plane = Plane::line(chunk.len(), context, ROWS);
        linear(kernel, &self.row_bias, Finish::Sum, &plane, &room.context[chunk.start * context..], &mut room.row_bias);
        for (bins, bias) in room.bins.chunks_exact_mut(BINS_PER_ROW).zip(&room.row_bias[..chunk.len() * ROWS]) {
            bins.iter_mut().for_each(|bin| *bin += bias);
        }
    }

    /// What the voicing head sees of a frame, the `index`th of its chunk: the row of the melody in the first and in the last
    /// features, and the strongest of the last.
    fn look(&self, kernel: Kernel, frame: usize, index: usize, place: usize, room: &mut Room) {
        let channels = self.channels;
        let mut rows: [f32; ROWS] = std::array::from_fn(|row| {
            let bins = &room.bins[(index * ROWS + row) * BINS_PER_ROW..][..BINS_PER_ROW];
            bins.iter().copied().fold(f32::MIN, f32::max)
        });
        softmax(kernel, &mut rows);
        let stem = &room.stem[frame * ROWS * channels..][..ROWS * channels];
        let last = &room.after_post.values()[room.after_post.fresh(index)..][..ROWS * channels];
        let seen = &mut room.seen[(place + 1) * 3 * channels..][..3 * channels];
        let (at_melody, strongest) = seen.split_at_mut(2 * channels);
        let (in_stem, in_last) = at_melody.split_at_mut(channels);
        in_stem.fill(0.0);
        in_last.fill(0.0);
        // The features are rectified: nothing is weaker.
        strongest.fill(0.0);
        for ((&share, stem), last) in rows.iter().zip(stem.chunks_exact(channels)).zip(last.chunks_exact(channels)) {
            for c in 0..channels {
                in_stem[c] += share * stem[c];
                in_last[c] += share * last[c];
                strongest[c] = if last[c] > strongest[c] { last[c] } else { strongest[c] };
            }
        }
    }

    /// Voicing probabilities of the frames in `keep`; what the head sees begins at `wanted`.
    fn voicing(&self, kernel: Kernel, wanted: Range<usize>, keep: Range<usize>, room: &mut Room, voicing: &mut [f32]) {
        let (count, seen, context) = (wanted.len(), 3 * self.channels, self.context.rows());
        room.local[..LOCAL].fill(0.0);
        room.local[(count + 1) * LOCAL..][..LOCAL].fill(0.0);
        let plane = Plane::line(count, context, LOCAL);
        linear(kernel, &self.context, Finish::Sum, &plane, &room.context[wanted.start * context..], &mut room.local[LOCAL..]);
        let plane = Plane { x: [seen, 0, seen], y: [LOCAL, 0, LOCAL], ..Plane::line(count, seen, LOCAL) };
        self.local.apply(kernel, Finish::AddRelu, &plane, &room.seen, &mut room.local);
        let first = (keep.start - wanted.start + 1) * LOCAL;
        let plane = Plane { x: [first, 0, LOCAL], ..Plane::line(keep.len(), LOCAL, 1) };
        self.voicing.apply(kernel, Finish::Sum, &plane, &room.local, voicing);
        kernel.map(Function::Sigmoid, &mut voicing[..keep.len()]);
    }
}
