//! `qbh eval singing`.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use qbh::eval::singing::{SungHum, statistics};
use qbh::train::hums::{PairedHum, pairs};
use qbh_models::extractor::DEFAULT_EXTRACTOR;
use qbh_synthesis::hum::{self, Singer, ranges};
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
    let mut measured: [Vec<SungHum>; 3] = Default::default();
    let mut singers: HashMap<&str, Singer> = HashMap::new();
    for (item, PairedHum { file, hum }) in hums.iter().enumerate() {
        let name = file.rsplit_once(['/', '_']).map_or("", |(singer, _)| singer);
        let tune = Tune::of_contour(hum.song.clone(), hum.group);
        let next = singers.len() as u32;
        let singer = singers.entry(name).or_insert_with(|| Singer::draw(&mut stream(args.seed, 1, next)));
        let tempo = ((hum.section.end - hum.section.start) / (hum.hum.len() as f32 * 0.1)).clamp(0.4, 2.5);
        let draw = &mut stream(args.seed, 0, item as u32);
        let strength = draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end);
        let old = hum::hum(&tune.notes, hum.section.clone(), tempo, strength, draw);
        let new = singer.hum(&tune.notes, hum.section.clone(), tempo, 0.0, &mut stream(args.seed, 2, item as u32));
        for (kind, contour) in measured.iter_mut().zip([&hum.hum, &new.pitch, &old.pitch]) {
            kind.extend(SungHum::measure(name, contour, &hum.song, &tune.notes));
        }
    }
    let [real, people, plain] = measured.map(|kind| statistics(&kind, hums.len()));
    let rows: Vec<_> = real.into_iter().zip(people).zip(plain).collect();
    if args.json {
        let values: Vec<_> = rows
            .iter()
            .map(|(((name, real), (_, people)), (_, plain))| {
                serde_json::json!({ "measure": name, "real": real, "simulated": people, "without_singers": plain })
            })
            .collect();
        writeln!(out, "{}", serde_json::json!({ "schema": "qbh.eval.singing/2", "rows": values }))?;
    } else {
        let mut table = Table::new(&["measure", ">real", ">simulated", ">without singers"]);
        for (((name, real), (_, people)), (_, plain)) in rows {
            let cell = |value: f32| if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") };
            table.row(vec![name, cell(real), cell(people), cell(plain)]);
        }
        table.write(out)?;
    }
    Ok(Status::Done)
}
