//! `qbh eval fit`.

use super::Status;
use super::retrieval::library;
use crate::cli::context::{Context, DeviceName};
use crate::cli::{models, progress};
use anyhow::{Context as _, Result, ensure};
use qbh::eval::datasets::Query;
use qbh::eval::fit::{self, ConfidenceFit, FitSet, RankingFit, RankingScores};
use qbh::search::Searcher;
use qbh_models::embedder::DEFAULT_EMBEDDER;
use qbh_models::extractor::DEFAULT_EXTRACTOR;
use qbh_models::reranker::DEFAULT_RERANKER;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `qbh eval fit`.
#[derive(Debug, clap::Args)]
#[group(id = "sets", required = true, multiple = true, args = ["hum_charts", "humtrans", "hum_melodies", "manifest"])]
#[command(after_help = "\
For whoever has new networks: searches hums of every set, fits what songs are ranked by and how sure a match is to them, and prints the \
constants by their names in src/search. Every set is held out in turn; what is printed of it then is what the fit is worth. The first two \
constants are what the others rest on: when they have moved by more than a few hundredths, set them and fit once more. Hums that are \
fitted to are test hums no more.

Example:
  qbh eval fit --hum-charts songs/ --humtrans humtrans_valid/ --hum-melodies dev.jsonl.gz --distractors essen.jsonl.gz recordings/")]
pub struct Args {
    /// Folder with recordings and charts of what is sung (NAME.txt: onset offset midi), of which hums are synthesised
    #[arg(long, value_name = "DIR")]
    hum_charts: Option<PathBuf>,
    /// Folder with HumTrans note transcriptions: queries.jsonl.gz and songs.jsonl.gz
    #[arg(long, value_name = "DIR")]
    humtrans: Option<PathBuf>,
    /// JSON lines of melodies, of which hums are synthesised
    #[arg(long, value_name = "FILE")]
    hum_melodies: Option<PathBuf>,
    /// CSV of recorded hums with the header `query,song`: queries relative to the file, songs relative to --library
    #[arg(long, value_name = "FILE.csv", requires = "library")]
    manifest: Option<PathBuf>,
    /// Folders with the songs of --manifest
    #[arg(long, value_name = "DIR", num_args = 1.., requires = "manifest")]
    library: Vec<PathBuf>,
    /// More files and folders to search among, which hold no right song; recordings among them are searched for hums of recordings, and make
    /// the small libraries
    #[arg(long, value_name = "PATH", num_args = 1..)]
    distractors: Vec<PathBuf>,
    /// Hums of each set
    #[arg(long, value_name = "N", default_value_t = 240, value_parser = clap::value_parser!(u32).range(1..))]
    hums: u32,
    /// Melody extractor, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EXTRACTOR)]
    extractor: String,
    /// Melody embedder, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EMBEDDER)]
    embedder: String,
    /// Reranker, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_RERANKER)]
    reranker: String,
    /// Where the networks run
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
}

impl Args {
    fn sets(&self) -> Result<Vec<FitSet>> {
        let hums = self.hums as usize;
        let mut sets = Vec::new();
        if let Some(folder) = &self.hum_charts {
            sets.push(fit::hums_of_charts(folder, hums)?);
        }
        if let Some(folder) = &self.humtrans {
            sets.push(fit::transcribed_hums(folder, hums)?);
        }
        if let Some(file) = &self.hum_melodies {
            sets.push(fit::hums_of_melodies(file, hums)?);
        }
        if let Some(file) = &self.manifest {
            sets.push(fit::hums_of_manifest(file, &self.library, hums)?);
        }
        ensure!(!sets.is_empty(), "no hums are given: name --hum-charts, --humtrans, --hum-melodies or --manifest");
        Ok(sets)
    }
}

/// Indexes, searches, fits, prints.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let sets = args.sets()?;
    let device = args.device.device()?;
    let extractor = models::open_extractor(&args.extractor, context, device)?;
    let embedder = models::open_embedder(&args.embedder, context, device)?;
    let reranker = models::open_reranker(&args.reranker, context, device)?;

    let temporary = tempfile::tempdir().context("no temporary folder")?;
    // Not the user's own index, which songs of a data set have no business in.
    let folder = if context.index_named { &context.index_dir } else { temporary.path() };
    let mut paths: Vec<PathBuf> = sets.iter().flat_map(|set| set.set.library.clone()).collect();
    paths.extend(args.distractors.iter().cloned());
    let queries: Vec<Query> = sets.iter().flat_map(|set| set.set.queries.clone()).collect();
    let index = library::build(folder, &paths, &queries, &*extractor, &*embedder)?;
    let songs = index.songs().map(|song| song.map(|s| (s.key, s.id))).collect::<Result<_, _>>()?;
    let searcher = Searcher::new(index.snapshot()?, embedder, Some(reranker));

    let bar = progress::bar(queries.len() as u64, "{bar:32} {pos}/{len} hums  {eta} left");
    let hums = fit::search_all(&searcher, &*extractor, &songs, &sets, &args.distractors, || bar.inc(1));
    bar.finish_and_clear();
    let hums = hums?;
    write_ranking(&fit::fit_ranking(&hums), out)?;
    write_confidence(&fit::fit_confidence(&hums), out)?;
    Ok(Status::Done)
}

fn write_ranking(fit: &RankingFit, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "Ranking: top-1 / top-10 / MRR of every set in its whole library")?;
    for set in &fit.sets {
        writeln!(out, "  {}, {} hums", set.set, set.hums)?;
        writeln!(out, "    votes alone                       {}", scores(&set.votes))?;
        writeln!(out, "    as the constants are, no reranker {}", scores(&set.without_reranker))?;
        writeln!(out, "    as the constants are              {}", scores(&set.as_it_is))?;
        if let Some(held_out) = &set.held_out {
            writeln!(out, "    weights that suit the other sets  {}", scores(held_out))?;
        }
    }
    writeln!(
        out,
        "search/rank.rs: ALIGNMENT_WEIGHT {:.2}, MOVES_WEIGHT {:.2}; LOG_ODDS_WEIGHT {:.2}",
        fit.alignment_weight, fit.moves_weight, fit.log_odds_weight
    )?;
    Ok(())
}

fn scores(scores: &RankingScores) -> String {
    format!("{:.3} / {:.3} / {:.3}", scores.top1, scores.top10, scores.mrr)
}

fn write_confidence(fit: &ConfidenceFit, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "Confidence on hums held out: AUROC (right against wrong), calibration error, confident and wrong")?;
    for held in &fit.held_out {
        let scores = format!("{:.3}  {:.3}  {:.3}", held.auroc, held.ece, held.confident_and_wrong);
        writeln!(out, "  {:<44} {:5} answers  {scores}", held.name, held.answers)?;
    }
    writeln!(out, "search/standardize.rs: PRIOR_LOCATION {:.3}, PRIOR_SPREAD {:.3}", fit.prior_location, fit.prior_spread)?;
    writeln!(out, "search/calibrate.rs: USUAL_RIVAL {:.2}, INTERCEPT {:.2}", fit.usual_rival, fit.intercept)?;
    writeln!(out, "search/calibrate.rs: WEIGHTS {:.2?}", fit.weights)?;
    Ok(())
}
