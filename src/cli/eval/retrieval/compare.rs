//! `qbh eval retrieval --compare`.

use super::Status;
use crate::cli::eval::heading::intervals;
use anyhow::{Context as _, Result, ensure};
use qbh::eval::bootstrap::Interval;
use qbh::eval::compare::{Run, compare};
use std::io::Write;
use std::path::Path;

/// Tells by how much the second run is better than the first, and whether that could be chance.
pub fn run(first: &Path, second: &Path, json: bool, out: &mut dyn Write) -> Result<Status> {
    let difference = compare(&read(first)?, &read(second)?);
    ensure!(difference.n > 0, "{} and {} have no query in common", first.display(), second.display());
    if json {
        let mut json = serde_json::to_value(&difference)?;
        json["schema"] = "qbh.eval.compare/1".into();
        writeln!(out, "{json}")?;
        return Ok(Status::Done);
    }
    writeln!(
        out,
        "{} in both: {} rank better in the second, {} worse",
        difference.units.describe(difference.n, "queries"),
        difference.better,
        difference.worse
    )?;
    writeln!(out, "{}", intervals(&difference.units, "queries"))?;
    for (name, Interval { mean, low, high }) in
        [("top-1", difference.top1), ("top-10", difference.top10), ("MRR", difference.mrr)]
    {
        let verdict = match (low > 0.0, high < 0.0) {
            (true, _) => "better",
            (_, true) => "worse",
            _ => "may be chance",
        };
        writeln!(out, "  {name:<7} {mean:+.3}  ({low:+.3} to {high:+.3})  {verdict}")?;
    }
    Ok(Status::Done)
}

fn read(path: &Path) -> Result<Run> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no output of `qbh eval retrieval --json` of this version", path.display()))
}
