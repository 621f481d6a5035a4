//! `qbh models`: the networks at hand; and opening them by name for the other subcommands.

mod import;

use super::Status;
use super::context::Context;
use super::table::{Table, printable};
#[cfg(not(feature = "torch"))]
use super::torch;
use anyhow::{Context as _, Result, bail};
use qbh::library::indexer;
use qbh_index::Snapshot;
use qbh_models::Device;
use qbh_models::embedder::{self, DEFAULT_EMBEDDER, Embedder};
use qbh_models::extractor::{self, ARCHITECTURES, DEFAULT_EXTRACTOR, Extractor};
use qbh_models::reranker::{self, DEFAULT_RERANKER, Reranker};
use qbh_models::{ModelError, ModelInfo};
use std::io::Write;

/// Arguments of `qbh models`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  qbh models
  qbh models describe ssl
  qbh models import ~/Downloads/my-extractor.safetensors
  qbh models import ResNet_NS.hdf5 --name ssl-published
  qbh index --extractor my-extractor ~/Music")]
pub struct Args {
    #[command(subcommand)]
    command: Option<ModelsCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum ModelsCommand {
    /// List the models (the default)
    List,
    /// Print what is known of a model: architecture, training data, licences, scores
    Describe {
        /// Name or .safetensors file
        name: String,
    },
    /// Check weights, convert published ones, and put them to the other models, so that their name finds them
    Import(import::Args),
}

/// Lists, describes or imports.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    match args.command.as_ref().unwrap_or(&ModelsCommand::List) {
        ModelsCommand::List => list(context, out)?,
        ModelsCommand::Describe { name } => describe(name, context, out)?,
        ModelsCommand::Import(args) => import::run(args, context, out)?,
    }
    Ok(Status::Done)
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Extractor,
    Embedder,
    Reranker,
}

fn list(context: &Context, out: &mut dyn Write) -> Result<()> {
    let mut table = Table::new(&["name", "kind", "architecture", ">parameters", "fingerprint", "origin"]);
    let shipped = extractor::SHIPPED
        .iter()
        .chain(embedder::SHIPPED)
        .chain(reranker::SHIPPED)
        .map(|(name, _)| ((*name).to_owned(), "shipped"));
    for (name, origin) in shipped.chain(imported(context).into_iter().map(|name| (name, "imported"))) {
        let opened = open_any(&name, context);
        #[cfg(not(feature = "torch"))]
        if opened.as_ref().is_err_and(|error| torch::is_needed(error) && torch::beside().is_none()) {
            table.row(vec![name, "-".into(), "-".into(), "-".into(), "-".into(), format!("{origin}, for qbh-torch")]);
            continue;
        }
        let (kind, info) = opened?;
        let default = [DEFAULT_EXTRACTOR, DEFAULT_EMBEDDER, DEFAULT_RERANKER].contains(&name.as_str());
        let origin = format!("{origin}{}", if default { ", default" } else { "" });
        let kind = format!("{kind:?}").to_lowercase();
        table.row(vec![name, kind, info.architecture, info.parameters.to_string(), info.fingerprint, origin]);
    }
    table.write(out)?;
    writeln!(out, "\nExtractors that can be trained (qbh train extractor --arch NAME):")?;
    let mut table = Table::new(&["name", "what it is"]);
    for architecture in ARCHITECTURES {
        table.row(vec![architecture.name.to_owned(), architecture.about.to_owned()]);
    }
    table.write(out)?;
    Ok(())
}

