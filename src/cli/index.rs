//! `qbh index`: listens to a library.

use super::context::{Context, DeviceName};
use super::format::clock;
use super::index_summary::{self as summary, skipped};
use super::{Status, complain, models, progress, report_mended};
use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use qbh::library::indexer::{self, Failure, IndexingPlan, IndexingReport, KnownFiles, Observer, Pending};
use qbh_index::{Index, Snapshot};
use qbh_models::Device;
use qbh_models::embedder::DEFAULT_EMBEDDER;
use qbh_models::extractor::DEFAULT_EXTRACTOR;
use std::io::Write;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Arguments of `qbh index`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Files that have not changed are skipped, files that have moved or were re-tagged are recognised by their sound, files that are gone \
are no longer found (and not heard again if they come back), and an interrupted run continues where it was: run the same command \
again whenever your library has changed. Files that cannot be read are listed at the end, each with what to do about it, and are \
tried again when they change. Others can search meanwhile: what is new is published every minute.

Ctrl-C, SIGTERM and SIGHUP finish the files at hand and publish them; a second Ctrl-C stops at once. What was reported as indexed \
is safe in either case.

Exit status: 0 done, 2 stopped before the end, nothing could be indexed, or an error.

Examples:
  qbh index ~/Music
  qbh index song.mp3 scores/ tunes.abc
  qbh index --dry-run ~/Music        what would be done
  qbh --index ./choir index choir/   an index of its own")]
pub struct Args {
    /// Files, and folders with everything below them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Files to listen to at the same time [default: one per processor core]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Melody extractor, by name (qbh models) or file [default: the index's, or harmonic-s for a new one]
    #[arg(long, value_name = "NAME")]
    extractor: Option<String>,
    /// Melody embedder, by name or file [default: the index's, or contextual for a new one]
    #[arg(long, value_name = "NAME")]
    embedder: Option<String>,
    /// Where the networks run
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Try files again that failed before, although they have not changed
    #[arg(long)]
    retry_failed: bool,
    /// Print what was done as one JSON object (docs/json.md)
    #[arg(long, conflicts_with = "dry_run")]
    json: bool,
}

impl Args {
    /// The arguments of a plain run over one folder.
    pub fn of(path: PathBuf) -> Self {
        Args {
            paths: vec![path],
            jobs: None,
            extractor: None,
            embedder: None,
            device: DeviceName::Cpu,
            dry_run: false,
            retry_failed: false,
            json: false,
        }
    }
}

/// Compares the library with the index, listens to what is new, prints the summary.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let start = Instant::now();
    // A device that this program has not is asked for before anything is said or opened.
    let device = args.device.device()?;
    let roots = args.paths.iter().map(|path| {
        path.canonicalize().with_context(|| format!("{} (nothing was changed; is a drive missing?)", path.display()))
    });
    let roots = roots.collect::<Result<Vec<_>>>()?;

    progress::silence_panics();
    if args.dry_run {
        let plan = IndexingPlan::new(&roots, seen_by_readers(args, context)?);
        plan.remarks.iter().for_each(complain);
        return announce(&plan, out);
    }
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_signals(&stop)?;
    if Index::was_interrupted(&context.index_dir) {
        context.say("the last run was cut short: recovering what it had stored");
    }
    let index = Index::exists(&context.index_dir).then(|| Index::open_existing(&context.index_dir)).transpose()?;
    if let Some(index) = &index {
        report_mended(index.mended(), context);
    }
    let known = index.as_ref().map(KnownFiles::of).transpose()?.unwrap_or_default();
    let plan = IndexingPlan::new(&roots, KnownFiles { retry_failed: args.retry_failed, ..known });
    plan.remarks.iter().for_each(complain);

    // A run that has nothing to listen to needs no models, but one that asks for others must be told.
    let asks = args.extractor.is_some() || args.embedder.is_some();
    let report = if plan.pending.is_empty() && !asks {
        let Some(index) = &index else {
            bail!(
                "no music was found in {}{}",
                args.paths[0].display(),
                skipped(&plan).map_or(String::new(), |s| format!(" ({s})"))
            )
        };
        let gone = indexer::settle(index, &plan, &stop)?;
        index.refresh()?;
        IndexingReport { gone, elapsed: start.elapsed(), ..IndexingReport::of(&plan) }
    } else {
        listen(args, device, context, index, &plan, &stop)?
    };
    if args.json {
        summary::write_json(&plan, &report, out)?;
    } else {
        summary::write(&plan, &report, jobs(args), out)?;
    }
    if report.interrupted {
        complain("stopped; run the same command again to continue");
        return Ok(Status::Failed);
    }
    Ok(if report.present() == 0 && !report.failed.is_empty() { Status::Failed } else { Status::Done })
}

