//! Rooms: a feedback delay network of eight lines (Jot and Chaigne, AES 1991), with damped highs.

use crate::SAMPLE_RATE;
use crate::random::Draw;

const LINES: usize = 8;

/// A room.
#[derive(Debug, Clone)]
pub struct Reverb {
    /// Seconds until the reverberation has fallen by 60 dB.
    pub decay: f32,
    /// Size: scales the delays, 0.3 (a bathroom) ..= 1.5 (a hall).
    pub size: f32,
    /// How much faster high frequencies die, 0..1.
    pub damping: f32,
    /// Level of the reverberation beside the dry signal.
    pub wet: f32,
    /// Seconds before the first echo.
    pub delay: f32,
}

impl Reverb {
    /// Rooms, from a dry studio to a church.
    pub fn draw(draw: &mut Draw) -> Self {
        Reverb {
            decay: draw.log_range(0.15, 2.2),
            size: draw.range(0.3, 1.5),
            damping: draw.range(0.1, 0.7),
            wet: draw.log_range(0.05, 0.6),
            delay: draw.range(0.0, 0.04),
        }
    }

    /// Adds the room in place.
    pub fn run(&self, samples: &mut [f32]) {
        const DELAYS: [f32; LINES] = [0.0297, 0.0371, 0.0411, 0.0437, 0.0533, 0.0611, 0.0677, 0.0793];
        let mut lines: Vec<Vec<f32>> =
            DELAYS.iter().map(|d| vec![0.0; ((d * self.size * SAMPLE_RATE as f32) as usize).max(8) | 1]).collect();
        let feedback: [f32; LINES] =
            std::array::from_fn(|i| 10.0f32.powf(-3.0 * lines[i].len() as f32 / SAMPLE_RATE as f32 / self.decay));
        let mut before = vec![0.0; (self.delay * SAMPLE_RATE as f32) as usize + 1];
        let mut place = [0usize; LINES];
        let mut first = 0;
        let mut low = [0.0f32; LINES];
        // The energy of the tail grows with the decay; this keeps `wet` meaning loudness.
        let wet = self.wet * 0.6 / self.decay.sqrt().max(0.4);
        for x in samples {
            let input = std::mem::replace(&mut before[first], *x);
            first = if first + 1 == before.len() { 0 } else { first + 1 };
            let mut v: [f32; LINES] = std::array::from_fn(|i| {
                let out = lines[i][place[i]] * feedback[i];
                low[i] = out + (low[i] - out) * self.damping;
                low[i]
            });
            let sound = v[0] - v[1] + v[2] - v[3] + v[4] - v[5] + v[6] - v[7];
            hadamard(&mut v);
            for i in 0..LINES {
                lines[i][place[i]] = input + v[i];
                place[i] = if place[i] + 1 == lines[i].len() { 0 } else { place[i] + 1 };
            }
            *x += wet * sound;
        }
    }
}

/// An orthogonal mixture of the lines.
fn hadamard(v: &mut [f32; LINES]) {
    let mut half = 1;
    while half < LINES {
        for start in (0..LINES).step_by(2 * half) {
            for i in start..start + half {
                (v[i], v[i + half]) = (v[i] + v[i + half], v[i] - v[i + half]);
            }
        }
        half *= 2;
    }
    v.iter_mut().for_each(|x| *x *= 0.125f32.sqrt());
}

/// Echoes `seconds` apart, each `feedback` times the one before.
pub fn echo(samples: &mut [f32], seconds: f32, feedback: f32, wet: f32) {
    let mut line = vec![0.0; (seconds * SAMPLE_RATE as f32) as usize + 1];
    let mut place = 0;
    for x in samples {
        let heard = line[place];
        line[place] = *x + feedback * heard;
        place = if place + 1 == line.len() { 0 } else { place + 1 };
        *x += wet * heard;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::active_rms;

    #[test]
    fn tail_falls_by_60_db_in_its_time() {
        let room = Reverb { decay: 1.0, size: 1.0, damping: 0.0, wet: 1.0, delay: 0.0 };
        let mut x = vec![0.0; SAMPLE_RATE * 2];
        x[0] = 1.0;
        room.run(&mut x);
        let early = active_rms(&x[SAMPLE_RATE / 10..SAMPLE_RATE * 2 / 10]);
        let late = active_rms(&x[SAMPLE_RATE * 6 / 10..SAMPLE_RATE * 7 / 10]);
        let fallen = 20.0 * (early / late).log10();
        assert!((fallen - 30.0).abs() < 6.0, "{fallen} dB in half a second");
    }
}
