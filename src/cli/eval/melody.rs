//! `qbh eval melody`.

use super::Status;
use crate::cli::context::{Context, DeviceName};
use crate::cli::{complain, models};
use anyhow::{Context as _, Result, bail};
use qbh::eval::bootstrap::{Interval, interval};
use qbh::eval::melody::MelodyScores;
use qbh::eval::reference::Reference;
use qbh::library::listen;
use qbh::pitchfile;
use qbh_models::PitchTrack;
use qbh_models::extractor::{DEFAULT_EXTRACTOR, Extractor};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Extensions of files that hold pitch over time.
const PITCH_EXTENSIONS: [&str; 3] = ["txt", "csv", "f0"];

/// Arguments of `qbh eval melody`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A reference is a text or CSV file of the same name as the recording: NAME.wav with NAME.txt, NAME.csv, NAME.pitch.txt or NAME_f0.csv.
Two columns are `time f0` (seconds, Hz, 0 = unvoiced) and scored as mir_eval.melody does. Three are notes, `onset offset pitch`
(seconds, MIDI pitch or `free`), and scored on frames, by pitch class.

Examples:
  qbh eval melody recordings/
  qbh eval melody recordings/ --estimates other_program/   pitch files of another program, NAME.txt or NAME.csv")]
pub struct Args {
    /// Folders with recordings and references of the same names
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Melody extractor, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EXTRACTOR)]
    extractor: String,
    /// Score the pitch files of this folder instead of extracting
    #[arg(long, value_name = "DIR", conflicts_with = "extractor")]
    estimates: Option<PathBuf>,
    /// Move the references by so many semitones first
    #[arg(long, value_name = "SEMITONES", default_value_t = 0.0, allow_negative_numbers = true)]
    transpose: f64,
    /// Cents within which a pitch is right, for references made of notes
    #[arg(long, value_name = "CENTS", default_value_t = 50.0)]
    tolerance: f64,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Where the network runs
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
}

#[derive(Debug, Serialize)]
struct Row {
    file: String,
    #[serde(flatten)]
    scores: MelodyScores,
}

/// Scores every recording that has a reference; the mean counts every recording once.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let pairs = pairs(&args.folders)?;
    let extractor = match &args.estimates {
        Some(_) => None,
        None => Some(models::open_extractor(&args.extractor, context, args.device.device()?)?),
    };
    let mut rows = Vec::new();
    for (recording, reference) in &pairs {
        let reference = Reference::read(reference)?.transposed(args.transpose);
        match estimate(recording, extractor.as_deref(), args.estimates.as_deref()) {
            Ok(track) => {
                rows.push(Row { file: recording.display().to_string(), scores: reference.score(&track, Some(args.tolerance)) })
            }
            Err(error) => complain(format!("{}: {error:#}", recording.display())),
        }
    }
    if rows.is_empty() {
        bail!("none of {} recordings could be scored", pairs.len());
    }
    let mean = |of: fn(&MelodyScores) -> f64| interval(&rows.iter().map(|row| of(&row.scores)).collect::<Vec<_>>());
    let columns = [
        ("VR", mean(|s| s.vr)),
        ("VFA", mean(|s| s.vfa)),
        ("RPA", mean(|s| s.rpa)),
        ("RCA", mean(|s| s.rca)),
        ("OA", mean(|s| s.oa)),
    ];
    if args.json {
        let mean: BTreeMap<String, Interval> = columns.iter().map(|(name, i)| (name.to_lowercase(), *i)).collect();
        let extractor = extractor.as_ref().map(|e| e.info().name.clone());
        let report = serde_json::json!({ "schema": "qbh.eval.melody/1", "extractor": extractor, "n": rows.len(), "mean": mean, "files": rows });
        writeln!(out, "{report}")?;
    } else {
        writeln!(out, "  VR    VFA   RPA   RCA   OA    file")?;
        for Row { file, scores: s } in &rows {
            writeln!(out, "  {:.3} {:.3} {:.3} {:.3} {:.3} {file}", s.vr, s.vfa, s.rpa, s.rca, s.oa)?;
        }
        writeln!(out, "mean of {}, with 95 % bootstrap intervals", rows.len())?;
        for (name, Interval { mean, low, high }) in columns {
            writeln!(out, "  {name:<4} {mean:.3}  ({low:.3} to {high:.3})")?;
        }
    }
    Ok(if rows.len() == pairs.len() { Status::Done } else { Status::Failed })
}

fn estimate(recording: &Path, extractor: Option<&dyn Extractor>, estimates: Option<&Path>) -> Result<PitchTrack> {
    if let Some(folder) = estimates {
        let stem = recording.file_stem().unwrap_or_default().to_string_lossy();
        let names = PITCH_EXTENSIONS.map(|extension| folder.join(format!("{stem}.{extension}")));
        let file = names.iter().find(|path| path.is_file()).with_context(|| format!("{} does not exist", names[0].display()))?;
        return Ok(pitchfile::read(file)?);
    }
    let extractor = extractor.context("no extractor")?;
    let heard = listen::listen(recording, extractor)?;
    heard.pieces.into_iter().next().and_then(|piece| piece.pitch).context("it is no recording")
}

/// Recordings that have a reference, sorted.
fn pairs(folders: &[PathBuf]) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut pairs = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for path in entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()? {
            if is_reference(&path) || !path.is_file() {
                continue;
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let reference = PITCH_EXTENSIONS
                .map(|extension| format!("{stem}.{extension}"))
                .into_iter()
                .chain([format!("{stem}.pitch.txt"), format!("{stem}_f0.csv")])
                .map(|name| folder.join(name))
                .find(|reference| reference.is_file());
            pairs.extend(reference.map(|reference| (path, reference)));
        }
    }
    pairs.sort();
    if pairs.is_empty() {
        bail!("no recording with a reference of its name was found (NAME.wav with NAME.txt or NAME.csv)");
    }
    Ok(pairs)
}

fn is_reference(path: &Path) -> bool {
    path.extension().is_some_and(|e| PITCH_EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}
