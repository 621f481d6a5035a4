//! How long to train, and how fast to learn on the way.

use std::f64::consts::PI;

/// When a training ends: after so many steps, so many hours, or whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Optimiser steps.
    pub steps: Option<u64>,
    /// Hours of training, those before a resume counted in.
    pub hours: Option<f64>,
}

impl Budget {
    /// Share of the budget that is used up after `step` steps and `seconds` of training; 1 or more: the end.
    /// Without any limit it stays 0.
    pub fn progress(&self, step: u64, seconds: f64) -> f64 {
        let by_steps = self.steps.map_or(0.0, |steps| if steps == 0 { 1.0 } else { step as f64 / steps as f64 });
        let by_time = self.hours.map_or(0.0, |hours| seconds / (hours * 3600.0).max(1e-9));
        by_steps.max(by_time)
    }
}

/// Learning rate: linear warm-up, then a half cosine down to `floor * peak` at the end of the budget
/// (Loshchilov & Hutter, "SGDR", 2017, without restarts).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Highest learning rate.
    pub peak: f64,
    /// Steps until it is reached.
    pub warmup: u64,
    /// Last learning rate, as a share of the highest.
    pub floor: f64,
}

impl Schedule {
    /// Learning rate of step `step` (counted from 0) at `progress` (0..=1) of the budget.
    pub fn rate(&self, step: u64, progress: f64) -> f64 {
        let warm = ((step + 1) as f64 / self.warmup.max(1) as f64).min(1.0);
        let cosine = 0.5 * (1.0 + (PI * progress.clamp(0.0, 1.0)).cos());
        self.peak * warm * (self.floor + (1.0 - self.floor) * cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls_to_the_floor() {
        let schedule = Schedule { peak: 2.0, warmup: 10, floor: 0.1 };
        assert!((schedule.rate(0, 0.0) - 0.2).abs() < 1e-12);
        assert!((schedule.rate(9, 0.0) - 2.0).abs() < 1e-12);
        assert!((schedule.rate(500, 0.5) - 1.1).abs() < 1e-12);
        assert!((schedule.rate(1000, 1.0) - 0.2).abs() < 1e-12);
        assert_eq!(schedule.rate(1000, 1.0), schedule.rate(2000, 7.0));
    }

    #[test]
    fn the_nearer_limit_ends_the_budget() {
        let budget = Budget { steps: Some(100), hours: Some(1.0) };
        assert_eq!(budget.progress(50, 360.0), 0.5);
        assert_eq!(budget.progress(50, 3600.0), 1.0);
        assert_eq!(Budget { steps: None, hours: None }.progress(1_000_000, 1e9), 0.0);
    }
}
