//! `qbh train render`.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use qbh::pitchfile::write_text;
use qbh::plot::spectrogram_png;
use qbh::train::recordings;
use qbh::train::replace::replace_voice;
use qbh_models::Device;
use qbh_models::extractor::{self, DEFAULT_EXTRACTOR};
use qbh_synthesis::mixing::Mode;
use qbh_synthesis::studio::Studio;
use qbh_synthesis::{Example, SAMPLE_RATE};

use super::passed_over;
use crate::cli::wav::write_wav;

/// Arguments of `qbh train render`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes NAME.wav, its pitch NAME.txt (`time f0`), a picture of its spectrum with the pitch drawn in, NAME.png, and the voice and the
accompaniment apart, in stems/. `qbh eval melody DIR` scores extractors on such a folder.

Examples:
  qbh train render --out examples --count 20 --soundfont FluidR3_GM.sf2
  qbh train render --out quiet --count 50 --instrumental --soundfont other.sf2   what is called voiced in these is wrong
  qbh train render --out exact --over ~/Music     real music in which a synthetic voice sings the melody at a known pitch")]
pub struct Args {
    /// Folder to write to
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    /// Recordings to render
    #[arg(long, default_value_t = 10)]
    count: u64,
    /// Seconds of each
    #[arg(long, default_value_t = 20.0)]
    seconds: f32,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Melodies to sing, JSON lines, plain or gzip (default: melodies composed on the fly)
    #[arg(long, num_args = 1.., value_name = "FILE")]
    melodies: Vec<PathBuf>,
    /// SoundFonts for the accompaniment (default: built-in instruments)
    #[arg(long, num_args = 1.., value_name = "FILE")]
    soundfont: Vec<PathBuf>,
    /// Folder of recorded speech for the voices, one sub-folder per speaker (default: voices modelled by formants)
    #[arg(long, value_name = "DIR")]
    speech: Option<PathBuf>,
    /// Only recordings in which nobody sings
    #[arg(long, conflicts_with = "over")]
    instrumental: bool,
    /// Replace the voice in the recordings of this folder instead, by one that sings the melody which the extractor hears
    #[arg(long, value_name = "DIR")]
    over: Option<PathBuf>,
    /// Melody extractor for --over, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EXTRACTOR)]
    extractor: String,
}

/// Renders one recording after another.
pub fn run(args: &Args) -> Result<()> {
    ensure!((1.0..=600.0).contains(&args.seconds), "--seconds must be from 1 to 600");
    let config = qbh::train::studio::open(&args.melodies, &args.soundfont, args.speech.as_deref(), &passed_over)?;
    let studio = Studio::new(config);
    let stems = args.out.join("stems");
    std::fs::create_dir_all(&stems).with_context(|| format!("cannot make folder {}", stems.display()))?;
    let Some(folder) = &args.over else {
        for seed in args.seed..args.seed + args.count {
            let example = match args.instrumental {
                true => studio.example_as(Mode::Instrumental, seed, args.seconds),
                false => studio.example(seed, args.seconds),
            };
            write(&args.out, &format!("{seed:04}"), &example)?;
        }
        return Ok(());
    };
    let extractor = extractor::open(&args.extractor, Device::Cpu)?;
    let paths = recordings::below(folder, &passed_over);
    ensure!(!paths.is_empty(), "{} holds no recording", folder.display());
    for (path, seed) in paths.iter().zip(args.seed..) {
        match replace_voice(path, &studio, &*extractor, seed) {
            Ok(example) => write(&args.out, &path.file_stem().unwrap_or_default().to_string_lossy(), &example)?,
            Err(error) => passed_over(path, &error),
        }
    }
    Ok(())
}

fn write(folder: &Path, name: &str, example: &Example) -> Result<()> {
    let path = |ending: &str| folder.join(format!("{name}{ending}"));
    let rate = SAMPLE_RATE as u32;
    write_wav(&path(".wav"), &example.mix, rate)?;
    write_wav(&folder.join("stems").join(format!("{name}_voice.wav")), &example.voice, rate)?;
    write_wav(&folder.join("stems").join(format!("{name}_accompaniment.wav")), &example.accompaniment, rate)?;
    let pitch = || write_text(&example.pitch, &mut BufWriter::new(File::create(path(".txt"))?));
    pitch().with_context(|| format!("cannot write {}", path(".txt").display()))?;
    let picture = spectrogram_png(&example.mix, &example.pitch.f0)?;
    std::fs::write(path(".png"), picture).with_context(|| format!("cannot write {}", path(".png").display()))?;
    println!("{}", path(".wav").display());
    Ok(())
}
