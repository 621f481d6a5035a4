//! Long recordings go through the network in overlapping pieces of equal length; what is kept of each lies well inside.

use std::ops::Range;

/// Frames (20 ms) that each piece keeps: 20 s.
const KEPT: usize = 1000;

/// Frames of context on either side: 1.5 s, twice what the convolutions reach; beyond it only the GRU remembers.
const CONTEXT: usize = 75;

/// Pieces that go through the network together: few enough for the processor's cache, enough to share the GRU's steps.
const BATCH: usize = 4;

/// One piece, in frames.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    /// What the network sees.
    pub(super) read: Range<usize>,
    /// What is taken from its output; inside `read`.
    pub(super) keep: Range<usize>,
}

/// The pieces of a recording.
pub(super) struct Pieces(Vec<Piece>);

impl Pieces {
    /// Pieces for `frames` frames. All read equally much, so that they can share a batch: the outer ones move inwards.
    pub(super) fn cover(frames: usize) -> Self {
        let length = (KEPT + 2 * CONTEXT).min(frames);
        let count = if frames <= length { 1 } else { frames.div_ceil(KEPT) };
        let bounds = (0..count).map(|i| {
            let keep = frames * i / count..frames * (i + 1) / count;
            let spare = length - keep.len().min(length);
            let start = keep.start.saturating_sub(spare / 2).min(frames - length);
            Piece { read: start..start + length, keep }
        });
        Pieces(bounds.collect())
    }

    /// The pieces, some at a time.
    pub(super) fn batches(&self) -> impl Iterator<Item = &[Piece]> {
        self.0.chunks(BATCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_frame_is_kept_once_and_has_its_context(frames in 1usize..40_000) {
            let mut next = 0;
            for piece in Pieces::cover(frames).batches().flatten() {
                prop_assert_eq!(piece.keep.start, next);
                prop_assert!(piece.read.end <= frames);
                prop_assert_eq!(piece.read.len(), frames.min(KEPT + 2 * CONTEXT));
                prop_assert!(piece.read.start <= piece.keep.start.saturating_sub(CONTEXT));
                prop_assert!(piece.read.end >= (piece.keep.end + CONTEXT).min(frames));
                next = piece.keep.end;
            }
            prop_assert_eq!(next, frames);
        }
    }
}
