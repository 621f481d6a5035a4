//! The studio: records pieces, each a voice and what accompanies it, in one key and one tempo.

use super::accompaniment::arrange::{Score, arrange};
use super::accompaniment::choir::choir;
use super::accompaniment::harmony::{Key, chords, grid};
use super::accompaniment::play;
use super::accompaniment::soundfont::SoundFont;
use super::effects::biquad::Biquad;
use super::effects::dynamics::{compress, overdrive};
use super::effects::reverb::{Reverb, echo};
use super::melody::{MelodySource, Passage, median_pitch};
use super::mixing::{Mode, mix};
use super::random::Draw;
use super::voice::speech::SpeechBank;
use super::voice::{Kind, VoiceStyle, sing};
use super::{Example, LABEL_HOP, SAMPLE_RATE, level};
use qbh_models::Note;

/// How many whistles lie lower than anybody whistles: bare tones of any making (an ocarina, a telephone's melody).
const LOW_WHISTLES: f32 = 0.25;

/// What the studio works with.
#[derive(Debug, Clone, Default)]
pub struct StudioConfig {
    /// The tunes.
    pub melodies: MelodySource,
    /// SoundFonts for the accompaniment; built-in instruments when there are none, and in a quarter of the pieces.
    pub soundfonts: Vec<SoundFont>,
    /// Speakers whose recorded speech most voices are made of; voices are modelled by formants when there are none.
    pub speech: SpeechBank,
}

/// Renders pieces and examples; every one is a function of its seed alone.
#[derive(Debug, Clone)]
pub struct Studio {
    pub(super) config: StudioConfig,
}

/// A piece before mixing. The signals have an active level of 0.1.
#[derive(Debug, Clone, Default)]
pub struct Stems {
    /// The voice with its effects.
    pub voice: Vec<f32>,
    /// The accompaniment; empty for a voice recorded alone.
    pub accompaniment: Vec<f32>,
    /// f0 of the voice in Hz per 10 ms, 0 = unvoiced. Echoes and reverberation are unvoiced.
    pub f0: Vec<f32>,
}

impl Studio {
    /// A studio.
    pub fn new(config: StudioConfig) -> Self {
        Studio { config }
    }

    /// Renders `seconds` of a piece and mixes it; songs, voices and instrumentals come in the bank's proportions.
    pub fn example(&self, seed: u64, seconds: f32) -> Example {
        let mut draw = Draw::stream(seed, 1);
        let mode = Mode::draw(&mut draw);
        self.mixed(mode, seed, seconds, &mut draw)
    }

    /// As [`Studio::example`], of the given kind.
    pub fn example_as(&self, mode: Mode, seed: u64, seconds: f32) -> Example {
        self.mixed(mode, seed, seconds, &mut Draw::stream(seed, 1))
    }

    fn mixed(&self, mode: Mode, seed: u64, seconds: f32, draw: &mut Draw) -> Example {
        let mut stems = self.piece(seed, seconds, mode != Mode::Voice);
        stems.accompaniment.resize(stems.voice.len(), 0.0);
        mix(mode, stems.voice, stems.accompaniment, stems.f0, draw)
    }

    /// Renders a piece: four of five with accompaniment, the others a voice alone, often humming or whistling.
    pub fn stems(&self, seed: u64, seconds: f32) -> Stems {
        let song = Draw::stream(seed, 2).chance(0.8);
        self.piece(seed, seconds, song)
    }

    fn piece(&self, seed: u64, seconds: f32, song: bool) -> Stems {
        let draw = &mut Draw::stream(seed, 3);
        let samples = (seconds * SAMPLE_RATE as f32) as usize;
        let passage = self.config.melodies.passage(seconds, draw);
        let kinds = if song { [0.95, 0.05, 0.0] } else { [0.4, 0.35, 0.25] };
        let kind = [Kind::Sung, Kind::Hummed, Kind::Whistled][draw.weighted(&kinds)];
        let mut style = VoiceStyle::draw(kind, draw);
        if kind == Kind::Whistled && draw.chance(LOW_WHISTLES) {
            style.register = draw.range(55.0, 76.0);
        }
        style.borrow_voice(&self.config.speech, draw);
        let notes = to_register(&passage, style.register);
        let (sung, solos) = if song { share(&notes, seconds, draw) } else { (notes.clone(), Vec::new()) };
        let mut stems = record_voice(&sung, &style, samples, song, draw);
        if song {
            let grid = grid(&notes, passage.beat, draw);
            let key = Key::of(&notes);
            let chords = chords(&notes, key, &grid, seconds, draw);
            let score = Score { voice: &sung, solos: &solos, key, grid, chords: &chords, seconds };
            let arrangement = arrange(&score, draw);
            stems.accompaniment = play(&arrangement, &self.config.soundfonts, samples, draw);
            if draw.chance(0.15) {
                let gain = level::from_db(draw.range(-15.0, -4.0));
                let voices = choir(&score, &self.config.speech, samples, draw);
                stems.accompaniment.iter_mut().zip(&voices).for_each(|(a, x)| *a += gain * x);
            }
        }
        stems
    }
}

