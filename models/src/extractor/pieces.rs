//! Long recordings go through the network in overlapping pieces of equal length; what is kept of each lies well inside.

use std::ops::Range;

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
    /// Pieces for `frames` frames that keep up to `kept` each, with `context` on either side. All read equally much, so that
    /// they can share a batch: the outer ones move inwards.
    pub(super) fn cover(frames: usize, kept: usize, context: usize) -> Self {
        let length = (kept + 2 * context).min(frames);
        let count = if frames <= length { 1 } else { frames.div_ceil(kept) };
        let bounds = (0..count).map(|i| {
            let keep = frames * i / count..frames * (i + 1) / count;
            let spare = length - keep.len().min(length);
            let start = keep.start.saturating_sub(spare / 2).min(frames - length);
            Piece { read: start..start + length, keep }
        });
        Pieces(bounds.collect())
    }

    /// The pieces, so many at a time.
    pub(super) fn batches(&self, batch: usize) -> impl Iterator<Item = &[Piece]> {
        self.0.chunks(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_frame_is_kept_once_and_has_its_context(frames in 1usize..40_000, kept in 1usize..1500, context in 0usize..100) {
            let mut next = 0;
            for piece in Pieces::cover(frames, kept, context).batches(3).flatten() {
                prop_assert_eq!(piece.keep.start, next);
                prop_assert!(piece.read.end <= frames);
                prop_assert_eq!(piece.read.len(), frames.min(kept + 2 * context));
                prop_assert!(piece.read.start <= piece.keep.start.saturating_sub(context));
                prop_assert!(piece.read.end >= (piece.keep.end + context).min(frames));
                next = piece.keep.end;
            }
            prop_assert_eq!(next, frames);
        }
    }
}
