//! Progress bars on standard error, and log lines that do not tear them.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, Write};
use std::sync::LazyLock;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Every bar of the process. indicatif draws nothing when standard error is no terminal.
static BARS: LazyLock<MultiProgress> = LazyLock::new(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)));

/// Prints a line on standard error, above the bars.
pub fn print_line(line: &str) {
    BARS.suspend(|| {
        // Standard error that is gone is no reason to stop.
        let _ = writeln!(io::stderr(), "{line}");
    });
}

/// A bar over `length` units of work. With a mistake in the template it is a plain bar.
pub fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─");
    let bar = BARS.add(ProgressBar::new(length).with_style(style));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// A spinner for work of unknown length.
pub fn spinner(message: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let spinner = BARS.add(ProgressBar::new_spinner().with_style(style).with_message(message));
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// A panic in a library is caught and becomes an error with a reason; the default report would tear the progress bar.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| tracing::info!("{panic}")));
}

/// A panic while a request is answered is caught and becomes its answer; the log says where it was.
#[cfg(feature = "serve")]
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a request was stumbled over")));
}

/// Sends `tracing` events to standard error. `QBH_LOG` (the syntax of `RUST_LOG`) overrides `-v`.
pub fn start_logging(quiet: bool, verbose: u8) {
    // What the decoders say of damaged files is summed up in the error that follows.
    let (ours, others) = match (quiet, verbose) {
        (true, _) => ("error", "off"),
        (false, 0) => ("warn", "off"),
        (false, 1) => ("info", "error"),
        (false, _) => ("debug", "info"),
    };
    let levels = format!("{others},qbh={ours},qbh_index={ours},qbh_models={ours}");
    let filter = EnvFilter::try_from_env("QBH_LOG").unwrap_or_else(|_| EnvFilter::new(levels));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(AboveBars)
        .with_ansi(console::colors_enabled_stderr())
        .without_time()
        .with_target(false)
        .init();
}

/// Writes to standard error while the bars are out of the way.
struct AboveBars;

impl Write for AboveBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for AboveBars {
    type Writer = AboveBars;

    fn make_writer(&'a self) -> Self::Writer {
        AboveBars
    }
}
