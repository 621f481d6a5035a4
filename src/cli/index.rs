//! `qbh index`: listens to a library.

use super::context::{Context, DeviceName};
use super::format::{bytes, clock, count, duration};
use super::{Status, complain, models, progress, report_mended};
use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use qbh::library::indexer::{self, Failure, IndexingPlan, IndexingReport, Observer, Pending};
use qbh_index::Index;
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
Files that have not changed are skipped, files that are gone are forgotten, and an interrupted run continues where it was: run \
the same command again whenever your library has changed. Files that cannot be read are listed at the end, each with what to do \
about it, and are tried again when they change.

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
}

impl Args {
    /// The arguments of a plain run over one folder.
    pub fn of(path: PathBuf) -> Self {
        Args { paths: vec![path], jobs: None, extractor: None, embedder: None, device: DeviceName::Cpu, dry_run: false }
    }
}

/// Compares the library with the index, listens to what is new, prints the summary.
pub fn run(args: &Args, context: &Context, out: &mut dyn Write) -> Result<Status> {
    let start = Instant::now();
    let roots = args.paths.iter().map(|path| {
        path.canonicalize().with_context(|| format!("{} (nothing was changed; is a drive missing?)", path.display()))
    });
    let roots = roots.collect::<Result<Vec<_>>>()?;

    progress::silence_panics();
    if Index::was_interrupted(&context.index_dir) {
        context.say("the last run was cut short: recovering what it had stored");
    }
    let index = Index::exists(&context.index_dir).then(|| Index::open_existing(&context.index_dir)).transpose()?;
    if let Some(index) = &index {
        report_mended(index.mended(), context);
    }
    let known = match &index {
        Some(index) => index.files().collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let plan = IndexingPlan::new(&roots, known);
    plan.remarks.iter().for_each(complain);
    if args.dry_run {
        return announce(&plan, out);
    }

    // A run that has nothing to listen to needs no models, but one that asks for others must be told.
    let asks = args.extractor.is_some() || args.embedder.is_some();
    let report = if plan.pending.is_empty() && !asks {
        let Some(index) = &index else { bail!("no music was found in {}", args.paths[0].display()) };
        let report = IndexingReport::of(&plan);
        indexer::forget(index, &plan)?;
        index.refresh()?;
        IndexingReport { elapsed: start.elapsed(), ..report }
    } else {
        listen(args, context, index, &plan)?
    };
    summarise(&plan, &report, args, out)
}

/// Opens the models and works through the plan.
fn listen(args: &Args, context: &Context, index: Option<Index>, plan: &IndexingPlan) -> Result<IndexingReport> {
    let device = args.device.device()?;
    let made_with = index.as_ref().map(Index::fingerprint);
    let of_index = |name: Option<&String>, default: &str| name.cloned().unwrap_or_else(|| default.to_owned());
    let extractor = of_index(args.extractor.as_ref().or(made_with.map(|m| &m.extractor.name)), DEFAULT_EXTRACTOR);
    let embedder = of_index(args.embedder.as_ref().or(made_with.map(|m| &m.embedder.name)), DEFAULT_EMBEDDER);
    let extractor = models::open_extractor(&extractor, context, device)?;
    let embedder = models::open_embedder(&embedder, context, device)?;
    let fingerprint = indexer::fingerprint(&indexer::model_id(extractor.info()), &*embedder);
    let index = match index {
        Some(index) => {
            index.check_models(&fingerprint)?;
            index
        }
        None => Index::open(&context.index_dir, &fingerprint)?,
    };

    let stop = Arc::new(AtomicBool::new(false));
    stop_on_ctrl_c(&stop)?;
    let bar = Bar::new(plan);
    let report = indexer::run(&index, plan, &*extractor, &*embedder, jobs(args), &stop, &bar);
    bar.bar.finish_and_clear();
    index.flush()?;
    index.refresh()?;
    Ok(report?)
}

fn jobs(args: &Args) -> usize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    args.jobs.unwrap_or_else(cores).get()
}

/// The first Ctrl-C lets the files at hand be finished, the second ends the process; what is stored is safe in either case.
fn stop_on_ctrl_c(stop: &Arc<AtomicBool>) -> Result<()> {
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
        writeln!(out, "forget     {path}")?;
    }
    let (new, gone, bad) = (plan.pending.len(), plan.vanished.len(), plan.failed_before.len());
    writeln!(out, "{new} to index, {} unchanged, {bad} failed before and unchanged, {gone} gone", plan.unchanged)?;
    Ok(Status::Done)
}

/// Prints what was done: counts, speed, what failed and why, what was forgotten.
fn summarise(plan: &IndexingPlan, report: &IndexingReport, args: &Args, out: &mut dyn Write) -> Result<Status> {
    let (indexed, unchanged, failed) = (report.indexed, report.unchanged, report.failed.len());
    let songs = if report.songs == indexed { String::new() } else { format!(" ({})", count(report.songs, "song")) };
    writeln!(out, "{indexed} indexed{songs}, {unchanged} unchanged, {failed} failed, {} forgotten", plan.vanished.len())?;
    if report.seconds > 0.0 {
        let threads = count(jobs(args).min(plan.pending.len()), "thread");
        let (music, time, speed) = (duration(report.seconds), duration(report.elapsed.as_secs_f64()), report.times_real_time());
        writeln!(out, "{music} of music in {time} on {threads}: {speed:.0} x real time")?;
        let stages = report.stages;
        let all = [stages.decode, stages.extract, stages.embed, stages.store].map(|stage| stage.as_secs_f64());
        let [decode, extract, embed, store] = all.map(|stage| 100.0 * stage / all.iter().sum::<f64>().max(1e-9));
        write!(out, "time: {decode:.0} % decoding, {extract:.0} % extracting, {embed:.0} % embedding, {store:.0} % storing")?;
        writeln!(out, "{}", peak_memory().map(|peak| format!("; {} of memory at most", bytes(peak))).unwrap_or_default())?;
    }
    for (title, known) in [("Failed:", false), ("Failed before, and unchanged since:", true)] {
        let failures: Vec<&Failure> = report.failed.iter().filter(|failure| failure.known == known).collect();
        if !failures.is_empty() {
            writeln!(out, "{title}")?;
        }
        for Failure { path, reason, remedy, .. } in failures {
            writeln!(out, "  {path}\n    {reason}; {remedy}")?;
        }
    }
    if !plan.vanished.is_empty() {
        writeln!(out, "Forgotten, because gone:")?;
        plan.vanished.iter().try_for_each(|path| writeln!(out, "  {path}"))?;
    }
    if report.interrupted {
        complain("stopped; run the same command again to continue");
        return Ok(Status::Failed);
    }
    Ok(if indexed + unchanged == 0 && failed > 0 { Status::Failed } else { Status::Done })
}

/// The most memory this process has held, bytes; only Linux tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
