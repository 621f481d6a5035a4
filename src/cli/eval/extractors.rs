//! `qbh eval extractors`: several extractors on several data sets, with what each costs.

use super::Status;
use super::heading::Role;
use crate::cli::context::{Context, DeviceName};
use crate::cli::table::Table;
use crate::cli::{complain, models};
use anyhow::{Context as _, Result, bail};
use qbh::eval::bootstrap::{Interval, interval};
use qbh::eval::melody::MelodyScores;
use qbh::eval::recordings;
use qbh::eval::reference::Reference;
use qbh::eval::units::Units;
use qbh::library::listen;
use qbh_models::extractor::{DEFAULT_EXTRACTOR, Extractor, SHIPPED};
use qbh_models::pitch::PITCH_HOP;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `qbh eval extractors`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every folder is one data set, with references as for qbh eval melody. Scores are means over recordings with 95 % bootstrap intervals, which
resample singers or songs first where the names of the recordings tell them (MIR-1K, iKala);
G/s are billions of multiply-adds of the network per second of audio, RTF is the real-time factor: seconds on one thread per second
of audio, decoding included.

Examples:
  qbh eval extractors ADC2004/ MIREX05/ --weights harmonic-s jdc.safetensors ssl.safetensors")]
pub struct Args {
    /// Folders with recordings and references of the same names
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Extractors, by name or file
    #[arg(long, num_args = 1.., value_name = "NAME", default_value = DEFAULT_EXTRACTOR)]
    weights: Vec<String>,
    /// Cents within which a pitch is right, for references made of notes
    #[arg(long, value_name = "CENTS", default_value_t = 50.0)]
    tolerance: f64,
    /// Say in the output what the sets are for: development sets are for choosing and fitting, test sets for telling
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Where the networks run
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
}

/// Published scores in percent: architecture, data set, and VR, VFA, RPA, RCA, OA as far as they are told.
const PUBLISHED: [(&str, &str, [Option<f64>; 5]); 5] = [
    ("jdc", "MedleyDB vocal", [None, Some(14.4), Some(69.1), None, Some(76.7)]),
    ("multidnn", "ADC2004 vocal", [Some(77.8), Some(11.8), Some(71.4), Some(74.8), Some(73.4)]),
    ("multidnn", "MIREX05 vocal", [None, None, None, None, Some(78.9)]),
    ("multidnn-rnn", "ADC2004 vocal", [Some(83.7), Some(17.8), Some(74.9), Some(77.8), Some(75.9)]),
    ("multidnn-rnn", "MIREX05 vocal", [None, None, None, None, Some(80.9)]),
];

/// An extractor on a data set.
pub(in crate::cli) struct SetScores {
    /// One per recording.
    pub(in crate::cli) scores: Vec<MelodyScores>,
    /// The name of each recording, without folder and extension.
    stems: Vec<String>,
    /// Seconds of audio.
    seconds: f64,
    /// Seconds it took to hear them.
    taken: f64,
    /// Recordings that could not be scored, each complained of.
    failed: usize,
}

impl SetScores {
    /// What the recordings are independent samples of.
    fn units(&self) -> Units {
        Units::of_recordings(self.stems.iter().map(String::as_str))
    }

    /// Means of VR, VFA, RPA, RCA and OA.
    pub(in crate::cli) fn means(&self) -> [Interval; 5] {
        let units = self.units();
        let mean = |of: fn(&MelodyScores) -> f64| interval(&self.scores.iter().map(of).collect::<Vec<_>>(), &units.clusters);
        [mean(|s| s.vr), mean(|s| s.vfa), mean(|s| s.rpa), mean(|s| s.rca), mean(|s| s.oa)]
    }
}

