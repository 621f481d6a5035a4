//! Melodies to train on, from gzipped JSON lines:
//! `{"src": ..., "unit": "sec" | "quarter", "group": ..., "notes": [[onset, duration, midi], ...]}`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use crate::synthesis::melody::MelodySource;
use crate::synthesis::random::Draw;
use crate::{ModelError, Note};

/// Seconds per quarter note of melodies without a tempo, before it is varied.
const QUARTER: f32 = 0.5;
/// Notes closer than this are a chord, of which the highest counts.
const CHORD: f32 = 0.02;
/// Melodies with fewer notes are left out.
const FEWEST_NOTES: usize = 12;

/// A melody: notes in order of time, from time 0, one at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Melody {
    /// Melodies of equal group are versions of one tune.
    pub group: i64,
    /// Whether its tempo was given in quarter notes and is free to choose.
    pub free_tempo: bool,
    /// Its notes.
    pub notes: Vec<Note>,
}

impl Melody {
    /// End of the last note in seconds.
    pub fn duration(&self) -> f32 {
        self.notes.last().map_or(0.0, Note::offset)
    }
}

/// Melodies and where they came from.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    /// All melodies of twelve notes or more.
    pub melodies: Vec<Melody>,
    /// The `src` names that occur.
    pub sources: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    src: String,
    unit: String,
    group: i64,
    notes: Vec<(f32, f32, f32)>,
}

/// Seconds of a generated melody.
const GENERATED: f32 = 60.0;

impl Collection {
    /// `count` melodies composed by the built-in generator, for trying things out without data.
    pub fn generated(count: usize, seed: u64) -> Self {
        let source = MelodySource::generated();
        // A seed of its own: the seed itself numbers the pairs of the training.
        let seed = seed ^ 0x6d65_6c6f_6479;
        let melodies = (0..count).map(|i| Melody {
            group: i as i64,
            free_tempo: false,
            notes: one_at_a_time(source.passage(GENERATED, &mut Draw::stream(seed, i as u64)).notes.into_iter()),
        });
        let melodies = melodies.filter(|m| m.notes.len() >= FEWEST_NOTES).collect();
        Collection { melodies, sources: BTreeSet::from(["generated".to_string()]) }
    }

    /// Adds the melodies of a `.jsonl.gz` file.
    pub fn read(&mut self, path: &Path) -> Result<(), ModelError> {
        let io = |source| ModelError::Io { path: path.to_path_buf(), source };
        let reader = BufReader::new(MultiGzDecoder::new(File::open(path).map_err(io)?));
        for (number, line) in reader.lines().enumerate() {
            let line = line.map_err(io)?;
            if line.trim().is_empty() {
                continue;
            }
            let refuse = |reason: String| ModelError::Training(format!("{}:{}: {reason}", path.display(), number + 1));
            let line: Line = serde_json::from_str(&line).map_err(|e| refuse(e.to_string()))?;
            let scale = match line.unit.as_str() {
                "sec" => 1.0,
                "quarter" => QUARTER,
                other => return Err(refuse(format!("unit {other:?} is neither \"sec\" nor \"quarter\""))),
            };
            let notes = one_at_a_time(line.notes.iter().map(|&(onset, duration, pitch)| Note {
                onset: onset * scale,
                duration: duration * scale,
                pitch,
            }));
            if notes.len() >= FEWEST_NOTES {
                self.melodies.push(Melody { group: line.group, free_tempo: line.unit == "quarter", notes });
                self.sources.insert(line.src);
            }
        }
        Ok(())
    }
}

/// Sorts notes, starts them at 0, keeps the highest of a chord, and ends each where the next begins.
fn one_at_a_time(notes: impl Iterator<Item = Note>) -> Vec<Note> {
    let sane = |n: &Note| n.onset.is_finite() && n.duration.is_finite() && n.duration > 0.0 && n.pitch > 0.0 && n.pitch <= 127.0;
    let mut sorted: Vec<Note> = notes.filter(sane).collect();
    sorted.sort_by(|a, b| a.onset.total_cmp(&b.onset));
    let begin = sorted.first().map_or(0.0, |n| n.onset);
    let mut melody: Vec<Note> = Vec::with_capacity(sorted.len());
    for mut note in sorted {
        note.onset -= begin;
        match melody.last_mut() {
            Some(last) if note.onset - last.onset < CHORD => {
                if note.pitch > last.pitch {
                    *last = Note { onset: last.onset, ..note };
                }
                continue;
            }
            Some(last) => last.duration = last.duration.min(note.onset - last.onset),
            None => {}
        }
        melody.push(note);
    }
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
            let mut gz = GzEncoder::new(File::create(&path).unwrap(), Default::default());
            gz.write_all(text.as_bytes()).unwrap();
            gz.finish().unwrap();
        };
        write(&format!("{good}\n\n{good}\n"));
        let mut collection = Collection::default();
        collection.read(&path).unwrap();
        assert_eq!(collection.melodies.len(), 2);
        assert!(collection.sources.contains("own") && collection.melodies[0].free_tempo);
        assert_eq!(collection.melodies[0].notes[1], Note { onset: 0.5, duration: 0.5, pitch: 61.0 });
        write(&format!("{good}\n{{}}\n"));
        assert!(Collection::default().read(&path).unwrap_err().to_string().contains(":2:"));
    }

    #[test]
    fn the_generator_gives_different_melodies() {
        let (a, b) = (Collection::generated(5, 1), Collection::generated(5, 2));
        assert_eq!(a.melodies.len(), 5);
        assert_eq!(a.melodies, Collection::generated(5, 1).melodies);
        assert_ne!(a.melodies[0].notes, a.melodies[1].notes);
        assert_ne!(a.melodies[0].notes, b.melodies[0].notes);
    }

    #[test]
    fn chords_and_overlaps_become_a_single_line() {
        let note = |onset, duration, pitch| Note { onset, duration, pitch };
        let notes = [note(2.0, 1.0, 60.0), note(1.0, 3.0, 50.0), note(1.01, 3.0, 64.0), note(5.0, 1.0, f32::NAN)];
        assert_eq!(one_at_a_time(notes.into_iter()), [note(0.0, 1.0, 64.0), note(1.0, 1.0, 60.0)]);
    }
}
