//! `qbh eval`: how well melodies are extracted and songs are found.

pub(in crate::cli) mod extractors;
mod fit;
mod heading;
mod melody;
mod retrieval;
#[cfg(feature = "torch")]
mod singing;

use super::Status;
use super::context::Context;
use anyhow::Result;
use clap::Subcommand;
use std::io::Write;

/// What to evaluate.
#[derive(Debug, Subcommand)]
pub enum Eval {
    /// Score an extractor against reference melodies: VR, VFA, RPA, RCA, OA
    Melody(melody::Args),
    /// Compare extractors on several data sets, with what they cost
    Extractors(extractors::Args),
    /// Score the search on hums with known songs: top-1, top-10, MRR
    Retrieval(Box<retrieval::Args>),
    /// Fit what songs are ranked by, and how sure a match is, to hums with known songs
    Fit(fit::Args),
    /// Measure how people sing, beside simulated hums of the same passages
    #[cfg(feature = "torch")]
    Singing(singing::Args),
    /// Measure how people sing, beside simulated hums of the same passages (with qbh-torch)
    #[cfg(not(feature = "torch"))]
    Singing(super::torch::Arguments),
}

/// Runs the evaluation asked for.
pub fn run(eval: &Eval, context: &Context, out: &mut dyn Write) -> Result<Status> {
    match eval {
        Eval::Melody(args) => melody::run(args, context, out),
        Eval::Extractors(args) => extractors::run(args, context, out),
        Eval::Retrieval(args) => retrieval::run(args, context, out),
        Eval::Fit(args) => fit::run(args, context, out),
        #[cfg(feature = "torch")]
        Eval::Singing(args) => singing::run(args, context, out),
        #[cfg(not(feature = "torch"))]
        Eval::Singing(_) => super::torch::needed("qbh eval singing"),
    }
}
