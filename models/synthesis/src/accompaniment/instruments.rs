//! Built-in instruments: strings that are plucked (Karplus-Strong), waves with an envelope (organs, bows, winds, synthesizers,
//! hammered strings), and frequency modulation (bells, electric pianos).

use std::collections::HashMap;
use std::f32::consts::TAU;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;

use super::arrange::{Played, Role, Track};
use crate::SAMPLE_RATE;
use crate::effects::dynamics::overdrive;
use crate::random::Draw;
use qbh_models::pitch::midi_to_hz;

const RATE: f32 = SAMPLE_RATE as f32;
/// Samples in one period of a wave.
const TABLE: usize = 1024;

/// An instrument.
#[derive(Debug, Clone)]
enum Patch {
    Plucked { decay: f32, brightness: f32, position: f32 },
    Wave(Wave),
    Modulated { ratio: f32, index: f32, index_decay: f32, decay: f32 },
}

/// A periodic wave, bright at first and duller later.
#[derive(Debug, Clone)]
struct Wave {
    /// Amplitude of harmonic k is k^-slope.
    slope: f32,
    /// How much steeper it gets while the note lasts.
    dulling: f32,
    /// Amplitude of even harmonics beside odd ones.
    even: f32,
    /// A resonance of the body: Hz and gain.
    body: (f32, f32),
    attack: f32,
    /// Time constant of the decay, s; infinite for held tones.
    decay: f32,
    release: f32,
    vibrato: (f32, f32),
    /// Detuning of a second oscillator, semitones; 0 for none.
    detune: f32,
    /// Time constant of glides between notes that follow each other, s; 0 for none.
    glide: f32,
}

impl Patch {
    fn draw(role: Role, draw: &mut Draw) -> Patch {
        let kind = match role {
            Role::Bass => draw.weighted(&[0.45, 0.45, 0.1]),
            Role::Comp => draw.weighted(&[0.35, 0.5, 0.15]),
            Role::Lead => draw.weighted(&[0.25, 0.65, 0.1]),
        };
        match kind {
            0 => Patch::Plucked {
                decay: draw.log_range(0.4, 4.0),
                brightness: draw.range(0.2, 0.95),
                position: draw.range(0.07, 0.45),
            },
            1 => Patch::Wave(Wave::draw(role, draw)),
            _ => Patch::Modulated {
                ratio: draw.pick(&[1.0, 1.0, 2.0, 3.0, 3.5, 1.41, 7.0]),
                index: draw.range(0.5, 4.0),
                index_decay: draw.log_range(0.05, 0.8),
                decay: draw.log_range(0.3, 2.5),
            },
        }
    }
}

impl Wave {
    fn draw(role: Role, draw: &mut Draw) -> Wave {
        let hammered = draw.chance(if role == Role::Lead { 0.2 } else { 0.4 });
        let moving = !hammered && role == Role::Lead;
        Wave {
            slope: draw.range(0.8, 2.6),
            dulling: if hammered { draw.range(0.3, 1.5) } else { draw.range(0.0, 0.3) },
            even: if draw.chance(0.3) { draw.range(0.05, 0.5) } else { 1.0 },
            body: (draw.log_range(300.0, 3000.0), draw.range(0.0, 4.0)),
            attack: if hammered { 0.003 } else { draw.log_range(0.008, 0.15) },
            decay: if hammered { draw.log_range(0.4, 3.0) } else { f32::INFINITY },
            release: draw.log_range(0.02, 0.3),
            vibrato: if moving && draw.chance(0.7) { (draw.range(4.5, 7.0), draw.range(0.05, 0.6)) } else { (5.0, 0.0) },
            detune: if draw.chance(0.4) { draw.range(0.03, 0.2) } else { 0.0 },
            glide: if moving && draw.chance(0.4) { draw.range(0.01, 0.06) } else { 0.0 },
        }
    }

    /// One period of the wave of `f0` at a slope, without harmonics that would alias.
    fn table(&self, f0: f32, slope: f32, planner: &mut FftPlanner<f32>, phases: &[f32]) -> Vec<f32> {
        let mut spectrum = vec![Complex32::default(); TABLE];
        let count = ((0.46 * RATE / f0) as usize).clamp(1, phases.len());
        for k in 1..=count {
            let f = k as f32 * f0;
            let off = (f / self.body.0).log2() / 0.5;
            let resonance = 1.0 + self.body.1 / (1.0 + off * off);
            let parity = if k % 2 == 0 { self.even } else { 1.0 };
            spectrum[k] = Complex32::cis(phases[k - 1]) * ((k as f32).powf(-slope) * parity * resonance);
        }
        planner.plan_fft_inverse(TABLE).process(&mut spectrum);
        let mut wave: Vec<f32> = spectrum.iter().map(|z| z.re).collect();
        wave.push(wave[0]);
        wave
    }
}

