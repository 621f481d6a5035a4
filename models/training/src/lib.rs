//! Training of extractors, embedders and rerankers: three tasks of one training loop.
//!
//! ```text
//! settings --prepare--> network --resume--> loop { feeder: batch --> task: loss, gradients --> optimiser --> averaged weights }
//!                                             `--> report, learning curve, checkpoint, weights
//! ```
//! - [`settings`], [`schedule`]: what is asked for; [`report`]: how it goes
//! - `task`: what a network brings; [`extractor`], [`embedder`], [`reranker`]: the three
//! - `run`: the loop; `feeder`: batches made ahead of time; `curve`, `checkpoint`: what is on disk
//! - `adamw`, `ema`: the optimiser, and the averaged weights that ship
//!
//! Every training writes `NAME.safetensors` (averaged weights, f16), `checkpoint.safetensors` and `curve.csv` to its output
//! folder, and reports every 50 steps and when weights have been written. Its data is a function of its seed, whatever the
//! number of threads and however often it is resumed.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod adamw;
mod checkpoint;
mod curve;
mod ema;
pub mod embedder;
pub mod extractor;
mod feeder;
pub mod report;
pub mod reranker;
mod run;
pub mod schedule;
pub mod settings;
mod task;

pub use checkpoint::Progress;
pub use report::TrainingReport;
pub use schedule::Budget;
pub use settings::{Resume, Settings};

/// Runs the ignored test of this name in a process of its own. libtorch has one random stream per process, and tests that build
/// networks at the same time would draw from it in any order.
#[cfg(test)]
fn run_alone(test: &str) {
    let exe = std::env::current_exe().expect("the test binary has a path");
    let run = std::process::Command::new(exe).args(["--exact", test, "--ignored"]).output().expect("the test binary starts");
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && output.contains("1 passed"), "{output}{}", String::from_utf8_lossy(&run.stderr));
}
