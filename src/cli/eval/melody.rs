//! `qbh eval melody`.

use super::Status;
use super::heading::{Role, intervals};
use crate::cli::context::{Context, DeviceName};
use crate::cli::{complain, models};
use anyhow::{Context as _, Result, bail};
use qbh::eval::bootstrap::{Interval, interval};
use qbh::eval::estimate::Estimate;
use qbh::eval::melody::MelodyScores;
use qbh::eval::recordings;
use qbh::eval::reference::Reference;
use qbh::eval::units::Units;
use qbh::library::listen;
use qbh_models::extractor::{DEFAULT_EXTRACTOR, Extractor};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Arguments of `qbh eval melody`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A reference has the name of the recording: NAME.wav with NAME.txt, .csv, .pitch.txt or _f0.csv, NAMEREF.txt (MIREX05, ADC2004), NAME.pv
(MIR-1K, iKala: rows 20 or 32 ms apart, as the length of the recording tells), and TRACK_MIX.wav with TRACK_MELODY2.csv (MedleyDB). Two columns are `time f0` (seconds, Hz, 0 = unvoiced) and
scored as mir_eval.melody does. Three are notes, `onset offset pitch` (seconds, MIDI pitch or `free`), and scored on frames, OA by
pitch class. RPA and RCA count guesses of the pitch in frames called unvoiced (negative f0 in pitch files). AUC is the area under
the ROC curve of the voicing: 1 if one threshold tells all voiced frames from the unvoiced.

Examples:
  qbh eval melody recordings/
  qbh eval melody MIR-1K/Wavfile --references MIR-1K/PitchLabel --csv scores.csv
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
    /// Folder of the references, when they are not beside the recordings
    #[arg(long, value_name = "DIR")]
    references: Option<PathBuf>,
    /// Call frames voiced from this probability on, instead of the extractor's own threshold
    #[arg(long, value_name = "P")]
    voicing_threshold: Option<f64>,
    /// Move the references by so many semitones first
    #[arg(long, value_name = "SEMITONES", default_value_t = 0.0, allow_negative_numbers = true)]
    transpose: f64,
    /// Cents within which a pitch is right, for references made of notes
    #[arg(long, value_name = "CENTS", default_value_t = 50.0)]
    tolerance: f64,
    /// Say in the output what the set is for: development sets are for choosing and fitting, test sets for telling
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// Seconds from one row to the next of .pv files, instead of what follows from the length of the recording
    #[arg(long, value_name = "SECONDS", value_parser = hop)]
    hop: Option<f64>,
    /// Write the scores of every recording to this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
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
    /// Of the voicing; `None` where the reference is all voiced or all unvoiced.
    auc: Option<f64>,
}

