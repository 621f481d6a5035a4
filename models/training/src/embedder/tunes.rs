//! Melodies to train on: from files, from the generator, from contours.

use std::collections::BTreeSet;
use std::path::Path;

use qbh_models::ModelError;
use qbh_models::contour::CONTOUR_STEP;
use qbh_models::notes::json_lines::{MelodyLines, Unit};
use qbh_models::notes::{Note, monophonic};
use qbh_synthesis::melody::MelodySource;
use qbh_synthesis::random::Draw;

/// Steps of a contour that lie closer than this, in semitones, are one note.
const SAME_NOTE: f32 = 0.7;
/// Melodies with fewer notes are left out.
const FEWEST_NOTES: usize = 12;

/// A melody: notes in order of time, from time 0, one at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Tune {
    /// Melodies of equal group are versions of one tune.
    pub group: i64,
    /// Whether its tempo was given in quarter notes and is free to choose.
    pub free_tempo: bool,
    /// Its notes.
    pub notes: Vec<Note>,
    /// What an extractor heard of it, MIDI pitch per 100 ms from time 0 on: song windows are then cut from this.
    pub heard: Option<Vec<f32>>,
}

impl Tune {
    /// The melody of a song of which only the contour is known: hums are made of the notes that it seems to consist of.
    pub fn of_contour(contour: Vec<f32>, group: i64) -> Self {
        let step = CONTOUR_STEP as f32;
        let mut notes: Vec<Note> = Vec::new();
        for (i, &pitch) in contour.iter().enumerate().filter(|(_, p)| **p > 0.0) {
            let onset = i as f32 * step;
            match notes.last_mut() {
                Some(note) if onset - note.offset() < 0.5 * step && (note.pitch - pitch).abs() < SAME_NOTE => {
                    // The mean of its steps so far.
                    let steps = (note.duration / step).round();
                    note.pitch += (pitch - note.pitch) / (steps + 1.0);
                    note.duration = (steps + 1.0) * step;
                }
                _ => notes.push(Note { onset, duration: step, pitch }),
            }
        }
        Tune { group, free_tempo: false, notes, heard: Some(contour) }
    }

    /// End of the last note in seconds.
    pub fn duration(&self) -> f32 {
        self.notes.last().map_or(0.0, Note::offset)
    }
}

/// Melodies and where they came from.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    /// All melodies of twelve notes or more.
    pub tunes: Vec<Tune>,
    /// The `src` names that occur.
    pub sources: BTreeSet<String>,
}

/// Seconds of a generated melody.
const GENERATED: f32 = 60.0;

impl Collection {
    /// `count` melodies composed by the built-in generator, for trying things out without data.
    pub fn generated(count: usize, seed: u64) -> Self {
        let source = MelodySource::generated();
        // A seed of its own: the seed itself numbers the pairs of the training.
        let seed = seed ^ 0x6d65_6c6f_6479;
        let melodies = (0..count).map(|i| Tune {
            group: i as i64,
            free_tempo: false,
            heard: None,
            notes: from_zero(source.passage(GENERATED, &mut Draw::stream(seed, i as u64)).notes.into_iter()),
        });
        let melodies = melodies.filter(|m| m.notes.len() >= FEWEST_NOTES).collect();
        Collection { tunes: melodies, sources: BTreeSet::from(["generated".to_string()]) }
    }

    /// Adds the melodies of a file of JSON lines; each must say of which tune (`group`) it is.
    ///
    /// # Errors
    /// The file cannot be read, or a line is no melody or has no group: which one, and why.
    pub fn read(&mut self, path: &Path) -> Result<(), ModelError> {
        for line in MelodyLines::open(path)? {
            let (number, line) = line?;
            let group = line.group.ok_or_else(|| {
                let reason = "it has no group: equal numbers for versions of one tune";
                ModelError::Training(format!("{}, line {number}: {reason}", path.display()))
            })?;
            let notes = from_zero(line.timed().map(Note::from));
            if notes.len() >= FEWEST_NOTES {
                self.tunes.push(Tune { group, free_tempo: line.unit == Unit::Quarter, notes, heard: None });
                self.sources.insert(line.src);
            }
        }
        Ok(())
    }
}

/// One note at a time, from time 0 on, without those that nobody could sing.
fn from_zero(notes: impl Iterator<Item = Note>) -> Vec<Note> {
    let sane = |n: &Note| n.onset.is_finite() && n.duration.is_finite() && n.duration > 0.0 && n.pitch > 0.0 && n.pitch <= 127.0;
    let mut melody = monophonic(notes.filter(sane));
    let begin = melody.first().map_or(0.0, |n| n.onset);
    melody.iter_mut().for_each(|n| n.onset -= begin);
    melody
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use std::io::Write;

    #[test]
    fn reads_json_lines_and_names_the_bad_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.jsonl.gz");
        let notes: Vec<_> = (0..12).map(|i| format!("[{}, 1.0, {}]", i + 3, 60 + i)).collect();
        let good = format!(r#"{{"src": "own", "unit": "quarter", "group": 4, "notes": [{}]}}"#, notes.join(","));
        let write = |text: &str| {
            let mut gz = GzEncoder::new(std::fs::File::create(&path).unwrap(), Default::default());
            gz.write_all(text.as_bytes()).unwrap();
            gz.finish().unwrap();
        };
        write(&format!("{good}\n\n{good}\n"));
        let mut collection = Collection::default();
        collection.read(&path).unwrap();
        assert_eq!(collection.tunes.len(), 2);
        assert!(collection.sources.contains("own") && collection.tunes[0].free_tempo);
        let Note { onset, duration, pitch } = collection.tunes[0].notes[1];
        assert!((onset - 0.6).abs() < 1e-5 && (duration - 0.6).abs() < 1e-5 && pitch == 61.0, "{onset} {duration} {pitch}");
        write(&format!("{good}\n{{}}\n"));
        assert!(Collection::default().read(&path).unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn a_contour_becomes_the_notes_it_was_made_of() {
        let notes: Vec<Note> = (0..12)
            .map(|i| Note { onset: 0.4 * i as f32, duration: 0.3 + 0.1 * (i % 2) as f32, pitch: 60.0 + (i % 5) as f32 })
            .collect();
        let contour = qbh_models::Contour::from_notes(&notes).pitch;
        let melody = Tune::of_contour(contour.clone(), 7);
        assert_eq!((melody.notes.len(), melody.heard), (12, Some(contour)));
        for (found, note) in melody.notes.iter().zip(&notes) {
            assert!(
                found.pitch == note.pitch
                    && (found.onset - note.onset).abs() < 0.06
                    && (found.duration - note.duration).abs() < 0.11
            );
        }
    }

    #[test]
    fn the_generator_gives_different_melodies() {
        let (a, b) = (Collection::generated(5, 1), Collection::generated(5, 2));
        assert_eq!(a.tunes.len(), 5);
        assert_eq!(a.tunes, Collection::generated(5, 1).tunes);
        assert_ne!(a.tunes[0].notes, a.tunes[1].notes);
        assert_ne!(a.tunes[0].notes, b.tunes[0].notes);
    }

    #[test]
    fn chords_and_overlaps_become_a_single_line_from_zero_on() {
        let note = |onset, duration, pitch| Note { onset, duration, pitch };
        let notes = [note(2.0, 1.0, 67.0), note(1.0, 3.0, 50.0), note(1.0, 3.0, 64.0), note(5.0, 1.0, f32::NAN)];
        assert_eq!(from_zero(notes.into_iter()), [note(0.0, 1.0, 64.0), note(1.0, 1.0, 67.0)]);
    }
}