/// Names of the imported models, sorted.
fn imported(context: &Context) -> Vec<String> {
    let entries = std::fs::read_dir(&context.models_dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let weights = entries.filter(|path| path.extension().is_some_and(|e| e == "safetensors"));
    let mut names: Vec<String> = weights.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

fn describe(name: &str, context: &Context, out: &mut dyn Write) -> Result<()> {
    let (kind, info) = open_any(name, context)?;
    let mut line = |name: &str, value: String| writeln!(out, "{name:<16}{}", printable(value));
    line("name", info.name)?;
    line("kind", format!("{kind:?}").to_lowercase())?;
    line("architecture", info.architecture)?;
    line("parameters", info.parameters.to_string())?;
    line("fingerprint", info.fingerprint)?;
    info.metadata.into_iter().filter(|(key, _)| key != "architecture").try_for_each(|(key, value)| line(&key, value))?;
    Ok(())
}

/// Opens a model whatever it is for.
fn open_any(name: &str, context: &Context) -> Result<(Kind, ModelInfo)> {
    let path = context.model_path(name);
    let path = path.to_string_lossy();
    let extractor = extractor::open(&path, Device::Cpu);
    match extractor {
        Ok(extractor) => Ok((Kind::Extractor, extractor.info().clone())),
        Err(ModelError::Io { .. } | ModelError::NeedsTorch { .. }) => {
            Err(extractor.err().map_or_else(|| anyhow::anyhow!("unreadable"), anyhow::Error::from))
        }
        Err(as_extractor) => match (embedder::open(&path, Device::Cpu), Reranker::open(&path, Device::Cpu)) {
            (Ok(embedder), _) => Ok((Kind::Embedder, embedder.info().clone())),
            (_, Ok(reranker)) => Ok((Kind::Reranker, reranker.info().clone())),
            (Err(needs @ ModelError::NeedsTorch { .. }), _) => Err(needs.into()),
            (Err(as_embedder), Err(as_reranker)) => {
                bail!("{name} is no extractor ({as_extractor}), no embedder ({as_embedder}) and no reranker ({as_reranker})")
            }
        },
    }
}

/// Opens an extractor by name or path.
pub fn open_extractor(name: &str, context: &Context, device: Device) -> Result<Box<dyn Extractor>> {
    let extractor = extractor::open(&context.model_path(name).to_string_lossy(), device)?;
    tracing::debug!(name, fingerprint = extractor.info().fingerprint, "opened model");
    Ok(extractor)
}

/// Opens an embedder by name or path.
pub fn open_embedder(name: &str, context: &Context, device: Device) -> Result<Box<dyn Embedder>> {
    let embedder = embedder::open(&context.model_path(name).to_string_lossy(), device)?;
    tracing::debug!(name, fingerprint = embedder.info().fingerprint, "opened model");
    Ok(embedder)
}

/// Opens a reranker by name or path.
pub fn open_reranker(name: &str, context: &Context, device: Device) -> Result<Reranker> {
    let reranker = Reranker::open(&context.model_path(name).to_string_lossy(), device)?;
    tracing::debug!(name, fingerprint = reranker.info().fingerprint, "opened model");
    Ok(reranker)
}

/// The extractor that hums are heard with: the one asked for, else the one that the index was made with.
pub fn extractor_for(snapshot: &Snapshot, asked: Option<&str>, context: &Context, device: Device) -> Result<Box<dyn Extractor>> {
    let made_with = &snapshot.fingerprint().extractor.name;
    match asked {
        Some(name) => open_extractor(name, context, device),
        None => open_extractor(made_with, context, device)
            .with_context(|| format!("{}; or give --extractor", missing(snapshot, "extractor", made_with))),
    }
}

/// What to say when a model of the index, which may have been a file, is not to be had by its name.
fn missing(snapshot: &Snapshot, kind: &str, name: &str) -> String {
    let index = snapshot.dir().display();
    format!("the index in {index} was made with the {kind} {name:?}; `qbh models import {name}.safetensors` makes it known")
}

/// The embedder that an index was made with. Only its vectors are comparable with those of the index.
pub fn embedder_of(snapshot: &Snapshot, context: &Context, device: Device) -> Result<Box<dyn Embedder>> {
    let made_with = snapshot.fingerprint();
    let embedder = open_embedder(&made_with.embedder.name, context, device)
        .with_context(|| missing(snapshot, "embedder", &made_with.embedder.name))?;
    // A hum may be heard by another extractor than the songs were.
    snapshot.check_models(&indexer::fingerprint(&made_with.extractor, &*embedder))?;
    Ok(embedder)
}