/// Scores every recording that has a reference; the mean counts every recording once.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let names = || args.folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ");
    let pairs = recordings::with_references(&args.folders, args.references.as_deref())
        .with_context(|| format!("cannot read {}", names()))?;
    if pairs.is_empty() {
        bail!("no recording in {} has a reference of its name (NAME.wav with NAME.txt or NAME.csv)", names());
    }
    let extractor = match &args.estimates {
        Some(_) => None,
        None => Some(models::open_extractor(&args.extractor, context, args.device.device()?)?),
    };
    let mut rows = Vec::new();
    for (recording, reference) in &pairs {
        let reference = Reference::read(reference, recording, args.hop)?.transposed(args.transpose);
        match estimate(recording, extractor.as_deref(), args) {
            Ok(mut estimate) => {
                if let Some(threshold) = args.voicing_threshold {
                    estimate = estimate.with_voicing_threshold(threshold);
                }
                let scores = reference.score(&estimate, Some(args.tolerance));
                rows.push(Row { file: recording.display().to_string(), scores, auc: reference.voicing_auc(&estimate) })
            }
            Err(error) => complain(format!("{}: {error:#}", recording.display())),
        }
    }
    if rows.is_empty() {
        bail!("none of {} recordings could be scored", pairs.len());
    }
    if let Some(path) = &args.csv {
        write_csv(path, &rows).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let units = Units::of_recordings(rows.iter().map(Row::stem));
    let mean =
        |of: fn(&MelodyScores) -> f64| interval(&rows.iter().map(|row| of(&row.scores)).collect::<Vec<_>>(), &units.clusters);
    let mut columns = vec![
        ("VR", mean(|s| s.vr)),
        ("VFA", mean(|s| s.vfa)),
        ("RPA", mean(|s| s.rpa)),
        ("RCA", mean(|s| s.rca)),
        ("OA", mean(|s| s.oa)),
    ];
    let (areas, of): (Vec<f64>, Vec<&str>) = rows.iter().filter_map(|row| Some((row.auc?, row.stem()))).unzip();
    if !areas.is_empty() {
        columns.push(("AUC", interval(&areas, &Units::of_recordings(of).clusters)));
    }
    if args.json {
        let mean: BTreeMap<String, Interval> = columns.iter().map(|(name, i)| (name.to_lowercase(), *i)).collect();
        let extractor = extractor.as_ref().map(|e| e.info().name.clone());
        let report = serde_json::json!({
            "schema": "qbh.eval.melody/1", "role": args.role, "extractor": extractor, "n": rows.len(),
            "unit": units.unit, "units": units.clusters.len(), "mean": mean, "files": rows,
        });
        writeln!(out, "{report}")?;
    } else {
        writeln!(out, "  VR    VFA   RPA   RCA   OA    AUC   file")?;
        for Row { file, scores: s, auc } in &rows {
            let auc = auc.map_or("  -  ".to_string(), |auc| format!("{auc:.3}"));
            writeln!(out, "  {:.3} {:.3} {:.3} {:.3} {:.3} {auc} {file}", s.vr, s.vfa, s.rpa, s.rca, s.oa)?;
        }
        writeln!(out, "{}mean of {}", Role::prefix(args.role), units.describe(rows.len(), "recordings"))?;
        writeln!(out, "{}", intervals(&units, "recordings"))?;
        for (name, Interval { mean, low, high }) in columns {
            writeln!(out, "  {name:<4} {mean:.3}  ({low:.3} to {high:.3})")?;
        }
    }
    Ok(if rows.len() == pairs.len() { Status::Done } else { Status::Failed })
}

/// What `--hop` takes.
fn hop(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.001..=0.25).contains(seconds));
    seconds.ok_or_else(|| "seconds from 0.001 to 0.25 are expected, such as 0.02".to_string())
}

impl Row {
    /// The recording's name without folder and extension.
    fn stem(&self) -> &str {
        Path::new(&self.file).file_stem().and_then(|stem| stem.to_str()).unwrap_or(&self.file)
    }
}

fn estimate(recording: &Path, extractor: Option<&dyn Extractor>, args: &Args) -> Result<Estimate> {
    if let Some(folder) = &args.estimates {
        let file =
            recordings::estimate_of(recording, folder).with_context(|| format!("no pitch file in {}", folder.display()))?;
        return Ok(Estimate::read(&file, recording, args.hop)?);
    }
    let extractor = extractor.context("no extractor")?;
    Ok(listen::pitch_track(recording, extractor)?.into())
}

fn write_csv(path: &Path, rows: &[Row]) -> Result<()> {
    let mut csv = csv::Writer::from_path(path)?;
    csv.write_record(["file", "vr", "vfa", "rpa", "rca", "oa", "auc"])?;
    for Row { file, scores: s, auc } in rows {
        let numbers = [Some(s.vr), Some(s.vfa), Some(s.rpa), Some(s.rca), Some(s.oa), *auc];
        let numbers = numbers.map(|n| n.map_or(String::new(), |n| n.to_string()));
        csv.write_record(std::iter::once(file.clone()).chain(numbers))?;
    }
    Ok(csv.flush()?)
}
