//! Frames of feature maps that slide along a recording.

use crate::extractor::harmonic::shape::ROWS;

/// Rows of zeros between frames: what the widest dilation reaches beyond a frame.
const GAP: usize = 12;

/// A stretch of frames of `ROWS` rows with zeros around each, channels last. It holds `fresh` frames and, before them, twice as many
/// as a layer reaches to either side: with a layer's input in such a window, the layer is computed for `fresh` frames at a time, in
/// order, and all that it needs lies in cache.
#[derive(Debug, Clone)]
pub(super) struct Window {
    values: Vec<f32>,
    channels: usize,
    reach: usize,
    fresh: usize,
}

impl Window {
    /// Silence everywhere.
    pub(super) fn new(channels: usize, reach: usize, fresh: usize) -> Self {
        let rows = GAP + (2 * reach + fresh) * (ROWS + GAP);
        Window { values: vec![0.0; rows * channels], channels, reach, fresh }
    }

    /// Values from row to row and from frame to frame, of all windows with this many channels.
    pub(super) fn steps(channels: usize) -> [usize; 2] {
        [(ROWS + GAP) * channels, channels]
    }

    /// The first row of a frame; frames count from the oldest one.
    pub(super) fn place(&self, frame: usize) -> usize {
        GAP * self.channels + frame * Self::steps(self.channels)[0]
    }

    /// The first row of the fresh frame `index`, as input of what comes before the window.
    pub(super) fn fresh(&self, index: usize) -> usize {
        self.place(2 * self.reach + index)
    }

    /// The first row of the frame that the layer behind the window computes as its `index`th.
    pub(super) fn centre(&self, index: usize) -> usize {
        self.place(self.reach + index)
    }

    /// How far the layer behind it reaches to either side.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }

    /// All values.
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to be written at the places of frames.
    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The rows of the fresh frame `index`.
    pub(super) fn frame_mut(&mut self, index: usize) -> &mut [f32] {
        let at = self.fresh(index);
        &mut self.values[at..at + ROWS * self.channels]
    }

    /// Makes place for fresh frames.
    pub(super) fn slide(&mut self) {
        let (from, to) = (self.place(self.fresh), self.place(2 * self.reach + self.fresh));
        self.values.copy_within(from..to, GAP * self.channels);
    }

    /// Silence again.
    pub(super) fn clear(&mut self) {
        self.values.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides_and_keeps_what_a_layer_reaches() {
        let mut window = Window::new(2, 3, 4);
        for step in 0..5 {
            for index in 0..4 {
                window.frame_mut(index).fill((4 * step + index + 1) as f32);
            }
            for index in 0..4 {
                // The frame computed now lies 3 before the fresh one, and has 3 on either side.
                let centre = (4 * step + index) as f32 + 1.0 - 3.0;
                for reach in -3..=3isize {
                    let at = window.centre(index).checked_add_signed(reach * Window::steps(2)[0] as isize).unwrap();
                    let rows = &window.values()[at..at + ROWS * 2];
                    let wanted = (centre + reach as f32).max(0.0);
                    assert!(rows.iter().all(|&x| x == wanted), "step {step}, frame {index} {reach}");
                    assert!(window.values()[at - 24..at].iter().all(|&x| x == 0.0));
                }
            }
            window.slide();
        }
    }
}