/// Plays a track on a random instrument.
pub fn play(track: &Track, samples: usize, draw: &mut Draw) -> Vec<f32> {
    let mut audio = vec![0.0; samples];
    let patch = Patch::draw(track.role, draw);
    match &patch {
        Patch::Plucked { decay, brightness, position } => {
            for played in &track.notes {
                pluck(played, *decay, *brightness, *position, &mut audio, draw);
            }
        }
        Patch::Wave(wave) => play_wave(wave, &track.notes, &mut audio, draw),
        Patch::Modulated { ratio, index, index_decay, decay } => {
            for played in &track.notes {
                modulate(played, [*ratio, *index, *index_decay, *decay], &mut audio);
            }
        }
    }
    let distorted = draw.chance(if matches!(patch, Patch::Plucked { .. }) { 0.4 } else { 0.12 });
    if distorted {
        overdrive(&mut audio, draw.range(1.5, 12.0));
    }
    audio
}

/// Where a note begins and ends, in samples; nothing when it lies outside.
fn span(played: &Played, samples: usize) -> Option<(usize, usize)> {
    let start = (played.note.onset.max(0.0) * RATE) as usize;
    let end = (played.note.offset() * RATE).max(0.0) as usize;
    (start < samples && end > start).then_some((start, end))
}

/// Karplus and Strong, "Digital synthesis of plucked-string and drum timbres" (CMJ 7(2), 1983), with fractional tuning.
fn pluck(played: &Played, decay: f32, brightness: f32, position: f32, audio: &mut [f32], draw: &mut Draw) {
    let Some((start, end)) = span(played, audio.len()) else { return };
    let period = RATE / midi_to_hz(played.note.pitch);
    // The loss filter delays by its own weight of the older sample.
    let older = 0.5 * (1.0 - brightness);
    let delay = period - older - 0.5;
    if delay < 4.0 {
        return;
    }
    let whole = delay as usize;
    // An all-pass makes up the fraction (plus the half sample left over).
    let fraction = delay - whole as f32 + 0.5;
    let allpass = (1.0 - fraction) / (1.0 + fraction);
    let loss = 10.0f32.powf(-3.0 * period / RATE / decay);
    let damped = 10.0f32.powf(-3.0 * period / RATE / 0.12);
    let mut string: Vec<f32> = (0..whole).map(|_| draw.white()).collect();
    // Plucking at a point cancels the harmonics with a node there; a soft finger dulls the rest.
    let comb = ((position * period) as usize).clamp(1, whole);
    let soft = 1.0 - 0.7 * brightness;
    let mut low = 0.0;
    for x in &mut string {
        low += (*x - low) * (1.0 - soft);
        *x = low;
    }
    let plain = string.clone();
    for n in 0..whole {
        string[n] -= 0.9 * plain[(n + whole - comb) % whole];
    }
    let (mut place, mut last, mut x1, mut y1) = (0, 0.0, 0.0, 0.0);
    let tail = (end + SAMPLE_RATE / 8).min(audio.len());
    for (n, out) in audio[start..tail].iter_mut().enumerate() {
        let x = string[place];
        let filtered = (x + (last - x) * older) * if start + n < end { loss } else { damped };
        last = x;
        let y = allpass * (filtered - y1) + x1;
        (x1, y1) = (filtered, y);
        string[place] = y;
        place = if place + 1 == whole { 0 } else { place + 1 };
        *out += played.velocity * y;
    }
}

fn play_wave(wave: &Wave, notes: &[Played], audio: &mut [f32], draw: &mut Draw) {
    let mut planner = FftPlanner::new();
    let phases: Vec<f32> = (0..160).map(|_| draw.range(0.0, TAU)).collect();
    let mut tables: HashMap<i32, (Vec<f32>, Vec<f32>)> = HashMap::new();
    let mut before: Option<Played> = None;
    for played in notes {
        let Some((start, end)) = span(played, audio.len()) else { continue };
        let key = (played.note.pitch / 3.0).floor() as i32;
        let (bright, dull) = tables.entry(key).or_insert_with(|| {
            let f0 = midi_to_hz(3.0 * (key + 1) as f32);
            (wave.table(f0, wave.slope, &mut planner, &phases), wave.table(f0, wave.slope + wave.dulling, &mut planner, &phases))
        });
        let joined = before.filter(|b| wave.glide > 0.0 && (played.note.onset - b.note.offset()).abs() < 0.05);
        let bend = joined.map_or(0.0, |b| b.note.pitch - played.note.pitch);
        before = Some(*played);
        let tail = (end + (5.0 * wave.release * RATE) as usize).min(audio.len());
        let step = TABLE as f32 * midi_to_hz(played.note.pitch) / RATE;
        let mut place = [draw.range(0.0, TABLE as f32), draw.range(0.0, TABLE as f32)];
        let detuned = (wave.detune / 12.0).exp2();
        let (mut gain, mut speed, mut dullness) = (0.0f32, 1.0f32, 0.0f32);
        let mut target = 0.0;
        for (n, out) in audio[start..tail].iter_mut().enumerate() {
            if n % 32 == 0 {
                let t = n as f32 / RATE;
                let held = (end - start) as f32 / RATE;
                let closing = if t > held { (-(t - held) / wave.release).exp() } else { 1.0 };
                target = (t / wave.attack).min(1.0) * (-t / wave.decay).exp() * closing * played.velocity;
                dullness = 1.0 - (-2.0 * t / wave.decay.min(2.0)).exp();
                let depth = wave.vibrato.1 * ((t - 0.15) / 0.3).clamp(0.0, 1.0);
                let glide = if bend == 0.0 { 0.0 } else { bend * (-t / wave.glide).exp() };
                speed = step * ((depth * (TAU * wave.vibrato.0 * t).sin() + glide) / 12.0).exp2();
            }
            gain += (target - gain) * 0.02;
            let mut x = read(bright, dull, place[0], dullness);
            place[0] = advance(place[0], speed);
            if wave.detune > 0.0 {
                x = 0.6 * (x + read(bright, dull, place[1], dullness));
                place[1] = advance(place[1], speed * detuned);
            }
            *out += gain * x;
        }
    }
}

