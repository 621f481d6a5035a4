//! `qbh train extractor --multitracks`: real voices, what accompanied them, and their pitch.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use qbh::pitchfile::{self, Format, PvFrames};
use qbh_models::synthesis::multitracks::{Multitracks, Track};
use qbh_models::synthesis::random::Draw;
use rayon::prelude::*;
use serde::Deserialize;

use super::recordings;

/// Arguments of the multitracks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Real singing with known pitch: folders in the layout of MIR-1K (voice/NAME.*, backing/NAME.*, pitch/NAME.pv), or CSV files with
    /// the header `voice,backing,pitch` (files relative to the CSV; the backing may be empty, the pitch is any pitch file)
    #[arg(long, num_args = 1.., value_name = "DIR|FILE.csv")]
    multitracks: Vec<PathBuf>,
    /// Keep recordings whose name begins so (singers, say) out of the training
    #[arg(long, num_args = 1.., value_name = "NAME", requires = "multitracks")]
    leave_out: Vec<String>,
    /// Share of the training that is on the multitracks, the rest being the studio's
    #[arg(long, default_value_t = 0.5, value_name = "SHARE", requires = "multitracks")]
    multitrack_share: f32,
}

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

    fn read(&self) -> Result<Track> {
        let audio = |path: &PathBuf| recordings::whole(path).with_context(|| path.display().to_string());
        let pitch = || match self.pitch.extension() {
            // Beside a `voice` folder it is in frames of MIR-1K, whatever the folder is called.
            Some(pv) if pv == "pv" && self.in_layout() => {
                pitchfile::parse(Format::Pv(PvFrames::Mir1k), &std::fs::read(&self.pitch)?)
            }
            _ => pitchfile::read(&self.pitch),
        };
        Ok(Track {
            voice: audio(&self.voice)?,
            backing: self.backing.as_ref().map(audio).transpose()?.unwrap_or_default(),
            f0: pitch().with_context(|| self.pitch.display().to_string())?.f0,
        })
    }

    fn in_layout(&self) -> bool {
        let parent = |path: &Path, name: &str| path.parent().is_some_and(|folder| folder.ends_with(name));
        parent(&self.pitch, "pitch") && parent(&self.voice, "voice")
    }
}

/// Reads the recordings asked for, on rayon's current pool.
///
/// # Errors
/// Files that cannot be read, and names to leave out that no recording has: what is meant to be held out would be trained on.
pub fn read(args: &Args) -> Result<Choice> {
    ensure!((0.0..=1.0).contains(&args.multitrack_share), "--multitrack-share must be from 0 to 1");
    let mut files = Vec::new();
    for path in &args.multitracks {
        files.extend(list(path)?);
    }
    let all = files.len();
    for name in &args.leave_out {
        let before = files.len();
        files.retain(|f| !f.name().starts_with(name));
        ensure!(files.len() < before, "no recording's name begins with {name:?}");
    }
    ensure!(all == 0 || !files.is_empty(), "all of the multitracks are left out");
    let mut tracks = Multitracks::default();
    for track in files.par_iter().map(Files::read).collect::<Vec<_>>() {
        tracks.add(track?);
    }
    if all > 0 {
        eprintln!("{} multitracks of {all}, {:.0} min of voices", tracks.len(), tracks.seconds() / 60.0);
    }
    Ok(Choice { tracks, share: args.multitrack_share })
}

/// The recordings of a folder or manifest, in the order of their names or rows.
fn list(path: &Path) -> Result<Vec<Files>> {
    let files = if path.is_dir() { folder(path) } else { manifest(path).with_context(|| path.display().to_string())? };
    if files.is_empty() {
        bail!("{} holds no multitracks: neither voice/NAME.* with pitch/NAME.pv nor rows of voice,backing,pitch", path.display());
    }
    Ok(files)
}

fn folder(path: &Path) -> Vec<Files> {
    let backings = recordings::below(&path.join("backing"));
    let voices = recordings::below(&path.join("voice")).into_iter();
    let files = voices.map(|voice| Files {
        backing: backings.iter().find(|b| b.file_stem() == voice.file_stem()).cloned(),
        pitch: path.join("pitch").join(format!("{}.pv", voice.file_stem().unwrap_or_default().display())),
        voice,
    });
    files.filter(|f| f.pitch.exists()).collect()
}

fn manifest(path: &Path) -> Result<Vec<Files>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path)?;
    let rows = rows.deserialize::<Files>().map(|row| {
        let row = row?;
        let Files { voice, backing, pitch } = row;
        Ok(Files { voice: folder.join(voice), backing: backing.map(|b| folder.join(b)), pitch: folder.join(pitch) })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::wav::write_wav;

    /// `a_1` with a backing, `b_1` without; both have a pitch of 25 frames.
    fn layout(dir: &Path) {
        for name in ["voice/a_1", "backing/a_1", "voice/b_1", "voice/no_pitch"] {
            std::fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
            write_wav(&dir.join(format!("{name}.wav")), &[0.1; 8000], 16_000).unwrap();
        }
        std::fs::create_dir(dir.join("pitch")).unwrap();
        for name in ["a_1", "b_1"] {
            std::fs::write(dir.join(format!("pitch/{name}.pv")), "69\n".repeat(25)).unwrap();
        }
    }

    fn args(paths: &[PathBuf], leave_out: &[&str]) -> Args {
        let leave_out = leave_out.iter().map(|name| name.to_string()).collect();
        Args { multitracks: paths.to_vec(), leave_out, multitrack_share: 0.5 }
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
        let read = |leave_out: &[&str]| read(&args(&[dir.path().to_path_buf()], leave_out));
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
        let choice = read(&args(&[], &[])).unwrap();
        assert!((0..50).all(|seed| !choice.chosen(seed)));
    }
}
