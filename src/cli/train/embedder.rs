//! `qbh train embedder`.

/// Arguments of `qbh train embedder`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Trains until the time or the number of steps is reached.
pub fn run(_args: Args) -> anyhow::Result<()> {
    anyhow::bail!("not built yet")
}
