//! `qbh train`: the two trainings, and the audio that the one learns from.

mod alpha_study;
mod dev;
mod embedder;
mod extractor;
mod hummed;
mod picture;
mod recordings;
mod render;
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
    /// Write training audio to listen to, or real music with replaced voices to measure on
    Render(render::Args),
}

/// Runs the training asked for.
pub fn run(train: Train) -> anyhow::Result<()> {
    match train {
        Train::Extractor(args) => extractor::run(args),
        Train::Embedder(args) => embedder::run(args),
        Train::Render(args) => render::run(&args),
    }
}
