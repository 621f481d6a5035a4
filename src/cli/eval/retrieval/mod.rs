//! `qbh eval retrieval`.

mod compare;
mod data;
pub(super) mod library;
mod report;

use super::Status;
use super::heading::Role;
use crate::cli::context::{Context, DeviceName};
use crate::cli::query::Search;
use crate::cli::{complain, models, progress};
use anyhow::{Context as _, Result, ensure};
use qbh::eval::alike::Alike;
use qbh::eval::baselines::Exhaustive;
use qbh::eval::retrieval::Evaluation;
use qbh::plot::reliability_svg;
use qbh::search::{SearchOptions, Searcher};
use qbh_models::embedder::DEFAULT_EMBEDDER;
use qbh_models::extractor::DEFAULT_EXTRACTOR;
use qbh_models::reranker::DEFAULT_RERANKER;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `qbh eval retrieval`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The library is indexed in a temporary place (or in --index, which is reused), the queries are searched, and the ranks of the right \
songs make the scores. Songs that are exactly alike share their rank: a hit on one is a hit. Intervals resample songs (or singers, where the \
set names them and they are fewer), then the queries of each. Every query is also searched without its right songs, to see how sure the \
search is when it cannot be right.

Examples:
  qbh eval retrieval --manifest queries.csv --library songs/ --distractors other_songs/ tunes.jsonl.gz
  qbh eval retrieval --humtrans humtrans_valid/ --transcriber JDC-STP
  qbh eval retrieval --mir-qbsh MIR-QBSH/ --distractors essen/            MIREX sub-task 1; --variants for sub-task 2
  qbh eval retrieval --hum-charts songs/ --distractors other_songs/       songs/ holds NAME.mp3 and NAME.txt: onset offset midi
  qbh eval retrieval --hum-melodies dev.jsonl.gz --hums 300 --json > a.json
  qbh eval retrieval --compare a.json b.json")]
pub struct Args {
    #[command(flatten)]
    data: data::Data,
    /// Do two runs differ? Two outputs of --json on the same queries
    #[arg(long, num_args = 2, value_names = ["A.json", "B.json"], group = "what")]
    compare: Vec<PathBuf>,
    /// More files and folders to search among, which hold no right song
    #[arg(long, value_name = "PATH", num_args = 1..)]
    distractors: Vec<PathBuf>,
    /// Melody extractor, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EXTRACTOR)]
    extractor: String,
    /// Melody embedder, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EMBEDDER)]
    embedder: String,
    /// Reranker of the best songs, by name or file; none ranks by votes and alignment alone (and is then less sure than it should be)
    #[arg(long, value_name = "NAME", default_value = DEFAULT_RERANKER)]
    reranker: String,
    /// Compare every song in full as well, by dynamic time warping and by linear scaling: what can be done without learning, slowly
    #[arg(long)]
    baselines: bool,
    /// How songs are looked up
    #[arg(long, value_enum, default_value_t = Search::Auto)]
    search: Search,
    /// Disturb the songs as an extractor that listens to recordings would, by the model of its mistakes: lowest and highest strength, 0 to 1
    /// (very bad). For songs that are scores; not with --index
    #[arg(long, num_args = 2, value_names = ["LOW", "HIGH"])]
    song_noise: Vec<f32>,
    /// Say in the output what the set is for: development sets are for choosing and fitting, test sets for telling
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Write what came of every query to this CSV file
    #[arg(long, value_name = "FILE.csv")]
    ranks: Option<PathBuf>,
    /// Draw how often answers are right against how sure they are into this SVG file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Where the networks run
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
}

/// Indexes, searches, scores.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    if let [first, second] = &args.compare[..] {
        return compare::run(first, second, args.json, out);
    }
    let noise = match &args.song_noise[..] {
        [] => None,
        bounds => Some(data::range("--song-noise", bounds, 0.0..=1.0)?),
    };
    ensure!(noise.is_none() || !context.index_named, "--song-noise disturbs the songs of a temporary index: leave --index out");
    let set = args.data.read()?;
    let paths = [set.library, args.distractors.clone()].concat();
    let device = args.device.device()?;
    let extractor = models::open_extractor(&args.extractor, context, device)?;
    let embedder = models::open_embedder(&args.embedder, context, device)?;

    let temporary = tempfile::tempdir().context("no temporary folder")?;
    // Not the user's own index, which songs of a data set have no business in.
    let folder = if context.index_named { &context.index_dir } else { temporary.path() };
    let index = library::build(folder, &paths, &set.queries, &*extractor, &*embedder)?;
    if let Some(noise) = &noise {
        library::disturb(&index, &*embedder, noise, args.data.seed)?;
    }
    let songs = index.songs().map(|song| song.map(|s| (s.key, s.id))).collect::<Result<_, _>>()?;

    let reranker = match args.reranker.as_str() {
        "none" => None,
        name => Some(models::open_reranker(name, context, device)?),
    };
    let snapshot = index.snapshot()?;
    let graph = args.search.graph(&snapshot)?;
    let searcher = Searcher::new(snapshot, embedder, reranker).with_graph(graph);
    let options = SearchOptions { method: args.search.method(), ..SearchOptions::default() };
    let bar = progress::bar(set.queries.len() as u64, "{bar:32} {pos}/{len} queries  {eta} left");
    let exhaustive = if args.baselines { Some(Exhaustive::new(&index)?) } else { None };
    let alike = Alike::of(&index)?;
    let evaluation =
        Evaluation { searcher: &searcher, extractor: &*extractor, options, songs: &songs, alike: &alike, exhaustive };
    let report = evaluation.run(&set.queries, |_| bar.inc(1));
    bar.finish_and_clear();
    let report = report?;

    for outcome in &report.queries {
        if let Some(reason) = &outcome.refused {
            complain(format!("{}: {reason}", outcome.query));
        }
    }
    if let Some(path) = &args.ranks {
        let mut table = csv::Writer::from_path(path).with_context(|| format!("cannot write {}", path.display()))?;
        report.queries.iter().try_for_each(|outcome| table.serialize(outcome))?;
        table.flush()?;
    }
    if let Some(path) = &args.plot {
        let svg = reliability_svg(&report.confidence, &report::headline(&report, args.role))?;
        std::fs::write(path, svg).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.json {
        report::write_json(&report, args.role, out)?
    } else {
        report::write_table(&report, args.role, out)?
    }
    Ok(Status::Done)
}
