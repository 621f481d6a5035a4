//! How well a network does, summed over steps.

use super::Report;

/// Sums over steps, see [`Report`] for the parts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scores {
    /// Steps summed.
    pub(crate) steps: f64,
    pub(crate) pitch_loss: f64,
    pub(crate) voicing_loss: f64,
    pub(crate) pitch_accuracy: f64,
    pub(crate) voicing_accuracy: f64,
}

impl Scores {
    /// Adds another step's.
    pub(crate) fn add(&mut self, other: &Scores) {
        self.steps += other.steps;
        self.pitch_loss += other.pitch_loss;
        self.voicing_loss += other.voicing_loss;
        self.pitch_accuracy += other.pitch_accuracy;
        self.voicing_accuracy += other.voicing_accuracy;
    }

    /// Their means, as part of a report.
    pub(crate) fn mean(&self) -> Report {
        let steps = self.steps.max(1.0);
        Report {
            pitch_loss: self.pitch_loss / steps,
            voicing_loss: self.voicing_loss / steps,
            pitch_accuracy: self.pitch_accuracy / steps,
            voicing_accuracy: self.voicing_accuracy / steps,
            ..Report::default()
        }
    }
}
