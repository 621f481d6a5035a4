//! `qbh eval retrieval`.

use super::Status;
use crate::cli::context::{Context, DeviceName};
use crate::cli::query::Search;
use crate::cli::{complain, models, progress};
use anyhow::{Context as _, Result, bail};
use qbh::eval::bootstrap::Interval;
use qbh::eval::datasets::{self, Query, QuerySource};
use qbh::eval::retrieval::{self, Report};
use qbh::library::indexer::{self, Failure, Observer, Pending, Plan};
use qbh::search::{SearchOptions, Searcher};
use qbh_index::{Index, SongId};
use qbh_models::embedder::{DEFAULT_EMBEDDER, Embedder};
use qbh_models::extractor::{DEFAULT_EXTRACTOR, Extractor};
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Matches looked through for the right song.
const RANKS: usize = 100;

/// Arguments of `qbh eval retrieval`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The library is indexed in a temporary place, the queries are searched, and the ranks of the right songs make the scores.

Examples:
  qbh eval retrieval --manifest queries.csv --library songs/
  qbh eval retrieval --manifest queries.csv --library songs/ --distractors other_songs/ tunes.jsonl.gz
  qbh eval retrieval --humtrans humtrans_valid/ --transcriber JDC-STP")]
#[group(id = "data", required = true, args = ["manifest", "humtrans"])]
pub struct Args {
    /// CSV with the header `query,song`: queries relative to the file, songs relative to --library
    #[arg(long, value_name = "FILE.csv", requires = "library")]
    manifest: Option<PathBuf>,
    /// Folder with the songs of the manifest
    #[arg(long, value_name = "DIR")]
    library: Option<PathBuf>,
    /// Folder with HumTrans note transcriptions: queries.jsonl.gz and songs.jsonl.gz
    #[arg(long, value_name = "DIR", conflicts_with = "library")]
    humtrans: Option<PathBuf>,
    /// Take the transcriptions of this transcriber only
    #[arg(long, value_name = "NAME", requires = "humtrans")]
    transcriber: Option<String>,
    /// More files and folders to search among, which hold no right song
    #[arg(long, value_name = "PATH", num_args = 1..)]
    distractors: Vec<PathBuf>,
    /// Melody extractor, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EXTRACTOR)]
    extractor: String,
    /// Melody embedder, by name or file
    #[arg(long, value_name = "NAME", default_value = DEFAULT_EMBEDDER)]
    embedder: String,
    /// How songs are looked up
    #[arg(long, value_enum, default_value_t = Search::Auto)]
    search: Search,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Write the rank of every query to this CSV file
    #[arg(long, value_name = "FILE.csv")]
    ranks: Option<PathBuf>,
    /// Where the networks run
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
}

/// Indexes, searches, scores.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let (queries, root, mut paths) = data(args)?;
    paths.extend(args.distractors.iter().cloned());
    let device = args.device.device()?;
    let extractor = models::open_extractor(&args.extractor, context, device)?;
    let embedder = models::open_embedder(&args.embedder, context, device)?;

    let folder = tempfile::tempdir().context("no temporary folder")?;
    let index = build(folder.path(), &paths, &queries, &*extractor, &*embedder)?;
    let root = root.canonicalize().with_context(|| root.display().to_string())?;
    let keys: HashMap<SongId, String> = index.songs().map(|song| song.map(|s| (s.id, s.key))).collect::<Result<_, _>>()?;
    let songs = keys.iter().filter_map(|(id, key)| Some((relative(key, &root)?, *id))).collect();

    let searcher = Searcher::new(index.view()?, &index, embedder);
    let options = SearchOptions { limit: RANKS, stage: args.search.stage(), ..SearchOptions::default() };
    let bar = progress::bar(queries.len() as u64, "{bar:32} {pos}/{len} queries  {eta} left");
    let report = retrieval::run(&queries, &songs, &keys, &searcher, &*extractor, &options, |_| bar.inc(1));
    bar.finish_and_clear();
    let report = report?;

    for outcome in report.outcomes.iter() {
        if let Some(reason) = &outcome.refused {
            complain(format!("{}: {reason}", outcome.query));
        }
    }
    if let Some(path) = &args.ranks {
        let mut table = csv::Writer::from_path(path).with_context(|| format!("cannot write {}", path.display()))?;
        report.outcomes.iter().try_for_each(|outcome| table.serialize(outcome))?;
        table.flush()?;
    }
    if args.json {
        let mut json = serde_json::to_value(&report)?;
        json["schema"] = "qbh.eval.retrieval/1".into();
        writeln!(out, "{json}")?;
    } else {
        table(&report, out)?;
    }
    Ok(Status::Done)
}

