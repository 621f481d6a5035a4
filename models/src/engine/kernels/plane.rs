//! Positions in memory: those of one layer, of its input and of its output.

/// `frames` x `rows` positions, with the places of the first and the steps between them in input and output.
///
/// What is a frame and what a row is up to the layer: frames of audio and rows of pitch, windows and their steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane {
    /// Number of frames.
    pub(crate) frames: usize,
    /// Positions of each.
    pub(crate) rows: usize,
    /// The input: the first position, from frame to frame, from row to row.
    pub(crate) x: [usize; 3],
    /// The output, alike.
    pub(crate) y: [usize; 3],
}

/// Positions on a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) x: usize,
    pub(super) x_step: usize,
    pub(super) y: usize,
    pub(super) y_step: usize,
    pub(super) count: usize,
}

impl Plane {
    /// Positions side by side: `count` of them, `x` values apart in the input, `y` in the output.
    pub(crate) fn line(count: usize, x: usize, y: usize) -> Self {
        Plane { frames: 1, rows: count, x: [0, 0, x], y: [0, 0, y] }
    }

    /// All positions on lines, most of which have a multiple of `tile` positions: rows that are left over of each frame are taken
    /// together, from frame to frame.
    pub(super) fn runs(&self, tile: usize) -> impl Iterator<Item = Run> {
        let &Plane { frames, rows, x, y } = self;
        let whole = if frames >= tile { rows - rows % tile } else { rows };
        let along_rows =
            (0..frames).map(move |f| Run { x: x[0] + f * x[1], x_step: x[2], y: y[0] + f * y[1], y_step: y[2], count: whole });
        let along_frames =
            (whole..rows).map(move |r| Run { x: x[0] + r * x[2], x_step: x[1], y: y[0] + r * y[2], y_step: y[1], count: frames });
        along_rows.chain(along_frames)
    }

    /// Panics unless all positions lie within `x_len` and `y_len` values: `depth` of each tap, and `columns`.
    pub(super) fn check(&self, taps: &[isize], depth: usize, x_len: usize, columns: usize, y_len: usize) {
        if self.frames == 0 || self.rows == 0 {
            return;
        }
        let last = |[first, frame, row]: [usize; 3]| first + (self.frames - 1) * frame + (self.rows - 1) * row;
        let least = taps.iter().min().copied().unwrap_or(0);
        let most = taps.iter().max().copied().unwrap_or(0);
        assert!(self.x[0].checked_add_signed(least).is_some(), "the first position lies before the input");
        let end = last(self.x).checked_add_signed(most).and_then(|end| end.checked_add(depth));
        assert!(end.is_some_and(|end| end <= x_len), "the last position lies beyond the input");
        assert!(last(self.y) + columns <= y_len, "the last position lies beyond the output");
    }
}
