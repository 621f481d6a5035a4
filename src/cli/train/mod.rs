//! `qbh train`: the trainings, and the audio that one of them learns from.

mod alpha_study;
mod dev;
mod embedder;
mod extractor;
mod multitracks;
mod render;
mod reranker;
mod student;

use std::fmt::Display;
use std::path::Path;

use clap::Subcommand;
use qbh::train::hums;
use qbh_models::Device;
use qbh_training::TrainingReport;
use qbh_training::embedder::{Collection, RealHum};

use crate::cli::complain;

/// What to train.
#[derive(Debug, Subcommand)]
pub enum Train {
    /// Train a melody extractor on synthetic recordings
    Extractor(extractor::Args),
    /// Train a melody embedder on melodies and synthetic hums of them
    Embedder(embedder::Args),
    /// Train a reranker on searches for synthetic hums
    Reranker(reranker::Args),
    /// Write training audio to listen to, or real music with replaced voices to measure on
    Render(render::Args),
}

/// Complains of a file that is passed over.
fn passed_over(path: &Path, reason: &dyn Display) {
    let (path, reason) = (path.display().to_string(), reason.to_string());
    complain(if reason.starts_with(&path) { reason } else { format!("{path}: {reason}") });
}

/// Adds the hums of people that a table names to what is trained on, as an extractor hears them; none without a table.
fn real_hums(pairs: Option<&Path>, extractor: &str, device: Device, collection: &mut Collection) -> anyhow::Result<Vec<RealHum>> {
    let Some(table) = pairs else { return Ok(Vec::new()) };
    let extractor = qbh_models::extractor::open(extractor, device)?;
    let hums: Vec<RealHum> = hums::pairs(table, &*extractor, &passed_over)?.into_iter().map(|paired| paired.hum).collect();
    collection.sources.insert(format!("{} pairs of hum and song", hums.len()));
    Ok(hums)
}

/// One line per report of progress.
fn print(report: &TrainingReport) {
    let TrainingReport { progress, share, rate, scores, consumed, offered, dev, .. } = report;
    let mut line = format!("{:5.1} %  step {:6}  {:6.0} s  rate {rate:.1e}", 100.0 * share, progress.step, progress.seconds);
    for (name, score) in scores {
        line += &format!("  {} {score:.3}", name.replace('_', " "));
    }
    if !scores.is_empty() {
        line += &format!("  {consumed:.1}/s ({offered:.1} offered)");
    }
    for (i, (name, score)) in dev.iter().enumerate() {
        line += &format!("{}{} {score:.3}", if i == 0 { "  held out: " } else { ", " }, name.replace('_', " "));
    }
    eprintln!("{line}");
}

/// The command line with the names of files only, for what a model says of itself: where they lie on this machine concerns nobody.
fn command() -> String {
    let words = std::env::args().skip(1).map(|word| match word.rsplit_once('/') {
        Some((_, name)) if !word.contains(' ') || Path::new(&word).is_absolute() => name.to_string(),
        _ if word.contains(' ') => format!("{word:?}"),
        _ => word,
    });
    ["qbh".to_string()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// Runs the training asked for.
pub fn run(train: Train) -> anyhow::Result<()> {
    match train {
        Train::Extractor(args) => extractor::run(args),
        Train::Embedder(args) => embedder::run(args),
        Train::Reranker(args) => reranker::run(args),
        Train::Render(args) => render::run(&args),
    }
}