/// The queries, the folder their song ids are relative to, and what to index for them.
fn data(args: &Args) -> Result<(Vec<Query>, PathBuf, Vec<PathBuf>)> {
    if let (Some(manifest), Some(library)) = (&args.manifest, &args.library) {
        return Ok((datasets::manifest(manifest)?, library.clone(), vec![library.clone()]));
    }
    let Some(folder) = &args.humtrans else { bail!("give --manifest or --humtrans") };
    let queries = datasets::humtrans(folder, args.transcriber.as_deref())?;
    let songs = ["songs.jsonl.gz", "songs.jsonl"].map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
    Ok((queries, folder.clone(), vec![songs.context("songs.jsonl.gz is not there")?]))
}

/// Indexes files and folders in `folder`, the queries left out: a hum must not find itself.
fn build(
    folder: &Path,
    paths: &[PathBuf],
    queries: &[Query],
    extractor: &dyn Extractor,
    embedder: &dyn Embedder,
) -> Result<Index> {
    let roots = paths.iter().map(|path| path.canonicalize().with_context(|| path.display().to_string()));
    let mut plan = Plan::new(&roots.collect::<Result<Vec<_>>>()?, Vec::new());
    let hums: HashSet<PathBuf> = queries
        .iter()
        .filter_map(|query| if let QuerySource::File(path) = &query.source { path.canonicalize().ok() } else { None })
        .collect();
    plan.pending.retain(|file| !hums.contains(&file.path));
    let index = Index::open(folder, &indexer::fingerprint(&indexer::model_id(extractor.info()), embedder))?;
    let jobs = std::thread::available_parallelism().map_or(1, |n| n.get());
    let bar = progress::bar(plan.pending.len() as u64, "{bar:32} {pos}/{len} files indexed  {eta} left");
    let report = indexer::run(&index, &plan, extractor, embedder, jobs, &AtomicBool::new(false), &Ticks(&bar));
    bar.finish_and_clear();
    for Failure { path, reason, .. } in &report?.failed {
        complain(format!("{path} is not in the library: {reason}"));
    }
    index.refresh()?;
    Ok(index)
}

struct Ticks<'a>(&'a indicatif::ProgressBar);

impl Observer for Ticks<'_> {
    fn file_done(&self, _: &Pending, _: std::result::Result<f64, &Failure>) {
        self.0.inc(1);
    }
}

/// A song's key relative to the library folder, with `/` between folders; `None` outside of it.
fn relative(key: &str, root: &Path) -> Option<String> {
    let path = Path::new(key).strip_prefix(root).ok()?;
    Some(path.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

fn table(report: &Report, out: &mut dyn Write) -> Result<()> {
    let Report { songs, scores, .. } = report;
    writeln!(out, "{} queries, {songs} songs, 95 % bootstrap intervals", scores.n)?;
    for (name, Interval { mean, low, high }) in [("top-1", scores.top1), ("top-10", scores.top10), ("MRR", scores.mrr)] {
        writeln!(out, "  {name:<7} {mean:.3}  ({low:.3} to {high:.3})")?;
    }
    let ms = |seconds: f64| 1000.0 * seconds;
    writeln!(
        out,
        "  time per query: median {:.0} ms, 99 % {:.0} ms (mean: listening {:.0} ms, searching {:.0} ms)",
        ms(report.time_p50),
        ms(report.time_p99),
        ms(report.listen_mean),
        ms(report.search_mean)
    )?;
    Ok(())
}
