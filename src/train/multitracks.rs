//! Real voices beside what accompanied them, and their pitch, from folders and tables.

use std::path::{Path, PathBuf};

use qbh_synthesis::multitracks::{Multitracks, Track};
use qbh_synthesis::random::Draw;
use rayon::prelude::*;
use serde::Deserialize;

use super::{PassedOver, TrainError, recordings};
use crate::pitchfile;

/// The recordings, and how often one of them is chosen.
pub struct Choice {
    /// The recordings.
    pub tracks: Multitracks,
    share: f32,
}

impl Choice {
    /// Whether the crop of this seed is one of them.
    pub fn chosen(&self, seed: u64) -> bool {
        !self.tracks.is_empty() && Draw::stream(seed, 8).chance(self.share)
    }
}

/// The files of one recording, named by its voice.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Files {
    voice: PathBuf,
    backing: Option<PathBuf>,
    pitch: PathBuf,
}

impl Files {
    fn name(&self) -> String {
        self.voice.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn read(&self) -> Result<Track, TrainError> {
        let f0 = pitchfile::read_of(&self.voice, &self.pitch).map_err(|error| TrainError::file(&self.pitch, error))?.f0;
        let backing = self.backing.as_ref().map(|backing| recordings::whole(backing)).transpose()?.unwrap_or_default();
        Ok(Track { voice: recordings::whole(&self.voice)?, backing, f0 })
    }
}

/// Reads folders and tables of recordings, on rayon's current pool; those whose names begin as one of `leave_out` stay out. `share` of
/// the training is to be on them, 0..=1.
///
/// # Errors
/// Files that cannot be read, and names to leave out that no recording has: what is meant to be held out would be trained on.
pub fn read(paths: &[PathBuf], leave_out: &[String], share: f32) -> Result<Choice, TrainError> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(list(path)?);
    }
    let nothing = |what: &str| paths.first().map_or(Ok(()), |path| Err(TrainError::nothing(path, what)));
    for name in leave_out {
        let before = files.len();
        files.retain(|f: &Files| !f.name().starts_with(name));
        if files.len() == before {
            nothing(&format!("no recording whose name begins with {name:?}"))?;
        }
    }
    if files.is_empty() {
        nothing("no recording that is not left out")?;
    }
    let mut tracks = Multitracks::default();
    for track in files.par_iter().map(Files::read).collect::<Vec<_>>() {
        tracks.add(track?);
    }
    Ok(Choice { tracks, share })
}

/// The recordings of a folder or table, in the order of their names or rows.
fn list(path: &Path) -> Result<Vec<Files>, TrainError> {
    let files = if path.is_dir() { folder(path) } else { table(path)? };
    if files.is_empty() {
        return Err(TrainError::nothing(
            path,
            "no multitracks: neither voice/NAME.* with pitch/NAME.pv nor rows of voice,backing,pitch",
        ));
    }
    Ok(files)
}

fn folder(path: &Path) -> Vec<Files> {
    // What cannot be looked at is missed below, where it belongs to a voice.
    let ignored: &PassedOver = &|_, _| {};
    let backings = recordings::below(&path.join("backing"), ignored);
    let voices = recordings::below(&path.join("voice"), ignored).into_iter();
    let files = voices.map(|voice| Files {
        backing: backings.iter().find(|b| b.file_stem() == voice.file_stem()).cloned(),
        pitch: path.join("pitch").join(format!("{}.pv", voice.file_stem().unwrap_or_default().display())),
        voice,
    });
    files.filter(|f| f.pitch.exists()).collect()
}

fn table(path: &Path) -> Result<Vec<Files>, TrainError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|error| TrainError::file(path, error))?;
    let rows = rows.into_deserialize::<Files>().map(|row| {
        let Files { voice, backing, pitch } = row.map_err(|error| TrainError::file(path, error))?;
        Ok(Files { voice: folder.join(voice), backing: backing.map(|b| folder.join(b)), pitch: folder.join(pitch) })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a_1` with a backing, `b_1` without; both have a pitch of 25 frames.
    fn layout(dir: &Path) {
        for name in ["voice/a_1", "backing/a_1", "voice/b_1", "voice/no_pitch"] {
            std::fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
            wav(&dir.join(format!("{name}.wav")), 8000);
        }
        std::fs::create_dir(dir.join("pitch")).unwrap();
        for name in ["a_1", "b_1"] {
            std::fs::write(dir.join(format!("pitch/{name}.pv")), "69\n".repeat(25)).unwrap();
        }
    }

    /// Seconds of 16 kHz, all of one value.
    fn wav(path: &Path, samples: usize) {
        let spec =
            hound::WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        (0..samples).for_each(|_| writer.write_sample(3000i16).unwrap());
        writer.finalize().unwrap();
    }

    #[test]
    fn folders_are_in_frames_of_mir_1k_and_singers_can_be_left_out() {
        let dir = tempfile::tempdir().unwrap();
        layout(dir.path());
        let files = list(dir.path()).unwrap();
        assert_eq!(files.iter().map(Files::name).collect::<Vec<_>>(), ["a_1", "b_1"]);
        assert!(files[0].backing.is_some() && files[1].backing.is_none());
        // 25 frames of 20 ms, the first at 20 ms.
        assert_eq!(files[0].read().unwrap().f0.len(), 51);
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let read = |leave_out: &[&str]| read(&[dir.path().to_path_buf()], &names(leave_out), 0.5);
        assert_eq!(read(&[]).unwrap().tracks.len(), 2);
        assert_eq!(read(&["b"]).unwrap().tracks.len(), 1);
        assert!(read(&["nobody"]).is_err() && read(&["a", "b"]).is_err());
    }

    #[test]
    fn a_manifest_takes_any_pitch_and_needs_no_backing() {
        let dir = tempfile::tempdir().unwrap();
        layout(dir.path());
        std::fs::write(dir.path().join("x.csv"), "0.00,220\n0.01,220\n0.02,0\n").unwrap();
        let manifest = dir.path().join("tracks.csv");
        std::fs::write(&manifest, "voice,backing,pitch\nvoice/a_1.wav,backing/a_1.wav,x.csv\nvoice/b_1.wav,,x.csv\n").unwrap();
        let tracks: Vec<Track> = list(&manifest).unwrap().iter().map(|files| files.read().unwrap()).collect();
        assert_eq!(tracks[0].f0, [220.0, 220.0, 0.0]);
        assert!(tracks[0].backing.len() == 8000 && tracks[1].backing.is_empty());
        std::fs::write(&manifest, "a,b\n1,2\n").unwrap();
        assert!(list(&manifest).is_err() && list(&dir.path().join("nowhere.csv")).is_err());
    }

    #[test]
    fn without_multitracks_the_studio_is_alone() {
        let choice = read(&[], &[], 0.5).unwrap();
        assert!((0..50).all(|seed| !choice.chosen(seed)));
    }
}
