//! Which part of a MIDI file is the melody.
//!
//! 1. The name says melody, voice, vocal ... (in several languages).
//! 2. The lyrics are set to it: its notes begin where the syllables stand.
//! 3. The name says lead, solo, right hand ...
//! 4. Neither; and last, names that say bass, chords, backing.
//!
//! Among parts of one rank a score decides. It rewards what tells sung melodies from accompaniment (features after Rizo et
//! al., ISMIR 2006): one note at a time, present through much of the piece, within a singer's range, high rather than low,
//! moving in steps, with some variety of pitch; bass and sound-effect programs lose.

use super::Span;
use super::names::{Role, role};
use super::skyline;
use std::collections::BTreeSet;

/// Syllables needed before the lyrics say anything, and the share of them that must meet an onset.
const FEWEST_SYLLABLES: usize = 16;
const MET_SYLLABLES: f64 = 0.6;
/// Seconds between a syllable and its onset.
const SYLLABLE_TOLERANCE: f64 = 0.06;

/// One instrument of a MIDI file: what one track plays on one channel.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Names of the track and its instrument.
    pub name: String,
    /// General MIDI program, 0-based.
    pub program: Option<u8>,
    /// Its notes in seconds, sorted by start.
    pub notes: Vec<Span>,
}

/// The notes of the most likely melody, made monophonic; `syllables` are the times of the lyrics in seconds.
/// Empty only if no part has a note.
pub(super) fn melody(parts: Vec<Part>, syllables: &[f64]) -> Vec<Span> {
    let lines: Vec<Vec<Span>> = parts.iter().map(|p| skyline(p.notes.clone())).collect();
    let sounding: Vec<f64> = lines.iter().map(|l| l.iter().map(|s| s.end - s.start).sum()).collect();
    let longest = sounding.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let key = |i: usize| {
        let (part, line) = (&parts[i], &lines[i]);
        let rank = match role(&part.name) {
            Role::Melody => 3,
            _ if carries_lyrics(part, syllables) => 2,
            Role::Leading => 1,
            Role::Unknown => 0,
            Role::Accompaniment => -1,
        };
        // A name on a part that hardly plays (a count-in, a cue) does not make it the melody.
        let rank = if sounding[i] < 0.05 * longest { -2 } else { rank };
        (rank, score(part, line, sounding[i] / longest))
    };
    let keys: Vec<(i32, f64)> = (0..parts.len()).map(key).collect();
    let best = (0..parts.len())
        .filter(|&i| !lines[i].is_empty())
        // Equal parts: the first wins, hence the index counts down.
        .max_by(|&a, &b| keys[a].0.cmp(&keys[b].0).then(keys[a].1.total_cmp(&keys[b].1)).then(b.cmp(&a)));
    best.and_then(|i| lines.into_iter().nth(i)).unwrap_or_default()
}

/// Whether the syllables are set to this part: most meet an onset, and the part does not play many more notes than that.
fn carries_lyrics(part: &Part, syllables: &[f64]) -> bool {
    if syllables.len() < FEWEST_SYLLABLES || part.notes.len() > 5 * syllables.len() / 2 {
        return false;
    }
    let met = syllables.iter().filter(|&&at| {
        let next = part.notes.partition_point(|n| n.start < at - SYLLABLE_TOLERANCE);
        part.notes.get(next).is_some_and(|n| n.start <= at + SYLLABLE_TOLERANCE)
    });
    met.count() as f64 >= MET_SYLLABLES * syllables.len() as f64
}

/// How much a part looks like a sung melody; `presence` is its sounding time relative to the busiest part, 0..=1.
fn score(part: &Part, line: &[Span], presence: f64) -> f64 {
    if line.is_empty() {
        return f64::NEG_INFINITY;
    }
    let share = |hits: usize, of: usize| hits as f64 / of.max(1) as f64;
    let total: f64 = part.notes.iter().map(|n| n.end - n.start).sum();
    let one_at_a_time = covered(&part.notes) / total.max(f64::MIN_POSITIVE);
    let singable = share(line.iter().filter(|n| (48.0..=84.0).contains(&n.pitch)).count(), line.len());
    let mean = line.iter().map(|n| n.pitch).sum::<f64>() / line.len() as f64;
    let height = ((mean - 45.0) / 30.0).clamp(0.0, 1.0);
    let intervals = line.windows(2).map(|w| (w[1].pitch - w[0].pitch).abs());
    let stepwise = share(intervals.filter(|i| *i <= 5.0).count(), line.len() - 1);
    let pitches: BTreeSet<i32> = line.iter().map(|n| n.pitch.round() as i32).collect();
    let variety = (pitches.len() as f64 / 6.0).min(1.0);
    let wrong_instrument = matches!(part.program, Some(32..=39 | 96..=103 | 112..=127));
    2.0 * one_at_a_time + 1.5 * presence + singable + height + stepwise + variety - if wrong_instrument { 2.0 } else { 0.0 }
}

/// Time covered by at least one note; notes sorted by start.
fn covered(notes: &[Span]) -> f64 {
    let (mut sum, mut end) = (0.0, f64::NEG_INFINITY);
    for note in notes {
        sum += (note.end - note.start.max(end)).max(0.0);
        end = end.max(note.end);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, program: u8, notes: &[(f64, f64, f64)]) -> Part {
        let notes = notes.iter().map(|&(start, length, pitch)| Span { start, end: start + length, pitch }).collect();
        Part { name: name.to_string(), program: Some(program), notes }
    }

    fn tune(offset: f64) -> Vec<(f64, f64, f64)> {
        [0, 2, 4, 5, 7, 5, 4, 2, 0, 2, 4, 5, 7, 5, 4, 2, 0, 2, 4, 0]
            .iter()
            .enumerate()
            .map(|(i, p)| (i as f64 * 0.5, 0.45, offset + f64::from(*p)))
            .collect()
    }

    fn chords() -> Vec<(f64, f64, f64)> {
        (0..5).flat_map(|i| [48.0, 52.0, 55.0].map(|p| (f64::from(i) * 2.0, 2.0, p))).collect()
    }

    #[test]
    fn a_name_decides() {
        let found = melody(vec![part("Flute", 73, &tune(72.0)), part("Vocal", 0, &tune(60.0))], &[]);
        assert_eq!(found[0].pitch, 60.0);
    }

    #[test]
    fn a_name_on_a_part_that_hardly_plays_does_not() {
        let found = melody(vec![part("Flute", 73, &tune(72.0)), part("Vocal", 0, &[(0.0, 0.2, 40.0)])], &[]);
        assert_eq!(found[0].pitch, 72.0);
    }

    #[test]
    fn lyrics_decide_where_names_do_not() {
        let early: Vec<_> = tune(74.0).iter().map(|&(s, l, p)| (s + 0.2, l, p)).collect();
        let syllables: Vec<f64> = tune(0.0).iter().map(|n| n.0 + 0.01).collect();
        let parts = || vec![part("Lead", 73, &early), part("", 0, &tune(60.0))];
        assert_eq!(melody(parts(), &syllables)[0].pitch, 60.0);
        assert_eq!(melody(parts(), &[])[0].pitch, 74.0);
    }

    #[test]
    fn the_score_prefers_the_tune() {
        let bass: Vec<_> = tune(36.0);
        let found = melody(vec![part("", 33, &bass), part("", 0, &chords()), part("", 52, &tune(65.0))], &[]);
        assert_eq!(found[0].pitch, 65.0);
    }
}
