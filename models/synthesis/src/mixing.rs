//! Mixing a voice with its accompaniment, and what happens to the mix until somebody hears it.

use super::effects::biquad::Biquad;
use super::effects::{codec, dynamics, lofi, noise};
use super::level::{active_rms, from_db};
use super::random::Draw;
use super::{Example, LABEL_HOP};
use qbh_models::PitchTrack;

/// Range of the voice's level over the accompaniment's, dB.
pub const BALANCE: (f32, f32) = (-6.0, 11.0);

/// What a mix consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Voice and accompaniment.
    Song,
    /// A voice and background noise.
    Voice,
    /// No voice.
    Instrumental,
}

impl Mode {
    /// 66 % songs, 18 % voices, 16 % instrumentals.
    pub fn draw(draw: &mut Draw) -> Self {
        [Mode::Song, Mode::Voice, Mode::Instrumental][draw.weighted(&[0.66, 0.18, 0.16])]
    }
}

/// Mixes equally long signals at a random balance, adds noise, colours and degrades the mix. `f0` has a value per 10 ms.
pub fn mix(mode: Mode, voice: Vec<f32>, accompaniment: Vec<f32>, f0: Vec<f32>, draw: &mut Draw) -> Example {
    mix_at(mode, BALANCE, voice, accompaniment, f0, draw)
}

/// As [`mix`], at a balance of the given range (dB).
pub fn mix_at(
    mode: Mode,
    balance: (f32, f32),
    mut voice: Vec<f32>,
    mut accompaniment: Vec<f32>,
    mut f0: Vec<f32>,
    draw: &mut Draw,
) -> Example {
    let samples = voice.len();
    // A crop that only holds the end of a reverberation stays quiet.
    let scale = |x: &mut [f32], level: f32| {
        let gain = level / active_rms(x).max(0.03);
        x.iter_mut().for_each(|s| *s *= gain);
    };
    match mode {
        Mode::Song => {
            let balance = from_db(draw.range(balance.0, balance.1));
            scale(&mut voice, 0.1 * balance);
            scale(&mut accompaniment, 0.1);
        }
        Mode::Voice => {
            scale(&mut voice, 0.1);
            accompaniment.fill(0.0);
        }
        Mode::Instrumental => {
            scale(&mut accompaniment, 0.1);
            voice.fill(0.0);
            f0.fill(0.0);
        }
    }
    let noisy = if mode == Mode::Voice { 0.85 } else { 0.2 };
    if draw.chance(noisy) {
        let level = 0.1 * from_db(-if mode == Mode::Voice { draw.range(8.0, 55.0) } else { draw.range(15.0, 40.0) });
        let background = noise::background(samples, draw);
        accompaniment.iter_mut().zip(&background).for_each(|(a, x)| *a += level * x);
    }
    let mut mix: Vec<f32> = voice.iter().zip(&accompaniment).map(|(v, a)| v + a).collect();
    colour(&mut mix, draw);
    // The parts move with the mix, so that they add up to it but for the colouring.
    let now = active_rms(&mix);
    let gain = if now > 1e-6 { 0.1 * from_db(draw.range(-8.0, 5.0)) / now } else { 1.0 };
    mix.iter_mut().for_each(|x| *x *= gain);
    let gain = gain * dynamics::limit_peak(&mut mix, 0.99);
    voice.iter_mut().chain(&mut accompaniment).for_each(|x| *x *= gain);
    f0.resize(samples.div_ceil(LABEL_HOP), 0.0);
    Example { mix, voice, accompaniment, pitch: PitchTrack::from_f0(f0), weight: Vec::new() }
}

/// Equalises, limits the band, compresses, clips and codes badly, each sometimes.
pub fn colour(mix: &mut [f32], draw: &mut Draw) {
    if draw.chance(0.5) {
        Biquad::low_shelf(draw.log_range(80.0, 400.0), draw.range(-10.0, 8.0), draw.range(0.3, 0.9)).run(mix);
    }
    if draw.chance(0.5) {
        Biquad::high_shelf(draw.log_range(1000.0, 4000.0), draw.range(-12.0, 10.0), draw.range(0.3, 0.9)).run(mix);
    }
    if draw.chance(0.5) {
        Biquad::peak(draw.log_range(150.0, 4500.0), draw.range(-9.0, 9.0), draw.range(0.5, 2.0)).run(mix);
    }
    match draw.weighted(&[0.7, 0.15, 0.1, 0.05]) {
        0 => {}
        1 => {
            let corner = draw.log_range(2500.0, 6000.0);
            Biquad::low_pass(corner, 0.54).run(mix);
            Biquad::low_pass(corner, 1.3).run(mix);
        }
        2 => Biquad::high_pass(draw.log_range(60.0, 300.0), 0.7).run(mix),
        _ => {
            // A telephone.
            Biquad::high_pass(draw.range(200.0, 350.0), 0.7).run(mix);
            Biquad::low_pass(draw.range(3000.0, 3700.0), 0.9).run(mix);
            lofi::mu_law(mix, 8);
        }
    }
    if draw.chance(0.3) {
        dynamics::compress(mix, draw.range(0.1, 0.6));
    }
    if draw.chance(0.12) {
        dynamics::overdrive(mix, draw.range(0.5, 4.0));
    }
    if draw.chance(0.1) {
        codec::transform_code(mix, draw.range(6.0, 20.0));
    }
    if draw.chance(0.06) {
        lofi::quantise(mix, draw.integer(6, 10) as u32);
    }
    if draw.chance(0.04) {
        lofi::decimate(mix, draw.index(2) + 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SAMPLE_RATE;

    #[test]
    fn balance_is_within_its_range() {
        let tone = |f: f32| (0..SAMPLE_RATE).map(|n| (n as f32 * f).sin()).collect::<Vec<f32>>();
        for seed in 0..50 {
            let example = mix(Mode::Song, tone(0.2), tone(0.1), vec![509.0; 100], &mut Draw::new(seed));
            // Noise, at most 15 dB below, is part of the accompaniment.
            let balance = 20.0 * (active_rms(&example.voice) / active_rms(&example.accompaniment)).log10();
            assert!((BALANCE.0 - 0.3..BALANCE.1 + 0.1).contains(&balance), "{balance} dB");
            assert!(example.mix.iter().all(|x| x.abs() <= 1.0));
            let still = mix(Mode::Instrumental, tone(0.2), tone(0.1), vec![509.0; 100], &mut Draw::new(seed));
            assert!(still.voice.iter().all(|x| *x == 0.0) && still.pitch.f0.iter().all(|f| *f == 0.0));
        }
    }
}
