//! Which data set: arguments of `qbh eval retrieval`.

use crate::cli::complain;
use anyhow::{Result, bail};
use qbh::eval::datasets::{self, DataSet, HumPlan};
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

/// The data set and where its songs are.
#[derive(Debug, clap::Args)]
#[group(id = "what", required = true, args = ["manifest", "humtrans", "mir_qbsh", "ioacas", "mtg_qbh", "hum_charts", "hum_melodies"])]
pub struct Data {
    /// CSV with the header `query,song`: queries relative to the file, songs relative to --library
    #[arg(long, value_name = "FILE.csv", requires = "library")]
    manifest: Option<PathBuf>,
    /// Folders with the songs of --manifest or --mtg-qbh
    #[arg(long, value_name = "DIR", num_args = 1..)]
    library: Vec<PathBuf>,
    /// Folder with HumTrans note transcriptions: queries.jsonl.gz and songs.jsonl.gz
    #[arg(long, value_name = "DIR")]
    humtrans: Option<PathBuf>,
    /// Take the transcriptions of this transcriber only
    #[arg(long, value_name = "NAME", requires = "humtrans")]
    transcriber: Option<String>,
    /// Folder of MIR-QBSH: waveFile/ and midiFile/
    #[arg(long, value_name = "DIR")]
    mir_qbsh: Option<PathBuf>,
    /// Search every hum of MIR-QBSH among the other hums as well
    #[arg(long, requires = "mir_qbsh")]
    variants: bool,
    /// Folder of IOACAS-QBH: recordings, MIDI files and the lists that pair them
    #[arg(long, value_name = "DIR")]
    ioacas: Option<PathBuf>,
    /// Folder of MTG-QBH: Queries.csv and recordings; the songs are looked for in --library by artist and title
    #[arg(long, value_name = "DIR", requires = "library")]
    mtg_qbh: Option<PathBuf>,
    /// Folder with recordings and charts of what is sung (NAME.txt: onset offset midi), of which hums are synthesised
    #[arg(long, value_name = "DIR")]
    hum_charts: Option<PathBuf>,
    /// JSON lines of melodies, of which hums are synthesised
    #[arg(long, value_name = "FILE")]
    hum_melodies: Option<PathBuf>,
    /// How many hums to synthesise, going round the songs
    #[arg(long, value_name = "N", default_value_t = 120)]
    hums: usize,
    /// How much faster than the song the synthesised hums are: lowest and highest
    #[arg(long, num_args = 2, value_names = ["LOW", "HIGH"], default_values_t = [0.7, 1.4])]
    hum_tempo: Vec<f32>,
    /// How many seconds the synthesised hums last: lowest and highest
    #[arg(long, num_args = 2, value_names = ["LOW", "HIGH"], default_values_t = [8.0, 16.0])]
    hum_seconds: Vec<f32>,
    /// Seed of the synthesised hums, and of --song-noise
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl Data {
    /// Reads the set that was asked for.
    pub fn read(&self) -> Result<DataSet> {
        let plan = HumPlan {
            hums: self.hums,
            seed: self.seed,
            tempo: range("--hum-tempo", &self.hum_tempo, 0.1..=10.0)?,
            seconds: range("--hum-seconds", &self.hum_seconds, 3.0..=60.0)?,
        };
        let set = if let Some(file) = &self.manifest {
            datasets::manifest(file, &self.library)?
        } else if let Some(folder) = &self.humtrans {
            datasets::humtrans(folder, self.transcriber.as_deref())?
        } else if let Some(folder) = &self.mir_qbsh {
            if self.variants { datasets::mir_qbsh_variants(folder)? } else { datasets::mir_qbsh(folder)? }
        } else if let Some(folder) = &self.ioacas {
            datasets::ioacas(folder)?
        } else if let Some(folder) = &self.mtg_qbh {
            let (set, absent) = datasets::mtg_qbh(folder, &self.library)?;
            absent.iter().for_each(|query| complain(format!("{query} is not in the library: left out")));
            set
        } else if let Some(folder) = &self.hum_charts {
            datasets::charts(folder, &plan)?
        } else if let Some(file) = &self.hum_melodies {
            datasets::melodies(file, &plan)?
        } else {
            bail!("no data set is given");
        };
        Ok(set)
    }
}

/// Two numbers within `bounds`, the lower first.
pub fn range(option: &str, values: &[f32], bounds: RangeInclusive<f32>) -> Result<Range<f32>> {
    match *values {
        [low, high] if bounds.contains(&low) && (low..=*bounds.end()).contains(&high) => Ok(low..high),
        _ => bail!("{option} takes two numbers from {} to {}, the lower first", bounds.start(), bounds.end()),
    }
}
