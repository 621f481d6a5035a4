//! Samples as they are kept, and stretches of them at another speed.

use crate::LABEL_HOP;
use crate::random::Draw;

/// Steps of the stored 16-bit samples per unit; an active level of 0.1 leaves room for peaks of 1.6.
const SCALE: f32 = 20_000.0;

/// Samples as they are kept.
pub(crate) fn store(samples: Vec<f32>) -> Vec<i16> {
    samples.into_iter().map(|s| (s * SCALE).round() as i16).collect()
}

/// A stretch of a piece, played at another speed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    start: usize,
    speed: f32,
    samples: usize,
}

impl Cut {
    /// A random stretch of so many available samples, most of them at a speed of that range.
    pub(crate) fn draw(available: usize, samples: usize, speeds: (f32, f32), draw: &mut Draw) -> Self {
        let speed = if draw.chance(0.75) { draw.range(speeds.0, speeds.1) } else { 1.0 };
        let needed = (samples as f32 * speed) as usize + 4;
        // On a label frame, so that the labels of an unchanged speed are exact.
        let frames = available.saturating_sub(needed) / LABEL_HOP;
        Cut { start: draw.index(frames + 1) * LABEL_HOP, speed, samples }
    }

    /// The stretch, interpolated by cubics through four samples (Catmull-Rom).
    pub(crate) fn samples(&self, source: &[i16]) -> Vec<f32> {
        let at = |i: usize| source.get(i).map_or(0.0, |x| f32::from(*x));
        if self.speed == 1.0 {
            return (0..self.samples).map(|n| at(self.start + n) / SCALE).collect();
        }
        (0..self.samples)
            .map(|n| {
                let place = f64::from(self.speed) * n as f64;
                let i = self.start + place as usize;
                let t = place.fract() as f32;
                let [a, b, c, d] = match source.get(i.wrapping_sub(1)..i + 3) {
                    Some(x) => [0, 1, 2, 3].map(|k| f32::from(x[k])),
                    None => [at(i.wrapping_sub(1)), at(i), at(i + 1), at(i + 2)],
                };
                let cubic = b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)));
                cubic / SCALE
            })
            .collect()
    }

    /// f0 along the stretch, raised with the speed.
    pub(crate) fn labels(&self, f0: &[f32]) -> Vec<f32> {
        let first = (self.start / LABEL_HOP) as f32;
        let at = |i: usize| f0.get(i).copied().unwrap_or(0.0);
        (0..self.samples.div_ceil(LABEL_HOP))
            .map(|frame| {
                let place = first + frame as f32 * self.speed;
                let (i, part) = (place as usize, place.fract());
                let (a, b) = (at(i), at(i + 1));
                let value = if a > 0.0 && b > 0.0 {
                    a + (b - a) * part
                } else if part < 0.5 {
                    a
                } else {
                    b
                };
                value * self.speed
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SAMPLE_RATE;

    #[test]
    fn a_faster_cut_raises_sound_and_label_alike() {
        let tone: Vec<i16> = (0..SAMPLE_RATE * 2)
            .map(|n| (10_000.0 * (std::f32::consts::TAU * 200.0 * n as f32 / 16_000.0).sin()) as i16)
            .collect();
        let cut = Cut { start: 1600, speed: 1.1, samples: SAMPLE_RATE };
        let crossings = cut.samples(&tone).windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
        assert!((219..=221).contains(&crossings), "{crossings}");
        assert!(cut.labels(&[200.0; 200]).iter().all(|f| (f - 220.0).abs() < 0.01));
    }
}
