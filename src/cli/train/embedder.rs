//! `qbh train embedder`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use qbh::train::hums::from_index;
use qbh_models::embedder::Architecture;
use qbh_models::extractor::DEFAULT_EXTRACTOR;
use qbh_training::embedder::{Collection, Data, EmbedderSettings, Loss, train};
use qbh_training::{Budget, Resume, Settings};

use super::{command, print, real_hums};
use crate::cli::context::DeviceName;

/// Melodies that are composed when no file is given.
const COMPOSED: usize = 4000;

/// Arguments of `qbh train embedder`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Melodies to train on: gzipped JSON lines `{"src", "unit": "sec"|"quarter", "group", "notes": [[onset, duration, midi], ...]}`;
    /// without any, melodies are composed (enough to try things out, not to ship)
    #[arg(long, num_args = 1.., value_name = "FILE")]
    melodies: Vec<PathBuf>,
    /// Hums of people and what they are of: CSV with the header `hum,song,start,end` (seconds in the song) or `query,song` (the hum
    /// is then aligned with the song); audio, symbolic or pitch files, relative to the CSV, songs also to a folder `songs` beside
    /// it. A quarter of the training is then on these
    #[arg(long, value_name = "FILE.csv")]
    pairs: Option<PathBuf>,
    /// Take the songs of this index, as they were heard, for melodies
    #[arg(long, value_name = "DIR")]
    from_index: Option<PathBuf>,
    /// Melody extractor that listens to the pairs, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EXTRACTOR)]
    extractor: String,
    /// Held-out melodies for the score at checkpoints, in the same format
    #[arg(long, value_name = "FILE")]
    dev: Option<PathBuf>,
    /// Folder for the checkpoint, the learning curve and the model; a training that has a checkpoint there goes on
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    /// Network: contextual or reference
    #[arg(long, default_value = "contextual")]
    architecture: String,
    /// What is minimised: info-nce, or the published triplet loss
    #[arg(long, default_value = "info-nce", value_parser = ["info-nce", "triplet"])]
    loss: String,
    /// Pairs of hum and song window per step
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// Set out from trained weights, by name or file; negatives are then the tunes that these hardly tell apart
    #[arg(long, value_name = "NAME")]
    init: Option<String>,
    /// End after so many steps; with 0, --init's weights stay as they are and get the projection of --dimension
    #[arg(long)]
    steps: Option<u64>,
    /// End after so many hours
    #[arg(long)]
    hours: Option<f64>,
    /// Highest learning rate
    #[arg(long, default_value_t = 1.5e-3)]
    rate: f64,
    /// Seed of the initial weights and of all drawn pairs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads of libtorch
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Where to train: cpu or cuda
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Run the network in f32 rather than bf16
    #[arg(long)]
    f32: bool,
    /// Values that are stored of a window: so many principal directions of the embedding's 512, which go with the weights
    #[arg(long, value_name = "N", default_value_t = 128)]
    dimension: usize,
    /// Minutes between checkpoints
    #[arg(long, default_value_t = 5.0)]
    checkpoint_minutes: f64,
    /// What the model's metadata shall say about its data and their licences
    #[arg(long, default_value = "", value_name = "TEXT")]
    data_note: String,
}

/// Trains until the time or the number of steps is reached.
pub fn run(args: Args) -> anyhow::Result<()> {
    ensure!(args.steps.is_some() || args.hours.is_some(), "say how long to train: --hours or --steps");
    let Some(architecture) = Architecture::from_name(&args.architecture) else {
        bail!("no embedder is called {:?}; there are {:?}", args.architecture, Architecture::ALL.map(Architecture::name));
    };
    let device = args.device.device()?;
    let mut training = match args.melodies.is_empty() && args.pairs.is_none() && args.from_index.is_none() {
        true => Collection::generated(COMPOSED, args.seed),
        false => Collection::default(),
    };
    for path in &args.melodies {
        training.read(path).with_context(|| format!("reading {}", path.display()))?;
    }
    if let Some(dir) = &args.from_index {
        training.tunes.extend(from_index(dir)?);
        training.sources.insert("an index".into());
    }
    let real_hums = real_hums(args.pairs.as_deref(), &args.extractor, device, &mut training)?;
    let mut dev = Collection::default();
    if let Some(path) = &args.dev {
        dev.read(path).with_context(|| format!("reading {}", path.display()))?;
    }
    let sources = training.sources.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let metadata = BTreeMap::from([
        ("data".to_string(), format!("{} melodies of {sources}. {}", training.tunes.len(), args.data_note)),
        ("command".to_string(), command()),
        (
            "machine".to_string(),
            format!("{} thread(s), {:?}, {}", args.threads, args.device, std::env::consts::ARCH).to_lowercase(),
        ),
    ]);
    let kind = EmbedderSettings {
        architecture,
        loss: if args.loss == "triplet" { Loss::Triplet } else { Loss::InfoNce },
        dimension: args.dimension,
    };
    let settings = Settings {
        budget: Budget { steps: args.steps, hours: args.hours },
        batch: args.batch,
        threads: args.threads,
        seed: args.seed,
        from: args.init,
        resume: Resume::IfThere,
        rate: Some(args.rate),
        checkpoint_seconds: args.checkpoint_minutes * 60.0,
        device: device.into(),
        f32: args.f32,
        out: args.out,
        name: "embedder".into(),
        metadata,
    };
    eprintln!("{} melodies to train on ({sources}), {} held out", training.tunes.len(), dev.tunes.len());
    let data = Data { tunes: &training.tunes, real_hums: &real_hums, dev: &dev.tunes };
    println!("{}", train(&settings, kind, data, &mut print)?.display());
    Ok(())
}