/// What the index knows, as readers see it: a dry run waits for nobody.
fn seen_by_readers(args: &Args, context: &Context) -> Result<KnownFiles> {
    let files = match Snapshot::open(&context.index_dir) {
        Ok(snapshot) => snapshot.files().collect::<Result<_, _>>()?,
        Err(qbh_index::Error::NotFound(_)) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    Ok(KnownFiles { files, parked: Vec::new(), retry_failed: args.retry_failed })
}

/// Opens the models and works through the plan.
fn listen(
    args: &Args,
    device: Device,
    context: &Context,
    index: Option<Index>,
    plan: &IndexingPlan,
    stop: &AtomicBool,
) -> Result<IndexingReport> {
    let made_with = index.as_ref().map(Index::fingerprint);
    let of_index = |name: Option<&String>, default: &str| name.cloned().unwrap_or_else(|| default.to_owned());
    let extractor = of_index(args.extractor.as_ref().or(made_with.map(|m| &m.extractor.name)), DEFAULT_EXTRACTOR);
    let embedder = of_index(args.embedder.as_ref().or(made_with.map(|m| &m.embedder.name)), DEFAULT_EMBEDDER);
    let extractor = models::open_extractor(&extractor, context, device)?;
    let embedder = models::open_embedder(&embedder, context, device)?;
    let fingerprint = indexer::fingerprint(&indexer::model_id(extractor.info()), &*embedder);
    let index = indexer::open_for(index, &context.index_dir, &fingerprint)?;

    let bar = Bar::new(plan);
    let report = indexer::run(&index, plan, &*extractor, &*embedder, jobs(args), stop, &bar);
    bar.bar.finish_and_clear();
    // Also after an error: what is stored is to be found.
    let published = index.refresh();
    let report = report?;
    published?;
    Ok(report)
}

fn jobs(args: &Args) -> usize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    args.jobs.unwrap_or_else(cores).get()
}

/// The first Ctrl-C, SIGTERM or SIGHUP lets the files at hand be finished, the second ends the process; what is stored is safe in
/// either case.
fn stop_on_signals(stop: &Arc<AtomicBool>) -> Result<()> {
    let stop = Arc::clone(stop);
    ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(2);
        }
        progress::print_line("Finishing the files at hand; press Ctrl-C again to stop at once.");
    })
    .context("cannot listen for Ctrl-C")
}

/// A progress bar over the bytes of the files: their lengths in time are not known beforehand.
struct Bar {
    bar: ProgressBar,
    files: usize,
    done: AtomicUsize,
    seconds: Mutex<f64>,
    start: Instant,
}

impl Bar {
    fn new(plan: &IndexingPlan) -> Self {
        let size = plan.pending.iter().map(|file| file.identity.size.max(1)).sum();
        let bar = progress::bar(size, "{bar:32} {percent:>3} %  {msg}");
        let files = plan.pending.len();
        bar.set_message(format!("0/{files} files"));
        Bar { bar, files, done: AtomicUsize::new(0), seconds: Mutex::new(0.0), start: Instant::now() }
    }
}

impl Observer for Bar {
    fn file_done(&self, file: &Pending, outcome: Result<f64, &Failure>) {
        let done = 1 + self.done.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Ok(seconds) => tracing::info!("{}: {} of music", file.path.display(), clock(seconds)),
            Err(failure) => tracing::info!("{}: {}", failure.path, failure.reason),
        }
        self.bar.inc(file.identity.size.max(1));
        if let Ok(mut seconds) = self.seconds.lock() {
            *seconds += outcome.unwrap_or(0.0);
            let elapsed = self.start.elapsed().as_secs_f64();
            let speed = *seconds / elapsed;
            // Files differ too much for a rate of the last few of them to tell anything: all that was done counts.
            let (bytes_done, bytes) = (self.bar.position() as f64, self.bar.length().unwrap_or(0) as f64);
            let left = clock(elapsed * (bytes / bytes_done - 1.0));
            self.bar.set_message(format!("{done}/{} files  {speed:.0} x real time  {left} left", self.files));
        }
    }
}

/// Prints what a run would do.
fn announce(plan: &IndexingPlan, out: &mut dyn Write) -> Result<Status> {
    for file in &plan.pending {
        writeln!(out, "listen to  {}", file.path.display())?;
    }
    for path in &plan.vanished {
        writeln!(out, "gone       {path}")?;
    }
    let (new, gone, bad) = (plan.pending.len(), plan.vanished.len(), plan.failed_before.len());
    writeln!(out, "{new} to index, {} unchanged, {bad} failed before and unchanged, {gone} gone", plan.unchanged)?;
    Ok(Status::Done)
}
