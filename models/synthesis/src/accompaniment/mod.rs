//! Accompaniment: chords that fit the melody ([`harmony`]), parts that play them ([`arrange`]), and two ways to make them
//! sound: built-in instruments ([`instruments`], [`drums`]) and a SoundFont ([`soundfont`]).

pub mod arrange;
pub mod choir;
pub mod drums;
pub mod harmony;
pub mod instruments;
pub mod soundfont;

use super::effects::biquad::Biquad;
use super::effects::dynamics::{compress, overdrive};
use super::effects::phaser::Phaser;
use super::effects::reverb::Reverb;
use super::level;
use super::random::Draw;
use arrange::{Arrangement, Role};
use soundfont::SoundFont;

/// Plays an arrangement to `samples` samples with an active level of 0.1, by one of the SoundFonts when there are any
/// (in three pieces of four), else by built-in instruments.
pub fn play(arrangement: &Arrangement, fonts: &[SoundFont], samples: usize, draw: &mut Draw) -> Vec<f32> {
    let mut mix = if !fonts.is_empty() && draw.chance(0.75) {
        let font = &fonts[draw.index(fonts.len())];
        soundfont::play(arrangement, font, samples, draw)
    } else {
        play_built_in(arrangement, samples, draw)
    };
    if draw.chance(0.7) {
        let mut room = Reverb::draw(draw);
        room.wet *= 0.6;
        room.run(&mut mix);
    }
    if draw.chance(0.6) {
        compress(&mut mix, draw.range(0.1, 0.6));
    }
    if draw.chance(0.1) {
        overdrive(&mut mix, draw.range(1.0, 4.0));
    }
    level::normalise(&mut mix, 0.1);
    mix
}

fn play_built_in(arrangement: &Arrangement, samples: usize, draw: &mut Draw) -> Vec<f32> {
    let mut mix = vec![0.0; samples];
    for track in &arrangement.tracks {
        let mut audio = instruments::play(track, samples, draw);
        level::normalise(&mut audio, 0.1);
        if track.role != Role::Bass {
            Biquad::high_pass(draw.range(60.0, 220.0), 0.7).run(&mut audio);
        }
        if draw.chance(0.1) {
            Phaser::draw(draw).run(&mut audio);
        }
        let gain = level::from_db(match track.role {
            Role::Bass => draw.range(-4.0, 4.0),
            Role::Lead => draw.range(-4.0, 4.0),
            Role::Comp => draw.range(-9.0, 3.0),
        });
        mix.iter_mut().zip(&audio).for_each(|(m, x)| *m += gain * x);
    }
    if !arrangement.hits.is_empty() {
        let mut audio = drums::play(&arrangement.hits, samples, draw);
        level::normalise(&mut audio, 0.1);
        let gain = level::from_db(draw.range(-12.0, 3.0));
        mix.iter_mut().zip(&audio).for_each(|(m, x)| *m += gain * x);
    }
    mix
}
