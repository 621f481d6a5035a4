//! The scores of a run, as a table and as JSON (docs/json.md).

use crate::cli::eval::heading::{Role, intervals};
use anyhow::Result;
use qbh::eval::bootstrap::Interval;
use qbh::eval::ranks::RetrievalScores;
use qbh::eval::retrieval::RetrievalReport;
use std::io::Write;

/// Writes the scores for a person.
pub fn write_table(report: &RetrievalReport, role: Option<Role>, out: &mut dyn Write) -> Result<()> {
    let RetrievalReport { scores, votes, confidence, units, .. } = report;
    writeln!(out, "{}", headline(report, role))?;
    writeln!(out, "{}", intervals(units, "queries"))?;
    for (name, Interval { mean, low, high }) in rows(scores) {
        writeln!(out, "  {name:<7} {mean:.3}  ({low:.3} to {high:.3})")?;
    }
    let by_votes: Vec<String> = rows(votes).iter().map(|(name, i)| format!("{name} {:.3}", i.mean)).collect();
    writeln!(out, "  by votes alone: {}", by_votes.join(", "))?;
    for baseline in &report.baselines {
        let scores: Vec<String> = rows(&baseline.scores).iter().map(|(name, i)| format!("{name} {:.3}", i.mean)).collect();
        writeln!(out, "  every song by {}: {} ({:.0} ms)", baseline.name, scores.join(", "), 1000.0 * baseline.time_mean)?;
    }
    let recall: Vec<String> = report.recall_at.iter().map(|(k, share)| format!("{share:.3} in {k}")).collect();
    writeln!(out, "  recall of the candidates: {}", recall.join(", "))?;
    writeln!(
        out,
        "  confidence: AUROC {:.3} (song in the library against song left out), calibration error {:.3}, sure without the song {:.3}",
        confidence.auroc, confidence.ece, confidence.false_alarms
    )?;
    let ms = |seconds: f64| 1000.0 * seconds;
    let split = report.time_mean;
    writeln!(
        out,
        "  time per query: median {:.0} ms, 99 % {:.0} ms (mean: listening {:.0}, embedding {:.0}, votes {:.0}, alignment {:.0} ms)",
        ms(report.time_p50),
        ms(report.time_p99),
        ms(split.listen),
        ms(split.embed),
        ms(split.score),
        ms(split.align)
    )?;
    Ok(())
}

/// How much was measured, and what for.
pub fn headline(report: &RetrievalReport, role: Option<Role>) -> String {
    let RetrievalReport { songs, distinct_songs, scores, units, .. } = report;
    let alike = if distinct_songs < songs { format!(" ({distinct_songs} of them distinct)") } else { String::new() };
    format!("{}{} among {songs} songs{alike}", Role::prefix(role), units.describe(scores.n, "queries"))
}

fn rows(scores: &RetrievalScores) -> [(&'static str, Interval); 3] {
    [("top-1", scores.top1), ("top-10", scores.top10), ("MRR", scores.mrr)]
}

/// Writes the scores and every query as one line of JSON.
pub fn write_json(report: &RetrievalReport, role: Option<Role>, out: &mut dyn Write) -> Result<()> {
    let mut json = serde_json::to_value(report)?;
    json["schema"] = "qbh.eval.retrieval/1".into();
    json["role"] = serde_json::to_value(role)?;
    json["recall_at"] = report.recall_at.iter().map(|(k, share)| (k.to_string(), *share)).collect();
    json["search_mean"] = (report.time_mean.embed + report.time_mean.score + report.time_mean.align).into();
    json["listen_mean"] = report.time_mean.listen.into();
    writeln!(out, "{json}")?;
    Ok(())
}