fn advance(place: f32, step: f32) -> f32 {
    let next = place + step;
    if next >= TABLE as f32 { next - TABLE as f32 } else { next }
}

fn read(bright: &[f32], dull: &[f32], place: f32, dullness: f32) -> f32 {
    let i = (place as usize).min(TABLE - 1);
    let part = place - i as f32;
    let a = bright[i] + (bright[i + 1] - bright[i]) * part;
    let b = dull[i] + (dull[i + 1] - dull[i]) * part;
    a + (b - a) * dullness
}

/// Chowning, "The synthesis of complex audio spectra by means of frequency modulation" (JAES 21(7), 1973).
fn modulate(played: &Played, [ratio, index, index_decay, decay]: [f32; 4], audio: &mut [f32]) {
    let Some((start, end)) = span(played, audio.len()) else { return };
    let f0 = midi_to_hz(played.note.pitch);
    if f0 * ratio > 0.4 * RATE {
        return;
    }
    // Sidebands stay below the Nyquist frequency.
    let index = index.min((0.45 * RATE - f0) / (f0 * ratio) - 1.0).max(0.0);
    let tail = (end + SAMPLE_RATE / 4).min(audio.len());
    let (mut carrier, mut modulator) = (0.0f32, 0.0f32);
    let (mut depth, mut gain) = (index, played.velocity);
    let (depth_loss, loss, damped) =
        ((-1.0 / (index_decay * RATE)).exp(), (-1.0 / (decay * RATE)).exp(), (-1.0 / (0.05 * RATE)).exp());
    for (n, out) in audio[start..tail].iter_mut().enumerate() {
        let x = (TAU * carrier + depth * (TAU * modulator).sin()).sin();
        *out += gain * x * (n as f32 / 48.0).min(1.0);
        carrier = (carrier + f0 / RATE).fract();
        modulator = (modulator + ratio * f0 / RATE).fract();
        depth *= depth_loss;
        gain *= if start + n < end { loss } else { damped };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::Note;

    /// Frequency of the strongest autocorrelation eight periods of about `expected` Hz away.
    fn measured(audio: &[f32], expected: f32) -> f32 {
        let lag = 8.0 * RATE / expected;
        let correlation = |lag: usize| -> f32 { (2000..8000).map(|n| audio[n] * audio[n + lag]).sum() };
        let best = (0.95 * lag) as usize..(1.05 * lag) as usize;
        let best = best.max_by(|a, b| correlation(*a).total_cmp(&correlation(*b))).unwrap();
        let [a, b, c] = [best - 1, best, best + 1].map(correlation);
        8.0 * RATE / (best as f32 + 0.5 * (a - c) / (a - 2.0 * b + c))
    }

    #[test]
    fn strings_and_waves_are_in_tune() {
        for pitch in [40.0, 52.0, 64.0] {
            let played = Played { note: Note { onset: 0.0, duration: 1.0, pitch }, velocity: 0.8 };
            let mut audio = vec![0.0; SAMPLE_RATE];
            pluck(&played, 3.0, 0.5, 0.2, &mut audio, &mut Draw::new(1));
            let f0 = midi_to_hz(pitch);
            let cents = 1200.0 * (measured(&audio, f0) / f0).log2();
            assert!(cents.abs() < 6.0, "plucked {pitch}: {cents} cents");
            let mut wave = Wave::draw(Role::Comp, &mut Draw::new(2));
            (wave.detune, wave.vibrato.1) = (0.0, 0.0);
            let mut audio = vec![0.0; SAMPLE_RATE];
            play_wave(&wave, &[played], &mut audio, &mut Draw::new(3));
            let cents = 1200.0 * (measured(&audio, f0) / f0).log2();
            assert!(cents.abs() < 5.0, "wave {pitch}: {cents} cents");
        }
    }
}
