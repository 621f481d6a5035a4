//! `qbh pitch`: writes down the melody of recordings.

use super::context::{Context, DeviceName};
use super::format::duration;
use super::{Status, complain, models};
use anyhow::{Context as _, Result};
use clap::ValueEnum;
use qbh::library::listen::{self, Piece};
use qbh::pitchfile;
use qbh::plot::pitch_svg;
use qbh_models::extractor::DEFAULT_EXTRACTOR;
use qbh_models::pitch::midi_to_hz;
use qbh_models::{Contour, PitchTrack};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Arguments of `qbh pitch`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
txt has a row every 10 ms: time in seconds, f0 in Hz, 0 where there is no melody, as the published extractors write. csv adds the \
probability of a voice, json holds the same in one object, midi the notes of the melody.

Examples:
  qbh pitch song.mp3
  qbh pitch *.flac -o tracks --format csv --plot")]
pub struct Args {
    /// Recordings; scores and pitch files are converted
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Folder for the pitch_NAME files
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t = TrackFormat::Txt)]
    format: TrackFormat,
    /// Draw pitch_NAME.svg too
    #[arg(long)]
    plot: bool,
    /// Melody extractor, by name (qbh models) or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EXTRACTOR)]
    extractor: String,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
}

/// File formats of pitch tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TrackFormat {
    Txt,
    Csv,
    Json,
    Midi,
}

impl TrackFormat {
    fn extension(self) -> &'static str {
        match self {
            TrackFormat::Txt => "txt",
            TrackFormat::Csv => "csv",
            TrackFormat::Json => "json",
            TrackFormat::Midi => "mid",
        }
    }

    fn write(self, track: &PitchTrack, out: &mut dyn Write) -> std::io::Result<()> {
        match self {
            TrackFormat::Txt => pitchfile::write_text(track, out),
            TrackFormat::Csv => pitchfile::write_csv(track, out),
            TrackFormat::Json => pitchfile::write_json(track, out),
            TrackFormat::Midi => pitchfile::write_midi(track, out),
        }
    }
}

/// Writes a file per melody; a file without one does not keep the others from being written.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let extractor = models::open_extractor(&args.extractor, context, args.device.device()?)?;
    std::fs::create_dir_all(&args.output).with_context(|| format!("cannot make folder {}", args.output.display()))?;
    let mut status = Status::Done;
    let mut taken = HashSet::new();
    for file in &args.files {
        match listen::listen(file, &*extractor) {
            Ok(heard) => heard.pieces.into_iter().try_for_each(|piece| write(args, file, piece, &mut taken, out))?,
            Err(error) => {
                complain(format!("{}: {error}; {}", file.display(), error.remedy()));
                status = Status::Failed;
            }
        }
    }
    Ok(status)
}

fn write(args: &Args, file: &Path, piece: Piece, taken: &mut HashSet<PathBuf>, out: &mut dyn Write) -> Result<()> {
    let name = name(file, piece.member.as_deref());
    let voiced = 100.0 * piece.contour.voiced_fraction();
    let track = piece.pitch.unwrap_or_else(|| from_score(&piece.contour));
    let path = free(args.output.join(format!("pitch_{name}")), args.format.extension(), taken);
    save(&path, |out| args.format.write(&track, out))?;
    writeln!(out, "{}: {}, melody in {voiced:.0} % of it", path.display(), duration(track.duration()))?;
    if args.plot {
        let path = path.with_extension("svg");
        let svg = pitch_svg(&track, &name)?;
        save(&path, |out| out.write_all(svg.as_bytes()))?;
    }
    Ok(())
}

/// The stem of the file, and the tune's name within it.
fn name(file: &Path, member: Option<&str>) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    match member {
        Some(member) => format!("{stem}_{}", member.replace(['/', '\\'], "_")),
        None => stem.into_owned(),
    }
}

/// A path that nothing has been written to in this run: files of equal name in different folders are numbered.
fn free(stem: PathBuf, extension: &str, taken: &mut HashSet<PathBuf>) -> PathBuf {
    let numbered = |n: usize| PathBuf::from(format!("{}-{n}.{extension}", stem.display()));
    let plain = PathBuf::from(format!("{}.{extension}", stem.display()));
    let mut candidates = std::iter::once(plain).chain((2..).map(numbered));
    let path = candidates.find(|path| !taken.contains(path)).unwrap_or(stem);
    taken.insert(path.clone());
    path
}

fn save(path: &Path, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let save = || {
        let mut out = BufWriter::new(File::create(path)?);
        write(&mut out)?;
        out.flush()
    };
    save().with_context(|| format!("cannot write {}", path.display()))
}

/// A score as a pitch track: ten frames a step.
fn from_score(contour: &Contour) -> PitchTrack {
    let hz = |&pitch: &f32| if pitch > 0.0 { midi_to_hz(pitch) } else { 0.0 };
    PitchTrack::from_f0(contour.pitch.iter().map(hz).flat_map(|f0| [f0; 10]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_collide() {
        assert_eq!(name(Path::new("a/tunes.abc"), Some("x/1")), "tunes_x_1");
        let mut taken = HashSet::new();
        let mut next = || free(PathBuf::from("out/pitch_v1.2"), "txt", &mut taken);
        assert_eq!([next(), next()], [PathBuf::from("out/pitch_v1.2.txt"), PathBuf::from("out/pitch_v1.2-2.txt")]);
    }
}
