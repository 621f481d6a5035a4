use std::sync::Arc;

use super::spectrum::{self, Analyser, BANDS, BINS};
use super::*;
use crate::SAMPLE_RATE;
use crate::random::Draw;
use crate::voice::{Kind, VoiceStyle, sing};
use qbh_models::Note;

/// Somebody who speaks: many short syllables of a modelled voice, at pitches near those of speech.
pub fn speaker(seed: u64) -> Speaker {
    let mut style = VoiceStyle::clean();
    (style.melisma, style.coda, style.breath) = (0.0, 0.4, 0.01);
    let notes: Vec<Note> =
        (0..40).map(|i| Note { onset: 0.25 * i as f32, duration: 0.2, pitch: 46.0 + (i * 5 % 7) as f32 }).collect();
    let speech = sing(&notes, &style, 10 * SAMPLE_RATE, &mut Draw::new(seed)).samples;
    Speaker::analyse(&[speech]).expect("40 syllables")
}

/// A harmonic signal of `f0` Hz whose harmonics have the amplitude of two formants.
fn vowel(f0: f32, formants: [f32; 2]) -> Vec<f32> {
    let amplitude = |f: f32| formants.iter().map(|c| 0.01 + (-((f - c) / 200.0).powi(2)).exp()).sum::<f32>();
    (0..SAMPLE_RATE / 2)
        .map(|n| {
            let phase = n as f32 * std::f32::consts::TAU * f0 / SAMPLE_RATE as f32;
            (1..(7900.0 / f0) as usize).map(|k| 0.1 * amplitude(k as f32 * f0) * (k as f32 * phase).cos()).sum()
        })
        .collect()
}

#[test]
fn envelopes_have_the_formants_and_not_the_harmonics() {
    for f0 in [90.0, 140.0] {
        let (envelope, noise) = Analyser::new().frame(&vowel(f0, [700.0, 2200.0]), 50, f0);
        let peaks: Vec<f32> = (1..BINS - 1)
            .filter(|k| envelope[*k] > envelope[k - 1] && envelope[*k] >= envelope[k + 1] && envelope[*k] > -4.0)
            .map(|k| k as f32 * spectrum::SPACING)
            .collect();
        assert_eq!(peaks.len(), 2, "{f0} Hz: {peaks:?}");
        assert!((peaks[0] - 700.0).abs() < 70.0 && (peaks[1] - 2200.0).abs() < 90.0, "{peaks:?}");
        assert!(noise.iter().all(|n| *n < -3.0), "{noise:?}");
    }
    // White noise of deviation 1 has a density of 1 and no harmonics.
    let mut draw = Draw::new(3);
    let white: Vec<f32> = (0..SAMPLE_RATE).map(|_| draw.white()).collect();
    let frames: Vec<_> = (20..180).map(|i| Analyser::new().frame(&white, i, 150.0)).collect();
    let mean = frames.iter().flat_map(|f| f.0).sum::<f32>() / (frames.len() * BINS) as f32;
    assert!(mean.abs() < 0.4, "{mean}");
    assert!(frames.iter().flat_map(|f| f.1).sum::<f32>() / (frames.len() * BANDS) as f32 > -0.5);
}

#[test]
fn a_recorded_vowel_sung_at_its_own_pitch_has_its_spectrum() {
    let mut speech = Vec::new();
    for _ in 0..10 {
        speech.extend(vowel(120.0, [600.0, 1800.0]));
        speech.extend([0.0; 2400]);
    }
    let speaker = Arc::new(Speaker::analyse(&[speech]).unwrap());
    assert!((10..=12).contains(&speaker.runs.len()), "{}", speaker.runs.len());
    let mut style = VoiceStyle::clean();
    (style.scale, style.rd, style.ring, style.dynamics, style.effort) = (speaker.scale, 1.1, 0.0, 0.0, 0.0);
    style.speaker = Some(Arc::clone(&speaker));
    let notes = [Note { onset: 0.2, duration: 1.5, pitch: 46.9 }];
    let sung = sing(&notes, &style, 2 * SAMPLE_RATE, &mut Draw::new(2));
    let (envelope, _) = Analyser::new().frame(&sung.samples, 200, sung.f0[100]);
    let at = |f: f32| envelope[(f / spectrum::SPACING) as usize];
    assert!(at(600.0) > at(1200.0) + 2.0 && at(1800.0) > at(1200.0) + 2.0 && at(1800.0) > at(3000.0) + 2.0);
}

#[test]
fn bad_recordings_make_no_speaker_and_most_singers_get_one() {
    assert_eq!(Speaker::analyse::<Vec<f32>>(&[]), None);
    assert_eq!(Speaker::analyse(&[vec![], vec![0.0; 50_000], vec![f32::MIN_POSITIVE; 100]]), None);
    let bank = SpeechBank::new(vec![speaker(1), speaker(2)]);
    assert!(bank.len() == 2 && bank.seconds() > 8.0);
    let mut draw = Draw::new(9);
    let mut lent = |bank: &SpeechBank, kind| {
        let mut style = VoiceStyle::draw(kind, &mut draw);
        style.borrow_voice(bank, &mut draw);
        usize::from(style.speaker.is_some())
    };
    assert!((40..80).contains(&(0..100).map(|_| lent(&bank, Kind::Sung)).sum::<usize>()));
    assert_eq!((0..20).map(|_| lent(&bank, Kind::Hummed) + lent(&SpeechBank::default(), Kind::Sung)).sum::<usize>(), 0);
}
