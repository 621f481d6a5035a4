//! The glottal source: Fourier coefficients of the LF model's flow derivative.
//!
//! Fant, Liljencrants and Lin, "A four-parameter model of glottal flow" (STL-QPSR 4/1985); its one-parameter family `Rd`
//! from Fant, "The LF-model revisited" (STL-QPSR 2-3/1995): 0.3 is pressed and bright, 1 modal, 2.7 breathy and dull.
//! In normalised time the coefficients do not depend on f0, so one table serves every voice.

use std::f32::consts::TAU;
use std::sync::OnceLock;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;

/// Harmonics in the table: enough for 50 Hz at 16 kHz.
pub const MAX_HARMONICS: usize = 160;
/// Lowest and highest `Rd` of the family.
pub const RD_RANGE: (f32, f32) = (0.3, 2.7);

const STEPS: usize = 25;
const POINTS: usize = 2048;

/// Harmonic amplitudes for a grid of `Rd`; harmonic `k` is at `[k - 1]`.
pub struct GlottalTable(Vec<[Complex32; MAX_HARMONICS]>);

impl GlottalTable {
    /// The table, computed once.
    pub fn shared() -> &'static GlottalTable {
        static TABLE: OnceLock<GlottalTable> = OnceLock::new();
        TABLE.get_or_init(|| {
            let fft = FftPlanner::new().plan_fft_forward(POINTS);
            GlottalTable(
                (0..=STEPS)
                    .map(|i| {
                        let rd = RD_RANGE.0 + (RD_RANGE.1 - RD_RANGE.0) * i as f32 / STEPS as f32;
                        let mut wave: Vec<Complex32> = pulse(rd).into_iter().map(|x| Complex32::new(x, 0.0)).collect();
                        fft.process(&mut wave);
                        std::array::from_fn(|k| wave[k + 1] * (2.0 / POINTS as f32))
                    })
                    .collect(),
            )
        })
    }

    /// The two rows around `rd` and the weight of the second.
    pub fn rows(&self, rd: f32) -> (&[Complex32; MAX_HARMONICS], &[Complex32; MAX_HARMONICS], f32) {
        let place = ((rd - RD_RANGE.0) / (RD_RANGE.1 - RD_RANGE.0) * STEPS as f32).clamp(0.0, STEPS as f32 - 0.001);
        let row = place as usize;
        (&self.0[row], &self.0[row + 1], place - row as f32)
    }
}

/// One period of the flow derivative, with its strongest (negative) excitation -1.
fn pulse(rd: f32) -> Vec<f32> {
    let ra = (4.8 * rd - 1.0) / 100.0;
    let rk = (22.4 + 11.8 * rd) / 100.0;
    let rg = 0.25 * rk / (0.11 * rd / (0.5 + 1.2 * rk) - ra);
    let peak = 0.5 / rg;
    let closing = (peak * (1.0 + rk)).min(0.999);
    let rest = 1.0 - closing;
    // Return phase: epsilon * ra = 1 - exp(-epsilon * rest), by fixed point.
    let mut epsilon = 1.0 / ra;
    for _ in 0..100 {
        epsilon = (1.0 - (-epsilon * rest).exp()) / ra;
    }
    let omega = TAU * rg;
    let wave = |alpha: f32| -> Vec<f32> {
        let scale = -1.0 / (omega * closing).sin();
        (0..POINTS)
            .map(|i| {
                let t = (i as f32 + 0.5) / POINTS as f32;
                if t <= closing {
                    (alpha * (t - closing)).exp() * (omega * t).sin() * scale
                } else {
                    -((-epsilon * (t - closing)).exp() - (-epsilon * rest).exp()) / (epsilon * ra)
                }
            })
            .collect()
    };
    // Growth alpha: the flow returns to zero, so the derivative sums to zero.
    let (mut low, mut high) = (-40.0f32, 80.0f32);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if wave(middle).iter().sum::<f32>() > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    wave(0.5 * (low + high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_returns_to_zero_and_tilts_with_rd() {
        for rd in [0.3, 1.0, 2.0, 2.7] {
            let wave = pulse(rd);
            assert!(wave.iter().all(|x| x.is_finite()));
            assert!((wave.iter().sum::<f32>() / POINTS as f32).abs() < 1e-3, "rd {rd}");
            let least = wave.iter().fold(0.0f32, |a, b| a.min(*b));
            assert!((-1.05..=-0.9).contains(&least), "rd {rd}: {least}");
        }
        // Breathy voices have relatively more first harmonic: H1 - H2 grows with Rd.
        let table = GlottalTable::shared();
        let h1_h2 = |rd: f32| table.rows(rd).0[0].norm() / table.rows(rd).0[1].norm();
        assert!(h1_h2(0.5) < h1_h2(1.0) && h1_h2(1.0) < h1_h2(2.5));
    }
}
