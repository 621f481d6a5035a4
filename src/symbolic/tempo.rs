//! From positions in quarter notes to seconds.

use super::Span;

/// Tempo changes of a piece.
#[derive(Debug, Clone)]
pub(super) struct TempoMap {
    /// Where a tempo begins: position in quarter notes, the same in seconds, seconds per quarter note. Sorted.
    segments: Vec<(f64, f64, f64)>,
}

impl TempoMap {
    /// `changes` are (position in quarter notes, quarter notes per minute) in any order; before the first, `initial_qpm`
    /// rules. Of changes at one position the last counts. Tempi that are not positive and finite are ignored.
    pub fn new(initial_qpm: f64, mut changes: Vec<(f64, f64)>) -> Self {
        changes.retain(|(at, qpm)| at.is_finite() && *at >= 0.0 && qpm.is_finite() && *qpm > 0.0);
        changes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut segments = vec![(0.0, 0.0, 60.0 / initial_qpm)];
        for (at, qpm) in changes {
            let (from, seconds, per_quarter) = segments[segments.len() - 1];
            let segment = (at, seconds + (at - from) * per_quarter, 60.0 / qpm);
            if at == from {
                segments.pop();
            }
            segments.push(segment);
        }
        TempoMap { segments }
    }

    /// Seconds at a position in quarter notes.
    pub fn seconds(&self, quarters: f64) -> f64 {
        let after = self.segments.partition_point(|s| s.0 <= quarters);
        let (from, seconds, per_quarter) = self.segments[after.max(1) - 1];
        seconds + (quarters - from) * per_quarter
    }

    /// A span in quarter notes as one in seconds.
    pub fn span(&self, span: &Span) -> Span {
        Span { start: self.seconds(span.start), end: self.seconds(span.end), pitch: span.pitch }
    }
}

/// A tempo written in a score, if it is one that is played: 5 to 2000 quarter notes per minute.
pub(super) fn plausible_qpm(qpm: f64) -> Option<f64> {
    (5.0..=2000.0).contains(&qpm).then_some(qpm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_accumulate() {
        let map = TempoMap::new(120.0, vec![(4.0, 60.0), (0.0, 100.0), (0.0, 120.0), (6.0, 240.0), (5.0, 0.0)]);
        assert_eq!([0.0, 2.0, 4.0, 5.0, 6.0, 8.0].map(|q| map.seconds(q)), [0.0, 1.0, 2.0, 3.0, 4.0, 4.5]);
    }
}
