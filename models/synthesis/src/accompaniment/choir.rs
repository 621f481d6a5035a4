//! Backing vocals: voices that hold the chords while the lead sings.

use super::arrange::Score;
use crate::level;
use crate::random::Draw;
use crate::voice::speech::SpeechBank;
use crate::voice::{Kind, VoiceStyle, sing};
use qbh_models::Note;

/// Two or three voices on chord tones, with an active level of 0.1. They pause where the lead does: an extractor could not
/// tell them from a lead.
pub fn choir(score: &Score, speech: &SpeechBank, samples: usize, draw: &mut Draw) -> Vec<f32> {
    let mut mix = vec![0.0; samples];
    for part in 0..draw.index(2) + 2 {
        let kind = if draw.chance(0.2) { Kind::Hummed } else { Kind::Sung };
        let mut style = VoiceStyle::draw(kind, draw);
        style.borrow_voice(speech, draw);
        (style.scoop, style.inflection, style.melisma, style.gap) = (0.1, 0.03, 0.9, 0.0);
        let floor = draw.integer(52, 62);
        let notes: Vec<Note> = score
            .chords
            .iter()
            .filter_map(|chord| {
                let (from, to) = (score.grid.time(chord.from).max(0.0), score.grid.time(chord.to));
                let sung: f32 = score.voice.iter().map(|n| (n.offset().min(to) - n.onset.max(from)).max(0.0)).sum();
                let class = chord.tones[part % chord.tones.len()];
                let pitch = (floor + (class - floor).rem_euclid(12)) as f32;
                (sung > 0.4 * (to - from)).then_some(Note { onset: from, duration: 0.97 * (to - from), pitch })
            })
            .collect();
        let voice = sing(&notes, &style, samples, draw).samples;
        mix.iter_mut().zip(&voice).for_each(|(m, x)| *m += x);
    }
    level::normalise(&mut mix, 0.1);
    mix
}