/// Scores an extractor on the recordings of some folders that have a reference.
pub(in crate::cli) fn score_set(extractor: &dyn Extractor, folders: &[PathBuf], tolerance: f64) -> Result<SetScores> {
    let names = || folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ");
    let pairs = recordings::with_references(folders, None).with_context(|| format!("cannot read {}", names()))?;
    let mut set = SetScores { scores: Vec::new(), stems: Vec::new(), seconds: 0.0, taken: 0.0, failed: 0 };
    for (recording, reference) in &pairs {
        let reference = Reference::read(reference, recording, None)?;
        let began = Instant::now();
        match listen::pitch_track(recording, extractor) {
            Ok(track) => {
                set.taken += began.elapsed().as_secs_f64();
                set.seconds += track.len() as f64 * PITCH_HOP;
                set.scores.push(reference.score(&track.into(), Some(tolerance)));
                set.stems.push(recording.file_stem().unwrap_or_default().to_string_lossy().into_owned());
            }
            Err(error) => {
                complain(format!("{}: {error}", recording.display()));
                set.failed += 1;
            }
        }
    }
    if set.scores.is_empty() {
        bail!("no recording in {} could be scored: none has a reference of its name, or none can be read", names());
    }
    Ok(set)
}

/// Prints a row per extractor and data set.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let mut table = Table::new(&["extractor", "set", "of", "VR", "VFA", "RPA", "RCA", "OA", ">G/s", ">RTF", ">MB"]);
    let (mut rows, mut architectures, mut failed) = (Vec::new(), Vec::new(), 0);
    for name in &args.weights {
        let extractor = models::open_extractor(name, context, args.device.device()?)?;
        let info = extractor.info();
        let megabytes = size(name, context) as f64 / 1e6;
        let giga = extractor.multiply_adds() / 1e9;
        architectures.push(info.architecture.clone());
        for folder in &args.folders {
            let set = score_set(&*extractor, std::slice::from_ref(folder), args.tolerance)?;
            let set_name = folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned());
            let factor = set.taken / set.seconds.max(PITCH_HOP);
            let means = set.means();
            let units = set.units();
            failed += set.failed;
            let mut cells = vec![info.name.clone(), set_name.clone(), units.describe(set.scores.len(), "recordings")];
            cells.extend(means.iter().map(|i| format!("{:.3} ({:.3}-{:.3})", i.mean, i.low, i.high)));
            cells.extend([format!("{giga:.2}"), format!("{factor:.3}"), format!("{megabytes:.1}")]);
            table.row(cells);
            let [vr, vfa, rpa, rca, oa] = means;
            rows.push(serde_json::json!({
                "extractor": info.name, "architecture": info.architecture, "set": set_name, "role": args.role, "n": set.scores.len(),
                "unit": units.unit, "units": units.clusters.len(),
                "mean": { "vr": vr, "vfa": vfa, "rpa": rpa, "rca": rca, "oa": oa },
                "multiply_adds_per_second": extractor.multiply_adds(), "real_time_factor": factor, "bytes": size(name, context),
            }));
        }
    }
    if args.json {
        writeln!(out, "{}", serde_json::json!({ "schema": "qbh.eval.extractors/1", "rows": rows }))?;
    } else {
        if let Some(role) = args.role {
            writeln!(out, "{}", Role::prefix(Some(role)).trim_end())?;
        }
        table.write(out)?;
        published(&architectures, out)?;
    }
    Ok(if failed == 0 { Status::Done } else { Status::Failed })
}

/// Bytes of a weights file.
fn size(name: &str, context: &Context) -> u64 {
    let path = context.model_path(name);
    let shipped = SHIPPED.iter().find(|(known, _)| path == Path::new(known));
    shipped.map_or_else(|| path.metadata().map_or(0, |file| file.len()), |(_, bytes)| bytes.len() as u64)
}

/// What the authors of these architectures report.
fn published(architectures: &[String], out: &mut dyn Write) -> Result<()> {
    let known: Vec<_> = PUBLISHED.iter().filter(|(name, ..)| architectures.iter().any(|a| a == name)).collect();
    if known.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nPublished scores of these networks, trained on other data (MedleyDB and the like), without intervals:")?;
    let mut table = Table::new(&["extractor", "set", ">VR", ">VFA", ">RPA", ">RCA", ">OA"]);
    for (name, set, scores) in known {
        let scores = scores.map(|score| score.map_or("-".to_string(), |percent| format!("{:.3}", percent / 100.0)));
        table.row([*name, *set].map(str::to_string).into_iter().chain(scores).collect());
    }
    Ok(table.write(out)?)
}
