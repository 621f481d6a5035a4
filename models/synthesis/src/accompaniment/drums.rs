//! Drums by synthesis: swept tones and filtered noise.

use std::f32::consts::TAU;

use crate::SAMPLE_RATE;
use crate::effects::biquad::Biquad;
use crate::random::Draw;

/// The pieces of a kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drum {
    /// Bass drum.
    Kick,
    /// Snare drum.
    Snare,
    /// Side stick.
    Rim,
    /// Hand clap.
    Clap,
    /// Closed hi-hat.
    Hat,
    /// Open hi-hat.
    OpenHat,
    /// Ride cymbal.
    Ride,
    /// Crash cymbal.
    Crash,
    /// Shaker.
    Shaker,
    /// Tambourine.
    Tambourine,
    /// High tom.
    HighTom,
    /// Low tom.
    LowTom,
}

/// All pieces.
pub const KIT: [Drum; 12] = [
    Drum::Kick,
    Drum::Snare,
    Drum::Rim,
    Drum::Clap,
    Drum::Hat,
    Drum::OpenHat,
    Drum::Ride,
    Drum::Crash,
    Drum::Shaker,
    Drum::Tambourine,
    Drum::HighTom,
    Drum::LowTom,
];

/// A stroke.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Seconds.
    pub time: f32,
    /// What is struck.
    pub drum: Drum,
    /// Loudness 0..=1.
    pub velocity: f32,
}

impl Drum {
    /// Key on the General MIDI percussion channel.
    pub fn midi_key(self) -> i32 {
        match self {
            Drum::Kick => 36,
            Drum::Snare => 38,
            Drum::Rim => 37,
            Drum::Clap => 39,
            Drum::Hat => 42,
            Drum::OpenHat => 46,
            Drum::Ride => 51,
            Drum::Crash => 49,
            Drum::Shaker => 70,
            Drum::Tambourine => 54,
            Drum::HighTom => 48,
            Drum::LowTom => 43,
        }
    }

    /// One stroke at full loudness, with the sound of a random kit.
    fn sound(self, draw: &mut Draw) -> Vec<f32> {
        match self {
            Drum::Kick => tone(draw.range(42.0, 65.0), draw.range(2.0, 5.0), 0.03, draw.range(0.08, 0.25), 0.05, draw),
            Drum::HighTom => tone(draw.range(130.0, 200.0), 1.5, 0.06, draw.range(0.12, 0.3), 0.05, draw),
            Drum::LowTom => tone(draw.range(75.0, 120.0), 1.5, 0.06, draw.range(0.15, 0.35), 0.05, draw),
            Drum::Snare => {
                let mut sound = tone(draw.range(160.0, 240.0), 1.4, 0.02, draw.range(0.04, 0.1), 0.1, draw);
                let rattle = burst(draw.range(1200.0, 4000.0), draw.range(0.3, 0.8), draw.range(0.06, 0.22), draw);
                mix(&mut sound, &rattle, draw.range(0.5, 1.5));
                sound
            }
            Drum::Rim => tone(draw.range(400.0, 1700.0), 1.2, 0.005, 0.02, 0.3, draw),
            Drum::Clap => {
                let one = burst(draw.range(900.0, 2000.0), 1.0, draw.range(0.05, 0.15), draw);
                let mut sound = one.clone();
                for n in 1..3 {
                    let late: Vec<f32> = vec![0.0; n * SAMPLE_RATE / 90].into_iter().chain(one.iter().copied()).collect();
                    mix(&mut sound, &late, 0.8);
                }
                sound
            }
            Drum::Hat => burst(draw.range(5500.0, 7500.0), 0.8, draw.range(0.015, 0.05), draw),
            Drum::OpenHat => burst(draw.range(5000.0, 7500.0), 0.7, draw.range(0.1, 0.3), draw),
            Drum::Ride => burst(draw.range(4000.0, 6500.0), 1.5, draw.range(0.2, 0.5), draw),
            Drum::Crash => burst(draw.range(3000.0, 5500.0), 0.4, draw.range(0.5, 1.2), draw),
            Drum::Shaker => burst(draw.range(4500.0, 7000.0), 1.2, draw.range(0.02, 0.06), draw),
            Drum::Tambourine => burst(draw.range(5500.0, 7400.0), 2.5, draw.range(0.05, 0.15), draw),
        }
    }
}

/// A decaying tone that falls to `frequency` from `rise` times it, with a click of noise.
fn tone(frequency: f32, rise: f32, fall: f32, decay: f32, click: f32, draw: &mut Draw) -> Vec<f32> {
    let mut phase = 0.0;
    (0..(6.0 * decay * SAMPLE_RATE as f32) as usize)
        .map(|n| {
            let t = n as f32 / SAMPLE_RATE as f32;
            phase += frequency * (1.0 + (rise - 1.0) * (-t / fall).exp()) / SAMPLE_RATE as f32;
            (TAU * phase).sin() * (-t / decay).exp() + click * draw.white() * (-t / 0.003).exp()
        })
        .collect()
}

/// Decaying noise around a frequency.
fn burst(frequency: f32, q: f32, decay: f32, draw: &mut Draw) -> Vec<f32> {
    let mut filter = Biquad::band_pass(frequency, q);
    (0..(6.0 * decay * SAMPLE_RATE as f32) as usize)
        .map(|n| filter.step(draw.white()) * (-(n as f32) / SAMPLE_RATE as f32 / decay).exp())
        .collect()
}

fn mix(into: &mut Vec<f32>, other: &[f32], gain: f32) {
    into.resize(into.len().max(other.len()), 0.0);
    into.iter_mut().zip(other).for_each(|(a, b)| *a += gain * b);
}

/// Plays strokes on a random kit.
pub fn play(hits: &[Hit], samples: usize, draw: &mut Draw) -> Vec<f32> {
    let kit: Vec<(Vec<f32>, f32)> = KIT
        .iter()
        .map(|drum| {
            let balance = if matches!(drum, Drum::Kick | Drum::Snare) { draw.range(0.7, 1.0) } else { draw.range(0.15, 0.6) };
            (drum.sound(draw), balance)
        })
        .collect();
    let mut audio = vec![0.0; samples];
    for hit in hits {
        let start = (hit.time * SAMPLE_RATE as f32) as usize;
        let (sound, balance) = &kit[hit.drum as usize];
        if let Some(rest) = audio.get_mut(start..) {
            rest.iter_mut().zip(sound).for_each(|(a, x)| *a += hit.velocity * balance * x);
        }
    }
    audio
}
