//! `qbh models import`: weights from elsewhere, checked and put where their name finds them.

use super::{Kind, open_any};
use crate::cli::context::Context;
use anyhow::{Context as _, Result, bail};
use qbh_models::{embedder, extractor, import, reranker};
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `qbh models import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The published weights of ssl and jdc are those of github.com/keums/melodyExtraction_SSL and melodyExtraction_JDC: the .hdf5
files, or for ssl a state dict of its PyTorch port. Both projects keep the constants of their front end in .npy files.

Examples:
  qbh models import my-extractor.safetensors
  qbh models import melodyExtraction_SSL/weights/ResNet_NS.hdf5 --name ssl-published
  qbh models import torch_weights.pt --mean x_data_mean_total_31.npy --std x_data_std_total_31.npy")]
pub struct Args {
    /// Weights: .safetensors of qbh, or published ones (Keras .hdf5, PyTorch .pt)
    file: PathBuf,
    /// What to call them (default: as the file)
    #[arg(long)]
    name: Option<String>,
    /// Folder to write to (default: that of the other models, where the name finds them)
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Whose published weights they are, where the names of their layers do not tell
    #[arg(long, value_parser = ["ssl", "jdc"])]
    arch: Option<String>,
    /// Mean of the published front end (default: x_data_mean_total_31.npy beside the weights or in the folder above)
    #[arg(long, value_name = "FILE.npy")]
    mean: Option<PathBuf>,
    /// Its standard deviation (default: x_data_std_total_31.npy, likewise)
    #[arg(long, value_name = "FILE.npy")]
    std: Option<PathBuf>,
    /// Gates of the published LSTM (default: those of the Keras version that wrote the file)
    #[arg(long, value_parser = ["sigmoid", "hard_sigmoid"])]
    gates: Option<String>,
}

/// Converts where need be, checks, and writes.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<()> {
    let file = &args.file;
    let stem = file.file_stem().and_then(|stem| stem.to_str()).context("the file needs a name")?;
    let name = args.name.as_deref().unwrap_or(stem);
    if extractor::SHIPPED.iter().chain(embedder::SHIPPED).chain(reranker::SHIPPED).any(|(shipped, _)| *shipped == name) {
        bail!("{name} is the name of a model that comes with qbh: give another with --name");
    }
    if name.contains(['/', '\\']) || name.is_empty() {
        bail!("{name:?} cannot be a name: it becomes NAME.safetensors");
    }
    let folder = args.out.as_deref().unwrap_or(&context.models_dir);
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let target = folder.join(format!("{name}.safetensors"));
    // Written under another name first: a run that starts meanwhile must not read half a file, and what does not open is no model.
    let new = target.with_extension("new");
    let written = write(args, &new).and_then(|()| open_any(new.to_str().context("the path is no UTF-8 text")?, context));
    let (kind, info) = written.inspect_err(|_| drop(std::fs::remove_file(&new)))?;
    std::fs::rename(&new, &target).with_context(|| format!("cannot write {}", target.display()))?;

    let option = if kind == Kind::Extractor { "--extractor" } else { "--embedder" };
    let reference = if args.out.is_some() { target.display().to_string() } else { name.to_owned() };
    writeln!(out, "{name}: {} with {} parameters; use it with {option} {reference}", info.architecture, info.parameters)?;
    Ok(())
}

fn write(args: &Args, target: &std::path::Path) -> Result<()> {
    let file = &args.file;
    if !import::is_foreign(file).with_context(|| format!("cannot read {}", file.display()))? {
        std::fs::copy(file, target).with_context(|| format!("cannot copy {} to {}", file.display(), target.display()))?;
        return Ok(());
    }
    convert(args, target)
}

/// Makes weights of ours of published ones.
#[cfg(feature = "torch")]
fn convert(args: &Args, target: &std::path::Path) -> Result<()> {
    let imported = import::import(&import::Import {
        file: &args.file,
        architecture: args.arch.as_deref(),
        mean: args.mean.as_deref(),
        std: args.std.as_deref(),
        gates: args.gates.as_deref().and_then(qbh_models::nn::hard_lstm::Gates::from_name),
    })?;
    Ok(imported.save(target)?)
}

#[cfg(not(feature = "torch"))]
fn convert(_: &Args, _: &std::path::Path) -> Result<()> {
    crate::cli::torch::needed("importing published weights")
}
