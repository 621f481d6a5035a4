//! Lays the syllables of recorded speech over notes: onsets and ends keep their pace, what is between them is stretched.

use std::sync::Arc;

use super::runs::Run;
use super::speaker::Speaker;
use crate::random::{Draw, Wander};
use crate::voice::frame::{FRAME_RATE, Frame, Mouth};
use crate::voice::phonemes::Consonant;
use crate::voice::style::VoiceStyle;
use crate::voice::syllables::{Lyrics, Syllable};

/// Probability that a singer goes on elsewhere in what was said.
const LEAP: f32 = 0.08;
/// How far the loudness of syllables is made equal: 0 not at all, 1 wholly.
const EVENNESS: f32 = 0.7;
/// Log power that syllables are brought to.
const LEVEL: f32 = -4.6;

/// Takes one syllable of a speaker after the other.
pub struct Script {
    speaker: Arc<Speaker>,
    next: usize,
}

impl Script {
    /// Begins anywhere.
    pub fn new(speaker: &Arc<Speaker>, draw: &mut Draw) -> Self {
        Script { speaker: Arc::clone(speaker), next: draw.index(speaker.runs.len()) }
    }
}

impl Lyrics for Script {
    fn onset(&mut self, draw: &mut Draw) -> Consonant {
        if draw.chance(LEAP) {
            self.next = draw.index(self.speaker.runs.len());
        }
        let run = self.next;
        self.next = (run + 1) % self.speaker.runs.len();
        Consonant::Spoken { run, length: seconds(self.speaker.runs[run].before) }
    }

    /// What follows the syllable before.
    fn coda(&mut self, _: &mut Draw) -> Consonant {
        let count = self.speaker.runs.len();
        let run = (self.next + count - 1) % count;
        Consonant::Spoken { run, length: seconds(self.speaker.runs[run].after) }
    }
}

fn seconds(frames: usize) -> f32 {
    frames as f32 / FRAME_RATE
}

/// Fills in the mouth and the loudness of syllables whose f0 is written; `loudness` per syllable.
pub(in crate::voice) fn recite(
    frames: &mut [Frame],
    syllables: &[Syllable],
    loudness: &[f32],
    style: &VoiceStyle,
    draw: &mut Draw,
) {
    let Some(speaker) = &style.speaker else { return };
    let mut push = Wander::new(0.1, 0.12 * FRAME_RATE, draw);
    let mut strength = 0.0;
    let mut first = 0;
    while first < syllables.len() {
        // Notes sung on one vowel share it.
        let count = 1 + syllables[first + 1..].iter().take_while(|s| s.melisma).count();
        let group = &syllables[first..first + count];
        let (s, last) = (&group[0], &group[count - 1]);
        let Consonant::Spoken { run, .. } = s.consonant else { unreachable!("speakers only speak") };
        let run = &speaker.runs[run];
        let gain = (0.5 * EVENNESS * (LEVEL - run.level)).exp();
        for (frame, n) in frames[s.start..s.vowel].iter_mut().zip((1..=s.vowel - s.start).rev()) {
            frame.mouth = Mouth::Recorded((run.start - n) as f32);
            frame.breath = gain * loudness[first];
        }
        if !s.joined {
            strength = loudness[first];
        }
        let places = stretch(run, last.end - s.vowel, draw);
        let release = draw.log_range(3.0, 20.0).min(0.3 * places.len() as f32);
        let ends = last.coda_end == last.end;
        for (n, (frame, place)) in frames[s.vowel..last.end].iter_mut().zip(&places).enumerate() {
            let note = group.iter().rposition(|note| note.vowel <= s.vowel + n).unwrap_or(0);
            strength += (loudness[first + note] - strength) * 0.12;
            let left = (places.len() - n) as f32;
            let close = if ends { (left / release).min(1.0).powf(0.7) } else { 1.0 };
            let amplitude = strength * close * (1.0 + push.step(draw)).max(0.3);
            frame.mouth = Mouth::Recorded(*place);
            frame.voice = gain * amplitude;
            frame.breath = gain * amplitude;
            frame.rd = style.rd + style.effort * (0.75 - amplitude);
        }
        if let Consonant::Spoken { run: coda, .. } = last.coda {
            let coda = &speaker.runs[coda];
            for (n, frame) in frames[last.end..last.coda_end].iter_mut().enumerate() {
                frame.mouth = Mouth::Recorded((coda.end + n) as f32);
                frame.breath = gain * strength;
            }
        }
        first += count;
    }
}

/// Places in a run, one for each of `length` frames. Around its peak a syllable can be held: there the voice wanders to and
/// fro; its onset and its end pass as they were spoken. A short note hurries through all of it.
fn stretch(run: &Run, length: usize, draw: &mut Draw) -> Vec<f32> {
    let natural = run.end - run.start;
    let (start, end) = (run.start as f32, run.end as f32 - 1.0);
    if length <= natural {
        let step = (end - start) / (length.max(2) - 1) as f32;
        return (0..length).map(|n| start + step * n as f32).collect();
    }
    let head = (run.peak - run.start) * 2 / 3;
    let tail = (run.end - run.peak) * 2 / 3;
    let (from, to) = ((run.start + head) as f32, (run.end - tail) as f32 - 1.0);
    let held = length - head - tail;
    // Turning points every quarter of a second or so.
    let turns = 1 + held / draw.integer(35, 70) as usize;
    let mut points: Vec<f32> = (0..=turns).map(|_| draw.range(from, to.max(from + 0.01))).collect();
    (points[0], points[turns]) = (from, to);
    let mut places: Vec<f32> = (0..head).map(|n| start + n as f32).collect();
    places.extend((0..held).map(|n| {
        let place = n as f32 / held as f32 * turns as f32;
        let i = place as usize;
        let way = place - i as f32;
        points[i] + (points[i + 1] - points[i]) * way * way * (3.0 - 2.0 * way)
    }));
    places.extend((0..tail).map(|n| (run.end - tail + n) as f32));
    places
}
