//! Recorded speech for the studio's voices.

use std::path::{Path, PathBuf};

use qbh_synthesis::SAMPLE_RATE;
use qbh_synthesis::voice::speech::{Speaker, SpeechBank};
use rayon::prelude::*;

use super::{PassedOver, TrainError, recordings};
use crate::audio;

/// Seconds of speech taken altogether (some 250 MB when analysed).
const TOTAL: usize = 2400;
/// Least and most seconds of one speaker.
const EACH: (usize, usize) = (20, 300);

/// Analyses what the speakers in a folder say, on rayon's current pool: every sub-folder is one, the files in the folder
/// itself another. Of many speakers some are taken, of long recordings the beginning. Files that cannot be read are passed over.
///
/// # Errors
/// Nobody speaks in the folder.
pub fn load(folder: &Path, passed_over: &PassedOver) -> Result<SpeechBank, TrainError> {
    let mut speakers = sub_folders(folder, passed_over)?;
    let all = speakers.len();
    let most = TOTAL / EACH.0;
    if all > most {
        speakers = (0..most).map(|i| speakers[i * all / most].clone()).collect();
    }
    // Not everybody has said as much as is allowed.
    let allowed = (2 * TOTAL / speakers.len()).clamp(EACH.0, EACH.1) * SAMPLE_RATE;
    let analyse = |files: &Vec<PathBuf>| Speaker::analyse(&read(files, allowed, passed_over));
    let found: Vec<Speaker> = speakers.par_iter().filter_map(analyse).collect();
    let bank = SpeechBank::new(within(found));
    if bank.is_empty() { Err(TrainError::nothing(folder, "no recordings of speech")) } else { Ok(bank) }
}

/// The recordings of every speaker.
fn sub_folders(folder: &Path, passed_over: &PassedOver) -> Result<Vec<Vec<PathBuf>>, TrainError> {
    let root = folder.canonicalize().map_err(|error| TrainError::file(folder, error))?;
    let mut speakers: Vec<(Option<PathBuf>, Vec<PathBuf>)> = Vec::new();
    for path in recordings::below(folder, passed_over) {
        let mut inside = path.strip_prefix(&root).unwrap_or(&path).components();
        let first = inside.next();
        let name = inside.next().and(first).map(|first| PathBuf::from(first.as_os_str()));
        match speakers.iter_mut().find(|s| s.0 == name) {
            Some(speaker) => speaker.1.push(path),
            None => speakers.push((name, vec![path])),
        }
    }
    if speakers.is_empty() {
        return Err(TrainError::nothing(folder, "no recordings"));
    }
    Ok(speakers.into_iter().map(|s| s.1).collect())
}

/// Decodes recordings until `allowed` samples have been read.
fn read(files: &[PathBuf], allowed: usize, passed_over: &PassedOver) -> Vec<Vec<f32>> {
    let mut recordings: Vec<Vec<f32>> = Vec::new();
    let mut left = allowed;
    for path in files {
        if left == 0 {
            break;
        }
        let mut samples = Vec::new();
        match audio::open(path, SAMPLE_RATE as u32).and_then(|mut stream| stream.read(left, &mut samples)) {
            Ok(()) => {
                left -= samples.len();
                recordings.push(samples);
            }
            Err(error) => passed_over(path, &error),
        }
    }
    recordings
}

/// As many of the speakers, evenly chosen, as there is room for.
fn within(mut speakers: Vec<Speaker>) -> Vec<Speaker> {
    let seconds: f32 = speakers.iter().map(Speaker::seconds).sum();
    let keep = (TOTAL as f32 / seconds).min(1.0);
    let mut place = 0.0;
    speakers.retain(|_| {
        let before = place as usize;
        place += keep;
        keep == 1.0 || place as usize > before
    });
    speakers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speakers_are_found_by_folder_and_bad_files_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["anna/1.wav", "anna/more/2.wav", "ben/1.flac", "3.mp3", "ben/notes.txt"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "no recording").unwrap();
        }
        let mut counts: Vec<usize> = sub_folders(dir.path(), &|_, _| ()).unwrap().iter().map(Vec::len).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 1, 2]);
        assert!(load(dir.path(), &|_, _| ()).unwrap_err().to_string().contains("no recordings of speech"));
        assert!(load(&dir.path().join("nowhere"), &|_, _| ()).is_err());
    }
}
