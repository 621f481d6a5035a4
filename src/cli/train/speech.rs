//! Recorded speech for the studio's voices.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use qbh::audio;
use qbh::library::walk;
use qbh_synthesis::SAMPLE_RATE;
use qbh_synthesis::voice::speech::{Speaker, SpeechBank};
use rayon::prelude::*;

/// Seconds of speech taken altogether (some 250 MB when analysed).
const TOTAL: usize = 2400;
/// Least and most seconds of one speaker.
const EACH: (usize, usize) = (20, 300);

/// Analyses what the speakers in a folder say, on rayon's current pool: every sub-folder is one, the files in the folder
/// itself another. Of many speakers some are taken, of long recordings the beginning. Files that cannot be read are reported
/// and passed over; it is an error when nobody is left.
pub fn load(dir: &Path) -> anyhow::Result<SpeechBank> {
    let mut speakers = sub_folders(dir)?;
    let all = speakers.len();
    let most = TOTAL / EACH.0;
    if all > most {
        speakers = (0..most).map(|i| speakers[i * all / most].clone()).collect();
    }
    // Not everybody has said as much as is allowed.
    let allowed = (2 * TOTAL / speakers.len()).clamp(EACH.0, EACH.1) * SAMPLE_RATE;
    let found: Vec<Speaker> = speakers.par_iter().filter_map(|files| Speaker::analyse(&read(files, allowed))).collect();
    let bank = SpeechBank::new(within(found));
    ensure!(!bank.is_empty(), "{} holds no recordings of speech", dir.display());
    eprintln!("{} speakers of {all}, {:.0} min of speech", bank.len(), bank.seconds() / 60.0);
    Ok(bank)
}

/// The recordings of every speaker.
fn sub_folders(dir: &Path) -> anyhow::Result<Vec<Vec<PathBuf>>> {
    let root = dir.canonicalize()?;
    let mut speakers: Vec<(Option<PathBuf>, Vec<PathBuf>)> = Vec::new();
    for path in walk::files(dir) {
        let path = match path {
            Ok(path) if walk::is_audio(&path) => path,
            Ok(_) => continue,
            Err(error) => {
                eprintln!("{error}");
                continue;
            }
        };
        let inside = path.strip_prefix(&root).unwrap_or(&path);
        let name = (inside.components().count() > 1).then(|| inside.components().next().expect("two").as_os_str().into());
        match speakers.iter_mut().find(|s| s.0 == name) {
            Some(speaker) => speaker.1.push(path),
            None => speakers.push((name, vec![path])),
        }
    }
    ensure!(!speakers.is_empty(), "{} holds no recordings", dir.display());
    Ok(speakers.into_iter().map(|s| s.1).collect())
}

/// Decodes recordings until `allowed` samples have been read.
fn read(files: &[PathBuf], allowed: usize) -> Vec<Vec<f32>> {
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
            Err(error) => eprintln!("{}: {error}", path.display()),
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
        let mut counts: Vec<usize> = sub_folders(dir.path()).unwrap().iter().map(Vec::len).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 1, 2]);
        assert!(load(dir.path()).unwrap_err().to_string().contains("no recordings of speech"));
        assert!(load(&dir.path().join("nowhere")).is_err());
    }
}
