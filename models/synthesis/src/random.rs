//! Random draws, reproducible on every machine.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of random draws. Streams of different seeds, or of different purposes, are independent.
#[derive(Debug, Clone)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Draw(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The stream number `purpose` of a seed: what one part draws does not move what another draws.
    pub fn stream(seed: u64, purpose: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose);
        Draw(rng)
    }

    /// A seed for a stream of its own.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `from..to`.
    pub fn range(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * self.0.random::<f32>()
    }

    /// Log-uniform in `from..to`, both positive.
    pub fn log_range(&mut self, from: f32, to: f32) -> f32 {
        self.range(from.ln(), to.ln()).exp()
    }

    /// Uniform in `0..n`; `n` must not be 0.
    pub fn index(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    /// Uniform integer in `from..=to`.
    pub fn integer(&mut self, from: i32, to: i32) -> i32 {
        self.0.random_range(from..=to)
    }

    /// True with the given probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.0.random::<f32>() < probability
    }

    /// One of the choices; there must be one.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// An index, with probability in proportion to its weight.
    pub fn weighted(&mut self, weights: &[f32]) -> usize {
        let mut left = self.range(0.0, weights.iter().sum());
        for (i, w) in weights.iter().enumerate() {
            left -= w;
            if left < 0.0 {
                return i;
            }
        }
        weights.len() - 1
    }

    /// Gaussian with mean 0 and deviation 1.
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.0.random::<f32>()).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.0.random::<f32>()).cos()
    }

    /// White noise of deviation 1, uniform within +-1.73: quicker than [`Draw::normal`], and sounds the same.
    pub fn white(&mut self) -> f32 {
        const SCALE: f32 = 1.732_050_8 / 2_147_483_648.0;
        self.0.next_u32() as i32 as f32 * SCALE
    }
}

/// The stream of one item (below 2^20) of one step of one seed. Streams of different keys are independent, so that any
/// worker can draw any item, no item repeats another, and a resumed training draws what it would have drawn.
pub fn stream(seed: u64, step: u64, item: u32) -> Draw {
    Draw::stream(seed, step << 20 | u64::from(item & 0xf_ffff))
}

/// Noise that wanders and returns to 0 (an Ornstein-Uhlenbeck process): deviation `sigma`, memory of `tau` steps.
#[derive(Debug, Clone)]
pub struct Wander {
    keep: f32,
    push: f32,
    value: f32,
}

impl Wander {
    /// Starts from a random place.
    pub fn new(sigma: f32, tau: f32, draw: &mut Draw) -> Self {
        let keep = (-1.0 / tau).exp();
        Wander { keep, push: sigma * (1.0 - keep * keep).sqrt(), value: sigma * draw.normal() }
    }

    /// The next value.
    pub fn step(&mut self, draw: &mut Draw) -> f32 {
        self.value = self.keep * self.value + self.push * draw.white();
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let take = |mut d: Draw| (0..4).map(|_| d.seed()).collect::<Vec<_>>();
        assert_eq!(take(Draw::stream(1, 2)), take(Draw::stream(1, 2)));
        assert_ne!(take(Draw::stream(1, 2)), take(Draw::stream(1, 3)));
        assert_ne!(take(Draw::stream(1, 2)), take(Draw::stream(2, 2)));
    }

    #[test]
    fn wander_has_its_deviation() {
        let mut draw = Draw::new(1);
        let mut wander = Wander::new(0.5, 5.0, &mut draw);
        let n = 40_000;
        let power: f32 = (0..n).map(|_| wander.step(&mut draw).powi(2)).sum::<f32>() / n as f32;
        assert!((power.sqrt() - 0.5).abs() < 0.03, "{}", power.sqrt());
    }
}
