//! `qbh train`: the trainings, and the audio that one of them learns from.

mod alpha_study;
mod dev;
mod embedder;
mod extractor;
mod hummed;
mod multitracks;
mod picture;
mod recordings;
mod render;
mod reranker;
mod speech;
mod student;

use clap::Subcommand;

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

/// The command line without the folders of this machine, for what a model says of itself.
fn command() -> String {
    let words = std::env::args().skip(1).map(|word| match word.rsplit_once('/') {
        Some((_, name)) if std::path::Path::new(&word).is_absolute() => name.to_string(),
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