/// Sings notes and treats the voice as producers do, or for a voice alone as rooms and telephones do.
fn record_voice(notes: &[Note], style: &VoiceStyle, samples: usize, song: bool, draw: &mut Draw) -> Stems {
    let sung = sing(notes, style, samples, draw);
    let mut voice = sung.samples.clone();
    let mut add = |other: Vec<f32>, gain: f32, late: usize| {
        voice.iter_mut().skip(late).zip(&other).for_each(|(v, x)| *v += gain * x);
    };
    if song {
        match draw.weighted(&[0.67, 0.2, 0.13]) {
            0 => {}
            1 => {
                let late = (draw.range(0.002, 0.03) * SAMPLE_RATE as f32) as usize;
                add(sung.again(0.0, draw.range(0.05, 0.15), draw), draw.range(0.4, 0.95), late);
            }
            _ => {
                let interval = draw.pick(&[3.0, 4.0, 5.0, 7.0, -5.0, -3.0, -4.0, -12.0, 12.0]);
                add(sung.again(interval, 0.05, draw), level::from_db(draw.range(-14.0, -4.0)), 0);
            }
        }
    }
    if draw.chance(0.15) {
        overdrive(&mut voice, draw.range(0.5, 2.5));
    }
    if draw.chance(0.6) {
        compress(&mut voice, draw.range(0.1, 0.6));
    }
    if song && draw.chance(0.6) {
        Biquad::high_pass(draw.range(60.0, 180.0), 0.7).run(&mut voice);
        Biquad::high_shelf(draw.range(2000.0, 5000.0), draw.range(0.0, 13.0), 0.7).run(&mut voice);
    }
    // What follows is the room's: it sounds on when the voice has ended.
    let mut f0 = sung.audible(&voice);
    f0.resize(samples.div_ceil(LABEL_HOP), 0.0);
    if song && draw.chance(0.15) {
        echo(&mut voice, draw.range(0.08, 0.5), draw.range(0.1, 0.5), draw.range(0.1, 0.4));
    }
    if draw.chance(0.65) {
        Reverb::draw(draw).run(&mut voice);
    }
    level::normalise(&mut voice, 0.1);
    Stems { voice, accompaniment: Vec::new(), f0 }
}

/// Transposes a passage by whole semitones so that its median pitch is `register`; what no voice reaches is left out.
fn to_register(passage: &Passage, register: f32) -> Vec<Note> {
    let shift = (register - median_pitch(&passage.notes)).round();
    let shifted = passage.notes.iter().map(|n| Note { pitch: n.pitch + shift, ..*n });
    shifted.filter(|n| (36.0..=102.0).contains(&n.pitch)).collect()
}

/// Gives stretches of the melody to an instrument, and lets the voice pause in others: (sung, solos).
fn share(notes: &[Note], seconds: f32, draw: &mut Draw) -> (Vec<Note>, Vec<Note>) {
    let mut stretch = |probability: f32, length: (f32, f32)| {
        let length = draw.range(length.0, length.1).min(0.4 * seconds);
        let start = draw.range(0.0, seconds - length);
        if draw.chance(probability) { start..start + length } else { 0.0..0.0 }
    };
    let solo = stretch(0.45, (6.0, 15.0));
    let pauses = [stretch(0.3, (1.0, 6.0)), stretch(0.3, (1.0, 6.0))];
    let (solos, rest): (Vec<Note>, Vec<Note>) = notes.iter().partition(|n| solo.contains(&n.onset));
    let sung = rest.into_iter().filter(|n| !pauses.iter().any(|p| p.contains(&n.onset))).collect();
    (sung, solos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_repeat_by_seed_and_stay_in_bounds() {
        let studio = Studio::new(StudioConfig::default());
        let mut modes = [0; 2];
        for seed in 0..12 {
            let example = studio.example(seed, 4.0);
            assert_eq!(example.mix.len(), 4 * SAMPLE_RATE);
            assert_eq!(example.voice.len(), example.mix.len());
            assert_eq!(example.accompaniment.len(), example.mix.len());
            assert_eq!(example.pitch.len(), 400);
            assert!(example.mix.iter().all(|x| x.is_finite() && x.abs() <= 1.0));
            assert!(example.pitch.f0.iter().all(|&f| f == 0.0 || (60.0..4000.0).contains(&f)));
            modes[usize::from(example.pitch.f0.iter().any(|f| *f > 0.0))] += 1;
        }
        assert!(modes[0] > 0 && modes[1] > 6, "{modes:?}");
        let (a, b, c) = (studio.example(5, 3.0), studio.example(5, 3.0), studio.example(6, 3.0));
        assert!(a.mix == b.mix && a.pitch == b.pitch);
        assert!(a.mix != c.mix);
    }

    #[test]
    fn the_voice_is_silent_where_it_is_labelled_unvoiced_for_long() {
        let notes = [Note { onset: 0.5, duration: 1.0, pitch: 60.0 }, Note { onset: 3.0, duration: 1.0, pitch: 62.0 }];
        let stems = record_voice(&notes, &VoiceStyle::clean(), 5 * SAMPLE_RATE, false, &mut Draw::new(8));
        assert!(stems.f0[60..140].iter().all(|f| *f > 0.0));
        assert!(stems.f0[..40].iter().chain(&stems.f0[180..280]).chain(&stems.f0[420..]).all(|f| *f == 0.0));
    }
}
