//! The scores of a run, as a table and as JSON (docs/json.md).

use anyhow::Result;
use qbh::eval::bootstrap::Interval;
use qbh::eval::ranks::RetrievalScores;
use qbh::eval::retrieval::Report;
use std::io::Write;

/// Writes the scores for a person.
pub fn write_table(report: &Report, out: &mut dyn Write) -> Result<()> {
    let Report { songs, scores, votes, confidence, .. } = report;
    writeln!(out, "{} queries, {songs} songs, 95 % bootstrap intervals", scores.n)?;
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

fn rows(scores: &RetrievalScores) -> [(&'static str, Interval); 3] {
    [("top-1", scores.top1), ("top-10", scores.top10), ("MRR", scores.mrr)]
}

/// Writes the scores and every query as one line of JSON.
pub fn write_json(report: &Report, out: &mut dyn Write) -> Result<()> {
    let mut json = serde_json::to_value(report)?;
    json["schema"] = "qbh.eval.retrieval/1".into();
    json["recall_at"] = report.recall_at.iter().map(|(k, share)| (k.to_string(), *share)).collect();
    json["search_mean"] = (report.time_mean.embed + report.time_mean.score + report.time_mean.align).into();
    json["listen_mean"] = report.time_mean.listen.into();
    writeln!(out, "{json}")?;
    Ok(())
}
