//! From notes to syllables: which are joined, what each begins and ends with, and when.

use super::frame::FRAME_RATE;
use super::phonemes::Consonant;
use super::style::{Kind, VoiceStyle};
use crate::random::Draw;
use qbh_models::Note;

/// A note as it will be sung; times in frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syllable {
    /// Where its consonant begins.
    pub start: usize,
    /// Where its vowel begins.
    pub vowel: usize,
    /// Where it ends.
    pub end: usize,
    /// MIDI pitch as written.
    pub pitch: f32,
    /// Whether the voice goes on from the syllable before.
    pub joined: bool,
    /// Whether the vowel does, too.
    pub melisma: bool,
    /// What it begins with.
    pub consonant: Consonant,
    /// What it ends with.
    pub coda: Consonant,
    /// Where that ends.
    pub coda_end: usize,
}

/// What is sung: every syllable asks for its consonants.
pub(super) trait Lyrics {
    /// What the next syllable begins with.
    fn onset(&mut self, draw: &mut Draw) -> Consonant;

    /// What the syllable asked for last ends with.
    fn coda(&mut self, draw: &mut Draw) -> Consonant;
}

/// Syllables as they come.
pub(super) struct Invented(pub(super) Kind);

impl Lyrics for Invented {
    fn onset(&mut self, draw: &mut Draw) -> Consonant {
        match self.0 {
            Kind::Whistled => Consonant::None,
            Kind::Sung => Consonant::draw(draw),
            Kind::Hummed => draw.pick(&[
                Consonant::None,
                Consonant::Nasal,
                Consonant::Nasal,
                Consonant::Glottal,
                Consonant::Stop { centre: 1800.0, aspiration: 0.0 },
            ]),
        }
    }

    fn coda(&mut self, draw: &mut Draw) -> Consonant {
        Consonant::draw(draw)
    }
}

/// The syllables that notes are sung on, within `count` frames.
#[expect(clippy::expect_used, reason = "who is joined has something to be joined to")]
pub(super) fn syllables(
    notes: &[Note],
    count: usize,
    style: &VoiceStyle,
    lyrics: &mut dyn Lyrics,
    draw: &mut Draw,
) -> Vec<Syllable> {
    let frame = |seconds: f32| (seconds * FRAME_RATE).max(0.0) as usize;
    let mut line: Vec<Syllable> = Vec::with_capacity(notes.len());
    for (i, note) in notes.iter().enumerate() {
        let next = notes.get(i + 1).map_or(f32::INFINITY, |n| n.onset);
        let mut offset = note.offset().min(next);
        if next - offset < style.join {
            offset = next;
        }
        if draw.chance(style.gap) {
            offset -= draw.log_range(0.05, 0.35).min(0.5 * (offset - note.onset));
        }
        let (onset, end) = (frame(note.onset), frame(offset).min(count));
        if end < onset + 8 {
            continue;
        }
        let earliest = line.last().map_or(0, |s| s.coda_end);
        let joined = !line.is_empty() && onset < earliest + 4;
        let melisma = joined && draw.chance(style.melisma);
        let consonant = if melisma { Consonant::None } else { lyrics.onset(draw) };
        let length = (frame(consonant.duration(draw))).min((end - onset) / 2);
        // A consonant takes part of its time from the note before.
        let before = (length as f32 * draw.range(0.3, 0.9)) as usize;
        let start = if joined {
            let last = line.last_mut().expect("joined to one");
            last.end -= before.min((last.end - last.vowel) * 2 / 5);
            last.coda = Consonant::None;
            last.coda_end = last.end;
            last.end
        } else {
            onset.saturating_sub(before).max(earliest)
        };
        let apart = next - offset > 0.05;
        let coda = if apart && draw.chance(style.coda) { lyrics.coda(draw) } else { Consonant::None };
        let coda_end = if coda.unvoiced() { end + frame(coda.duration(draw).min(next - offset)) } else { end };
        let vowel = start + length;
        line.push(Syllable {
            start,
            vowel,
            end,
            pitch: note.pitch,
            joined,
            melisma,
            consonant,
            coda,
            coda_end: coda_end.min(count),
        });
    }
    line
}
