//! `qbh train extractor`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use qbh::train::{recordings, studio};
use qbh_models::extractor::{ARCHITECTURES, Architecture, DEFAULT_EXTRACTOR, architecture};
use qbh_synthesis::bank::StemBank;
use qbh_synthesis::studio::Studio;
use qbh_training::extractor::train;
use qbh_training::{Budget, Resume, Settings, TrainingReport};

use super::{alpha_study, command, dev, multitracks, passed_over, print, student};
use crate::cli::complain;
use crate::cli::context::DeviceName;

/// Seconds of each rendered piece.
const PIECE_SECONDS: f32 = 40.0;

/// Seconds between two checkpoints.
const CHECKPOINT_SECONDS: f64 = 120.0;

/// Arguments of `qbh train extractor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Network
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EXTRACTOR,
        value_parser = PossibleValuesParser::new(names()).try_map(|name| architecture(&name)))]
    arch: &'static Architecture,
    /// End after so many hours
    #[arg(long)]
    hours: Option<f64>,
    /// End after so many steps
    #[arg(long)]
    steps: Option<u64>,
    /// Recordings per step
    #[arg(long, default_value_t = 10)]
    batch: usize,
    /// Threads that make recordings, and threads of libtorch
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Seed of the initial weights, the voices and the mixes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Start from these weights, by name or file, instead of random ones; multidnn-rnn starts from a multidnn
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    /// Go on from the checkpoint in the output folder
    #[arg(long)]
    resume: bool,
    /// Where to train: cpu or cuda
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Compute in f32 where bf16 would be faster
    #[arg(long)]
    f32: bool,
    /// Folder for the weights, the checkpoint and the learning curve
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    /// Melodies to sing, JSON lines, plain or gzip (default: melodies composed on the fly)
    #[arg(long, num_args = 1.., value_name = "FILE")]
    melodies: Vec<PathBuf>,
    /// SoundFonts for the accompaniment (default: built-in instruments)
    #[arg(long, num_args = 1.., value_name = "FILE")]
    soundfont: Vec<PathBuf>,
    /// Folder of recorded speech for the voices, one sub-folder per speaker (default: voices modelled by formants)
    #[arg(long, value_name = "DIR")]
    speech: Option<PathBuf>,
    /// Folder of recordings of instruments in which nobody sings: half of the accompaniments (at most two minutes of each)
    #[arg(long, value_name = "DIR")]
    accompaniment: Option<PathBuf>,
    /// Pieces of 40 s to render and keep in memory (64 kB per second); training mixes them anew for every step
    #[arg(long, default_value_t = 240)]
    pieces: usize,
    /// Keep the rendered pieces and the recordings of instruments in this file (2 GB for 10 hours); a training of the same pieces reads
    /// them from there
    #[arg(long, value_name = "FILE")]
    stems: Option<PathBuf>,
    /// Train multidnn once for every weight of its voicing task, the budget for each, and score them on the recordings of these
    /// folders (references as for qbh eval melody)
    #[arg(long, num_args = 1.., value_name = "DIR")]
    alpha_study: Vec<PathBuf>,
    /// Highest learning rate (default: the network's own; with --from, a tenth to a third of that keeps more of what it knows)
    #[arg(long)]
    rate: Option<f64>,
    #[command(flatten)]
    multitracks: multitracks::Args,
    #[command(flatten)]
    student: student::Args,
    #[command(flatten)]
    dev: dev::Args,
    /// What the model's metadata shall say about its data and their licences
    #[arg(long, default_value = "synthetic", value_name = "TEXT")]
    data_note: String,
}

