//! How well a network does on a batch.

/// Names of [`FrameScores::values`].
pub(crate) const NAMES: [&str; 4] = ["pitch_loss", "voicing_loss", "pitch_accuracy", "voicing_accuracy"];

/// What is measured of the frames of a batch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FrameScores {
    /// Cross-entropy of the pitch.
    pub(crate) pitch_loss: f64,
    /// Loss of the voicing (0 where the pitch loss covers it).
    pub(crate) voicing_loss: f64,
    /// Share of voiced frames whose pitch is right within half a semitone.
    pub(crate) pitch_accuracy: f64,
    /// Share of frames whose voicing is right.
    pub(crate) voicing_accuracy: f64,
}

impl FrameScores {
    /// In the order of [`NAMES`].
    pub(crate) fn values(&self) -> Vec<f64> {
        vec![self.pitch_loss, self.voicing_loss, self.pitch_accuracy, self.voicing_accuracy]
    }
}
