//! Training of extractors, embedders and rerankers: data feeding, losses, schedules, checkpoints.
#![warn(missing_docs)]

pub mod adamw;
pub mod checkpoint;
pub mod ema;
pub mod embedder;
pub mod extractor;
pub mod reranker;
pub mod schedule;

/// Runs the ignored test of this name in a process of its own. libtorch has one random stream per process, and tests that build
/// networks at the same time would draw from it in any order.
#[cfg(test)]
fn run_alone(test: &str) {
    let exe = std::env::current_exe().expect("the test binary has a path");
    let run = std::process::Command::new(exe).args(["--exact", test, "--ignored"]).output().expect("the test binary starts");
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && output.contains("1 passed"), "{output}{}", String::from_utf8_lossy(&run.stderr));
}