/// The studio's pieces and the recordings of instruments: from the file of stems, if they are there. On rayon's current pool.
fn stems(args: &Args) -> anyhow::Result<StemBank> {
    let Args { melodies, soundfont, speech, accompaniment, pieces, seed, .. } = args;
    let recipe = format!("{melodies:?} {soundfont:?} {speech:?} {accompaniment:?} {pieces} {PIECE_SECONDS} {seed}");
    if let Some(file) = args.stems.as_ref().filter(|file| file.exists()) {
        let read = StemBank::read(&recipe, file).with_context(|| format!("reading stems from {}", file.display()))?;
        if let Some(bank) = read {
            eprintln!("read {:.1} h of stems from {}", bank.seconds() / 3600.0, file.display());
            return Ok(bank);
        }
        bail!("the stems in {} are of other pieces; leave --stems out, or name a file that is not there", file.display());
    }
    let config = studio::open(melodies, soundfont, speech.as_deref(), &passed_over)?;
    if !config.speech.is_empty() {
        eprintln!("{} speakers, {:.0} min of speech", config.speech.len(), config.speech.seconds() / 60.0);
    }
    let began = std::time::Instant::now();
    let mut bank = StemBank::render(&Studio::new(config), seed << 32, *pieces, PIECE_SECONDS);
    if let Some(folder) = accompaniment {
        bank.accompany(recordings::excerpts(folder, &passed_over)?);
    }
    eprintln!("made {:.1} h of stems in {:.0} s", bank.seconds() / 3600.0, began.elapsed().as_secs_f64());
    if let Some(file) = &args.stems {
        bank.write(&recipe, file).with_context(|| format!("writing stems to {}", file.display()))?;
    }
    Ok(bank)
}

/// The networks to choose from.
fn names() -> impl Iterator<Item = PossibleValue> {
    ARCHITECTURES.iter().map(|a| PossibleValue::new(a.name).help(a.about))
}

/// Trains until the time or the number of steps is reached.
pub fn run(args: Args) -> anyhow::Result<()> {
    ensure!(args.steps.is_some() || args.hours.is_some(), "say how long to train: --hours or --steps");
    ensure!(args.alpha_study.is_empty() || args.arch.name == "multidnn", "--alpha-study is one of --arch multidnn");
    ensure!(args.batch > 0 && args.pieces > 0, "--batch and --pieces must be at least 1");
    let device = args.device.device()?.into();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    let bank = pool.install(|| stems(&args))?;
    let multitracks = pool.install(|| args.multitracks.read())?;
    let mut sets = args.dev.open(&args.out, args.resume)?;
    let unlabelled = pool.install(|| student::listen(&args.student, args.threads))?;

    let settings = Settings {
        budget: Budget { steps: args.steps, hours: args.hours },
        batch: args.batch,
        threads: args.threads,
        seed: args.seed,
        from: args.from,
        resume: if args.resume { Resume::Required } else { Resume::Never },
        rate: args.rate,
        checkpoint_seconds: CHECKPOINT_SECONDS,
        device,
        f32: args.f32,
        out: args.out,
        name: args.arch.name.to_string(),
        metadata: BTreeMap::from([
            ("training_data".to_string(), args.data_note),
            ("training_command".to_string(), command()),
            ("stems".to_string(), format!("{} pieces of {PIECE_SECONDS} s", args.pieces)),
        ]),
    };
    let source = |seed: u64, seconds: f32| match &unlabelled {
        Some(music) if seed.is_multiple_of(2) => music.crop(seed, seconds),
        _ if multitracks.chosen(seed) => multitracks.tracks.crop(&bank, seed, seconds),
        _ => bank.crop(seed, seconds),
    };
    if !args.alpha_study.is_empty() {
        return alpha_study::run(&settings, &args.alpha_study, &source, &mut print);
    }
    let weights = settings.weights();
    let mut report = |report: &TrainingReport| {
        print(report);
        if !report.saved {
            return;
        }
        let scored = sets.score(&weights, report, args.threads);
        if let Err(error) = scored.map_err(anyhow::Error::from).and_then(|scores| {
            dev::print(&scores);
            dev::plot(&settings.out)
        }) {
            complain(format!("{error:#}"));
        }
    };
    let path = train(&settings, args.arch, &source, &mut report)?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
