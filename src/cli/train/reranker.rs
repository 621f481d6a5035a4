//! `qbh train reranker`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use qbh::train::practise::{Material, Practice, Searched, practise};
use qbh_models::Device;
use qbh_models::embedder::{self, DEFAULT_EMBEDDER};
use qbh_models::extractor::DEFAULT_EXTRACTOR;
use qbh_models::reranker::Reranker;
use qbh_training::embedder::Collection;
use qbh_training::reranker::{BATCH, train};
use qbh_training::{Budget, Resume, Settings};

use super::{command, print, real_hums};
use crate::cli::context::DeviceName;
use crate::cli::progress;

/// Melodies that are composed when no file is given.
const COMPOSED: usize = 2000;
/// Seconds between two checkpoints.
const CHECKPOINT_SECONDS: f64 = 120.0;

/// Arguments of `qbh train reranker`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Melodies to make songs and hums of: gzipped JSON lines `{"src", "unit": "sec"|"quarter", "group", "notes": [[onset, duration,
    /// midi], ...]}`; without any, melodies are composed (enough to try things out, not to ship)
    #[arg(long, num_args = 1.., value_name = "FILE")]
    melodies: Vec<PathBuf>,
    /// Hums of people and what they are of, as for qbh train embedder --pairs: each is searched for as well, its song among the others
    #[arg(long, value_name = "FILE.csv")]
    pairs: Option<PathBuf>,
    /// Melody extractor that listens to the pairs, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EXTRACTOR)]
    extractor: String,
    /// Embedder that finds the songs, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EMBEDDER)]
    embedder: String,
    /// Folder for the weights, the checkpoint (training goes on from it) and the learning curve
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Songs to search among
    #[arg(long, default_value_t = 2500, value_name = "N")]
    songs: usize,
    /// Passages to hum, four times each
    #[arg(long, default_value_t = 6000, value_name = "N")]
    passages: usize,
    /// Start from these weights, by name or file, instead of random ones
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    /// End after so many steps
    #[arg(long)]
    steps: Option<u64>,
    /// End after so many hours of training; the searches before it come on top
    #[arg(long)]
    hours: Option<f64>,
    /// Seed of the weights and of all that is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads of libtorch
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Where to train: cpu or cuda; the searches run on all cores
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// What the model's metadata shall say about its data and their licences
    #[arg(long, default_value = "", value_name = "TEXT")]
    data_note: String,
}

/// Practises, then trains until the time or the number of steps is reached.
pub fn run(args: Args) -> anyhow::Result<()> {
    ensure!(args.steps.is_some() || args.hours.is_some(), "say how long to train: --hours or --steps");
    let mut melodies = match args.melodies.is_empty() {
        true => Collection::generated(COMPOSED, args.seed),
        false => Collection::default(),
    };
    for path in &args.melodies {
        melodies.read(path).with_context(|| format!("reading {}", path.display()))?;
    }
    let embedder = embedder::open(&args.embedder, Device::Cpu)?;
    if let Some(name) = &args.from {
        // The searches take minutes: say before them what does not open.
        Reranker::open(name, Device::Cpu)?;
    }
    let device = args.device.device()?.into();
    let real_hums = real_hums(args.pairs.as_deref(), &args.extractor, Device::Cpu, &mut melodies)?;
    let temporary = tempfile::tempdir().context("no temporary folder")?;
    let practice = Practice { songs: args.songs, passages: args.passages, seed: args.seed };
    let material = Material { melodies: &melodies.tunes, real_hums: &real_hums };
    // Each worker of the search embeds by itself.
    tch::set_num_threads(1);
    let bar = progress::bar(0, "{bar:32} {pos}/{len} songs and passages  {eta} left");
    let searched = practise(&practice, material, temporary.path(), embedder.as_ref(), &|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let Searched { train: cases, dev } = searched?;
    let sources = melodies.sources.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    eprintln!("{} hums to train on ({sources}), {} held out", cases.len(), dev.len());

    let data = format!("{} songs and {} passages of {sources}. {}", args.songs, args.passages, args.data_note);
    let settings = Settings {
        budget: Budget { steps: args.steps, hours: args.hours },
        batch: BATCH,
        threads: args.threads,
        seed: args.seed,
        from: args.from,
        resume: Resume::IfThere,
        rate: None,
        checkpoint_seconds: CHECKPOINT_SECONDS,
        device,
        f32: false,
        out: args.out,
        name: "reranker".into(),
        metadata: BTreeMap::from([("data".into(), data), ("command".into(), command()), ("embedder".into(), args.embedder)]),
    };
    println!("{}", train(&settings, &cases, &dev, &mut print)?.display());
    Ok(())
}
