//! `qbh eval singing`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use qbh::eval::singing::{SungHum, statistics};
use qbh::train::hums::{PairedHum, pairs};
use qbh_models::extractor::DEFAULT_EXTRACTOR;
use qbh_synthesis::hum::{self, ranges};
use qbh_synthesis::random::stream;
use qbh_training::embedder::Tune;

use super::Status;
use crate::cli::context::{Context, DeviceName};
use crate::cli::table::Table;
use crate::cli::{complain, models};

/// Arguments of `qbh eval singing`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints how real people sing what they know, beside simulated hums of the same passages: sizes and errors of intervals, drift of the key,
tempo, notes left out, and how much singers differ.

Example:
  qbh eval singing hums.csv --json > singing.json")]
pub struct Args {
    /// CSV of hums and what they are of, as for qbh train embedder --pairs; what comes before the last `/` or `_` of a hum's name is
    /// its singer
    #[arg(value_name = "FILE.csv")]
    pairs: PathBuf,
    /// Melody extractor that listens, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EXTRACTOR)]
    extractor: String,
    /// Where to run it
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Seed of the simulated hums
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the measures of real and simulated hums side by side.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let extractor = models::open_extractor(&args.extractor, context, args.device.device()?)?;
    let hums = pairs(&args.pairs, &*extractor, &|path, reason| complain(format!("{}: {reason}", path.display())))?;
    let (mut real, mut simulated) = (Vec::new(), Vec::new());
    for (item, PairedHum { file, hum }) in hums.iter().enumerate() {
        let singer = file.rsplit_once(['/', '_']).map_or("", |(singer, _)| singer);
        let tune = Tune::of_contour(hum.song.clone(), hum.group);
        real.extend(SungHum::measure(singer, &hum.hum, &hum.song, &tune.notes));
        let draw = &mut stream(args.seed, 0, item as u32);
        let tempo = (hum.section.end - hum.section.start) / (hum.hum.len() as f32 * 0.1);
        let strength = draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end);
        let contour = hum::hum(&tune.notes, hum.section.clone(), tempo.clamp(0.4, 2.5), strength, draw);
        simulated.extend(SungHum::measure(singer, &contour.pitch, &hum.song, &tune.notes));
    }
    let rows: Vec<_> = statistics(&real).into_iter().zip(statistics(&simulated)).collect();
    if args.json {
        let values: Vec<_> = rows
            .iter()
            .map(|((name, real), (_, simulated))| serde_json::json!({ "measure": name, "real": real, "simulated": simulated }))
            .collect();
        writeln!(out, "{}", serde_json::json!({ "schema": "qbh.eval.singing/1", "rows": values }))?;
    } else {
        let mut table = Table::new(&["measure", ">real", ">simulated"]);
        for ((name, real), (_, simulated)) in rows {
            let cell = |value: f32| if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") };
            table.row(vec![name, cell(real), cell(simulated)]);
        }
        table.write(out)?;
    }
    Ok(Status::Done)
}
