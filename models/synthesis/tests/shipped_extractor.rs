//! What the shipped extractor hears in what the studio and simple generators make.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use qbh_models::Device;
use qbh_models::PitchTrack;
use qbh_models::extractor::{DEFAULT_EXTRACTOR, open};
use qbh_models::pitch::{hz_to_midi, midi_to_hz};
use qbh_synthesis::SAMPLE_RATE;
use qbh_synthesis::random::Draw;
use qbh_synthesis::studio::{Studio, StudioConfig};

/// Share of the frames voiced in `truth` on which `track` is within half a semitone.
fn raw_pitch_accuracy(track: &PitchTrack, truth: &[f32]) -> f32 {
    let voiced: Vec<bool> = truth
        .iter()
        .zip(&track.f0)
        .filter(|(t, _)| **t > 0.0)
        .map(|(t, f)| *f > 0.0 && (hz_to_midi(*f) - hz_to_midi(*t)).abs() < 0.5)
        .collect();
    voiced.iter().filter(|hit| **hit).count() as f32 / voiced.len() as f32
}

#[test]
fn the_shipped_network_hears_a_voice() {
    let extractor = open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
    let stems = Studio::new(StudioConfig::default()).stems(77, 12.0);
    let track = extractor.extract(&stems.voice).unwrap();
    let accuracy = raw_pitch_accuracy(&track, &stems.f0);
    assert!(accuracy > 0.85, "raw pitch accuracy {accuracy}");
    let noise: Vec<f32> = (0..48_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 8) as f32 / 2e8 - 0.04).collect();
    for samples in [vec![0.0; 48_000], noise] {
        let voiced = extractor.extract(&samples).unwrap().f0.iter().filter(|f| **f > 0.0).count();
        assert!(voiced < 30, "{voiced} of 300 frames without a voice are voiced");
    }
}

#[test]
fn whistles_are_melodies() {
    let extractor = open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
    for pitch in [84.0f32, 91.0] {
        // A scale of sines with a little vibrato, as lips make it, each note fading at its end, over faint noise.
        let mut draw = Draw::new(3);
        let mut phase = 0.0f32;
        let length = SAMPLE_RATE * 2 / 5;
        let samples: Vec<f32> = (0..12 * length)
            .map(|n| {
                let note = pitch + [0.0, 2.0, 4.0, 5.0, 7.0, 5.0, 4.0, 2.0][n / length % 8];
                let vibrato = 0.1 * (std::f32::consts::TAU * 5.5 * n as f32 / SAMPLE_RATE as f32).sin();
                phase = (phase + midi_to_hz(note + vibrato) / SAMPLE_RATE as f32).fract();
                let fade = ((length - n % length) as f32 / 800.0).min(1.0);
                0.3 * fade * (std::f32::consts::TAU * phase).sin() + 0.005 * draw.white()
            })
            .collect();
        let track = extractor.extract(&samples).unwrap();
        let voiced = track.f0.iter().filter(|f| **f > 0.0).count() as f32 / track.len() as f32;
        assert!(voiced > 0.8, "{voiced} of the frames are voiced at MIDI {pitch}");
    }
}

#[test]
fn where_the_pieces_fall_does_not_show() {
    let extractor = open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
    let studio = Studio::new(StudioConfig::default());
    let song: Vec<f32> = (0..3).flat_map(|i| studio.stems(i, 16.0).voice).collect();
    // The same song from 7 s on: other pieces, and a level that is normalised over less.
    let (cut, frames) = (7 * SAMPLE_RATE, 700);
    let whole = extractor.extract(&song).unwrap();
    let part = extractor.extract(&song[cut..]).unwrap();
    let compared = 200..part.len();
    let agree = compared.clone().filter(|&i| {
        let (a, b) = (whole.f0[i + frames], part.f0[i]);
        (a == 0.0) == (b == 0.0) && (a == 0.0 || (a / b).log2().abs() < 0.02)
    });
    let share = agree.count() as f32 / compared.len() as f32;
    assert!(share > 0.97, "{share} of the frames agree");
}
