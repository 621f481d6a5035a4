//! Where the studio's melodies come from: files of melodies, or the generator.

use std::path::{Path, PathBuf};

use super::random::Draw;
use qbh_models::ModelError;
use qbh_models::notes::json_lines::{MelodyLines, Unit};
use qbh_models::notes::{Note, monophonic};

mod generate;

/// A melody as it is kept: times in seconds, or in quarters.
#[derive(Debug, Clone)]
struct StoredMelody {
    quarters: bool,
    notes: Vec<Note>,
}

/// A passage to be sung: monophonic notes, sorted, in seconds from the passage's beginning.
#[derive(Debug, Clone, Default)]
pub struct Passage {
    /// The notes.
    pub notes: Vec<Note>,
    /// Seconds per beat, where it is known.
    pub beat: Option<f32>,
}

/// An endless supply of melodies.
#[derive(Debug, Clone, Default)]
pub struct MelodySource {
    tunes: Vec<StoredMelody>,
}

impl MelodySource {
    /// Melodies composed on the fly.
    pub fn generated() -> Self {
        MelodySource::default()
    }

    /// Melodies from JSON lines files, plain or gzip: one object a line with `unit` (`sec` or `quarter`) and `notes`
    /// (`[onset, duration, MIDI pitch]`). Melodies of fewer than 16 notes are left out.
    ///
    /// # Errors
    /// When a file cannot be read, a line is no melody, or all files together hold no melody.
    pub fn open(files: &[PathBuf]) -> Result<Self, ModelError> {
        let mut tunes = Vec::new();
        for path in files {
            read(path, &mut tunes)?;
        }
        if tunes.is_empty() {
            return Err(ModelError::Training(format!("no melodies in {files:?}; expected JSON lines with unit and notes")));
        }
        Ok(MelodySource { tunes })
    }

    /// Number of melodies; 0 for the generator.
    pub fn len(&self) -> usize {
        self.tunes.len()
    }

    /// Whether melodies are generated.
    pub fn is_empty(&self) -> bool {
        self.tunes.is_empty()
    }

    /// A passage of a random melody, about `seconds` long, with its written pitches. Melodies shorter than that are repeated.
    pub fn passage(&self, seconds: f32, draw: &mut Draw) -> Passage {
        if self.tunes.is_empty() {
            return generate::song(seconds, draw);
        }
        let tune = &self.tunes[draw.index(self.tunes.len())];
        let beat = tune.quarters.then(|| 60.0 / draw.range(70.0, 150.0));
        let stretch = beat.unwrap_or_else(|| draw.range(0.85, 1.15));
        let total = tune.notes.iter().map(Note::offset).fold(0.0, f32::max) * stretch;
        // Somewhere in the melody, from a note on, after a moment of silence.
        let latest = tune.notes.partition_point(|n| n.onset * stretch < total - seconds).max(1);
        // Of three places the one with the most singing: full songs pause for long.
        let sung = |first: usize| {
            let until = tune.notes[first].onset + seconds / stretch;
            tune.notes[first..].iter().take_while(|n| n.onset < until).map(|n| n.duration).sum::<f32>()
        };
        let first =
            (0..3).map(|_| draw.index(latest.min(tune.notes.len()))).max_by(|a, b| sung(*a).total_cmp(&sung(*b))).unwrap_or(0);
        let lead = draw.range(0.05, 0.8);
        let mut notes = Vec::new();
        let mut shift = lead - tune.notes[first].onset * stretch;
        let mut from = first;
        while shift < seconds {
            for note in &tune.notes[from..] {
                let onset = note.onset * stretch + shift;
                if onset > seconds {
                    break;
                }
                // Held notes of transcriptions run longer than a breath.
                notes.push(Note { onset, duration: (note.duration * stretch).min(4.0), pitch: note.pitch });
            }
            shift += total + draw.range(0.2, 1.5);
            from = 0;
        }
        Passage { notes: without_overlaps(notes), beat }
    }
}

/// What one voice sings of the notes of one melody: a note ends where the next begins, and those under 40 ms are left out.
pub fn without_overlaps(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by(|a, b| a.onset.total_cmp(&b.onset));
    for i in 1..notes.len() {
        let next = notes[i].onset;
        let note = &mut notes[i - 1];
        note.duration = note.duration.min(next - note.onset);
    }
    notes.retain(|n| n.duration >= 0.04);
    notes
}

/// Median pitch of notes, weighted by duration; 60 when there is none.
pub fn median_pitch(notes: &[Note]) -> f32 {
    let mut sorted: Vec<&Note> = notes.iter().collect();
    sorted.sort_by(|a, b| a.pitch.total_cmp(&b.pitch));
    let half = 0.5 * notes.iter().map(|n| n.duration).sum::<f32>();
    let mut sum = 0.0;
    for note in sorted {
        sum += note.duration;
        if sum >= half {
            return note.pitch;
        }
    }
    60.0
}

fn read(path: &Path, tunes: &mut Vec<StoredMelody>) -> Result<(), ModelError> {
    for line in MelodyLines::open(path)? {
        let (_, line) = line?;
        let start = line.written().next().map_or(0.0, |n| n.onset);
        let notes = line
            .written()
            .map(|n| Note { onset: n.onset - start, ..n })
            .filter(|n| n.onset.is_finite() && n.duration > 0.0 && n.duration.is_finite() && (12.0..=120.0).contains(&n.pitch));
        let notes = without_overlaps(monophonic(notes));
        if notes.len() >= 16 {
            tunes.push(StoredMelody { quarters: line.unit == Unit::Quarter, notes });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn files_are_read_and_passages_fill_the_time() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let notes: Vec<(f32, f32, f32)> = (0..20).map(|i| (i as f32, 0.9, 60.0 + (i % 5) as f32)).collect();
        writeln!(file, "{{\"unit\":\"quarter\",\"notes\":{}}}", serde_json::to_string(&notes).unwrap()).unwrap();
        let source = MelodySource::open(&[file.path().to_owned()]).unwrap();
        assert_eq!(source.len(), 1);
        for seed in 0..20 {
            let passage = source.passage(30.0, &mut Draw::new(seed));
            assert!(passage.notes.last().unwrap().onset > 22.0);
            assert!(passage.notes.windows(2).all(|w| w[1].onset >= w[0].offset() - 1e-4 && w[0].onset >= 0.0));
        }
        assert!(MelodySource::open(&[PathBuf::from("nowhere.jsonl")]).is_err());
        writeln!(file, "not a melody").unwrap();
        assert!(MelodySource::open(&[file.path().to_owned()]).unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn generated_passages_are_tonal_and_repeat() {
        let passage = MelodySource::generated().passage(60.0, &mut Draw::new(3));
        assert!(passage.notes.len() > 40 && passage.beat.is_some());
        assert!(passage.notes.windows(2).all(|w| w[1].onset >= w[0].offset() - 1e-4));
        let range = passage.notes.iter().map(|n| n.pitch).fold((127.0f32, 0.0f32), |r, p| (r.0.min(p), r.1.max(p)));
        assert!(range.1 - range.0 <= 26.0, "{range:?}");
        assert_ne!(passage.notes, MelodySource::generated().passage(60.0, &mut Draw::new(4)).notes);
    }
}
