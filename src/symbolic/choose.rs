//! Which part of a score is the melody: one rule for tracks, parts, spines and voices.
//!
//! 1. The one that the lyrics are set to.
//! 2. The one whose name says melody, voice, vocal ... (in several languages); then lead, solo, soprano, right hand ...; then no name that tells; and
//!    last, names that say bass, chords, backing. Lyrics that are only found by their times never make a melody of these.
//! 3. Among parts of one rank a score decides. It rewards what tells sung melodies from accompaniment (features after Rizo et
//!    al., ISMIR 2006): one note at a time, present through much of the piece, within a singer's range, high rather than low,
//!    moving in steps, with some variety of pitch; bass and sound-effect programs lose.

use super::Span;
use super::names::{Role, role};
use super::skyline;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Syllables needed before the lyrics say anything, and the share of them that must meet an onset.
const FEWEST_SYLLABLES: usize = 16;
const MET_SYLLABLES: f64 = 0.6;
/// Seconds between a syllable and its onset.
const SYLLABLE_TOLERANCE: f64 = 0.06;

/// What one voice or instrument plays.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Its name, or those of the track and its instrument.
    pub name: String,
    /// General MIDI program, 0-based.
    pub program: Option<u8>,
    /// Whether words are written under its notes.
    pub lyrics: bool,
    /// Its notes in seconds, sorted by start.
    pub notes: Vec<Span>,
}

/// The notes of the most likely melody, made monophonic, and in words which part that is, if there are several; `syllables` are the times of lyrics
/// that are not written to any part, in seconds. Empty only if no part has a note.
pub(super) fn melody(parts: Vec<Part>, syllables: &[f64]) -> (Vec<Span>, Option<String>) {
    let lines: Vec<Vec<Span>> = parts.iter().map(|p| skyline(p.notes.clone())).collect();
    let sounding: Vec<f64> = lines.iter().map(|l| l.iter().map(|s| s.end - s.start).sum()).collect();
    let longest = sounding.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let claim = |i: usize| {
        let (part, line) = (&parts[i], &lines[i]);
        let role = role(&part.name);
        // A name on a part that hardly plays (a count-in, a cue) does not make it the melody.
        let plays = sounding[i] >= 0.05 * longest;
        let lyrics = part.lyrics || role != Role::Accompaniment && carries_lyrics(part, syllables);
        Claim { plays, lyrics, role, score: score(part, line, sounding[i] / longest) }
    };
    let claims: Vec<Claim> = (0..parts.len()).map(claim).collect();
    let playing: Vec<usize> = (0..parts.len()).filter(|&i| !lines[i].is_empty()).collect();
    // Equal parts: the first wins, hence the index counts down.
    let best = playing.iter().copied().max_by(|&a, &b| claims[a].cmp(&claims[b]).then(b.cmp(&a)));
    let Some(best) = best else { return (Vec::new(), None) };
    let said = (playing.len() > 1).then(|| {
        let others: Vec<&Claim> = playing.iter().filter(|&&i| i != best).map(|&i| &claims[i]).collect();
        let name: String = parts[best].name.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect();
        let name = if name.is_empty() { format!("part {}", best + 1) } else { format!("{name:?}") };
        format!("{name}, of {} parts, {}", playing.len(), claims[best].reason(&others))
    });
    (lines.into_iter().nth(best).unwrap_or_default(), said)
}

/// What speaks for a part, in the order of its weight.
struct Claim {
    plays: bool,
    lyrics: bool,
    role: Role,
    score: f64,
}

impl Claim {
    fn cmp(&self, other: &Claim) -> Ordering {
        let rank = |claim: &Claim| (claim.plays, claim.lyrics, claim.role);
        rank(self).cmp(&rank(other)).then(self.score.total_cmp(&other.score))
    }

    /// What it has more of than all others.
    fn reason(&self, others: &[&Claim]) -> &'static str {
        let of_rank = |claim: &&&Claim| claim.plays == self.plays;
        if self.lyrics && !others.iter().filter(of_rank).any(|claim| claim.lyrics) {
            "by its lyrics"
        } else if others.iter().filter(of_rank).filter(|claim| claim.lyrics == self.lyrics).all(|claim| claim.role < self.role) {
            if self.lyrics { "by its lyrics and its name" } else { "by its name" }
        } else {
            "by how it moves and how high it is"
        }
    }
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
        Part { name: name.to_string(), program: Some(program), lyrics: false, notes }
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
        let (found, said) = melody(vec![part("Flute", 73, &tune(72.0)), part("Vocal", 0, &tune(60.0))], &[]);
        assert_eq!((found[0].pitch, said.as_deref()), (60.0, Some("\"Vocal\", of 2 parts, by its name")));
    }

    #[test]
    fn a_name_on_a_part_that_hardly_plays_does_not() {
        let (found, _) = melody(vec![part("Flute", 73, &tune(72.0)), part("Vocal", 0, &[(0.0, 0.2, 40.0)])], &[]);
        assert_eq!(found[0].pitch, 72.0);
    }

    #[test]
    fn lyrics_decide_where_names_do_not() {
        let early: Vec<_> = tune(74.0).iter().map(|&(s, l, p)| (s + 0.2, l, p)).collect();
        let syllables: Vec<f64> = tune(0.0).iter().map(|n| n.0 + 0.01).collect();
        let parts = || vec![part("Lead", 73, &early), part("", 0, &tune(60.0))];
        let (found, said) = melody(parts(), &syllables);
        assert_eq!((found[0].pitch, said.as_deref()), (60.0, Some("part 2, of 2 parts, by its lyrics")));
        assert_eq!(melody(parts(), &[]).0[0].pitch, 74.0);
    }

    #[test]
    fn the_score_prefers_the_tune() {
        let bass: Vec<_> = tune(36.0);
        let (found, _) = melody(vec![part("", 33, &bass), part("", 0, &chords()), part("", 52, &tune(65.0))], &[]);
        assert_eq!(found[0].pitch, 65.0);
    }

    #[test]
    fn words_under_the_notes_decide_and_then_names() {
        let sung = |name: &str, offset: f64| Part { lyrics: true, ..part(name, 0, &tune(offset)) };
        let choir = vec![
            sung("Bass", 45.0),
            sung("Tenor", 55.0),
            sung("Alto", 65.0),
            sung("Soprano", 60.0),
            part("Flute", 73, &tune(80.0)),
        ];
        let (found, said) = melody(choir, &[]);
        assert_eq!((found[0].pitch, said.as_deref()), (60.0, Some("\"Soprano\", of 5 parts, by its lyrics and its name")));
        let (found, _) = melody(vec![part("Melody", 0, &tune(72.0)), sung("Bass", 45.0)], &[]);
        assert_eq!(found[0].pitch, 45.0);
        let (_, said) = melody(vec![part("", 0, &tune(72.0)), part("", 0, &tune(45.0))], &[]);
        assert_eq!(said.as_deref(), Some("part 1, of 2 parts, by how it moves and how high it is"));
        assert_eq!(melody(vec![part("", 0, &tune(72.0))], &[]).1, None);
    }
}
