//! The server from its start to its end.

use super::app::App;
use super::auth::Token;
use super::catalogue::{Catalogue, Models, Source};
use super::error::ServeError;
use super::gate::Gate;
use super::hums::Keeper;
use super::indexing::{Folders, Indexing};
use super::limits::{DRAIN_TIME, LISTENERS_PER_WORKER};
use super::listener::Listener;
use super::metrics::Metrics;
use super::pool::Pool;
use super::router::router;
use super::status::Board;
use super::tls::{self, Tls};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Semaphore, watch};

/// How the server is run.
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where the library is.
    pub source: Box<dyn Source>,
    /// Opens networks.
    pub models: Arc<dyn Models>,
    /// The file with the token that requests must know.
    pub token_file: Option<PathBuf>,
    /// Whether everybody may ask although others can reach the server.
    pub no_auth: bool,
    /// Names by which it goes, beside its addresses and `localhost`.
    pub names: Vec<String>,
    /// How connections are encrypted, if they are.
    pub tls: Option<Tls>,
    /// Folders that are indexed in the background.
    pub folders: Option<Folders>,
    /// Folder where hums are kept.
    pub keep_hums: Option<PathBuf>,
    /// Hums that are searched at a time.
    pub workers: usize,
}

/// Serves until the process is told to end, by Ctrl-C or SIGTERM; `announce` is told where, once it listens, in sentences.
///
/// # Errors
/// What keeps it from starting.
pub fn run(settings: Settings, announce: impl Fn(&str)) -> Result<(), ServeError> {
    let token = settings.token_file.as_deref().map(Token::read).transpose()?;
    if !settings.listen.ip().is_loopback() && token.is_none() && !settings.no_auth {
        return Err(ServeError::Open(settings.listen));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("serve").enable_all().build()?;
    let served = runtime.block_on(serve(settings, token, announce));
    // A file that is being read must not keep the process from ending.
    runtime.shutdown_background();
    served
}

async fn serve(settings: Settings, token: Option<Token>, announce: impl Fn(&str)) -> Result<(), ServeError> {
    let mut signals = Signals::new()?;
    let metrics = Arc::new(Metrics::new());
    let tls = settings.tls.as_ref().map(|tls| tls::acceptor(tls, settings.listen, &settings.names)).transpose()?;
    let (tls, fingerprint) = tls.map_or((None, None), |(tls, fingerprint)| (Some(tls), fingerprint));
    let secure = tls.is_some();
    let listener = Listener::bind(settings.listen, tls, Arc::clone(&metrics)).await?;
    let keep = |path: &PathBuf| Keeper::new(path).map(Arc::new).map_err(|cause| ServeError::File { path: path.clone(), cause });
    let keeper = settings.keep_hums.as_ref().map(keep).transpose()?;
    let board = Arc::new(Board::new(settings.folders.is_some(), keeper.is_some()));
    let catalogue = Arc::new(Catalogue::new(settings.source, Arc::clone(&settings.models)));
    let indexing = settings.folders.map(|folders| Indexing::start(folders, settings.models, Arc::clone(&board))).transpose()?;
    let (stop, stopping) = watch::channel(false);
    let app = Arc::new(App {
        pool: Pool::start(settings.workers, &catalogue, &metrics)?,
        catalogue,
        gate: Gate { names: settings.names, token, secure },
        board,
        bell: indexing.as_ref().map(Indexing::bell),
        keeper,
        metrics,
        bodies: App::room(),
        listeners: Arc::new(Semaphore::new(settings.workers * LISTENERS_PER_WORKER)),
        stopping: stopping.clone(),
    });
    let (board, metrics) = (Arc::clone(&app.board), Arc::clone(&app.metrics));
    let follow = tokio::spawn(Arc::clone(&app.catalogue).follow(move |opened| {
        metrics.songs.set(opened.snapshot.len() as i64);
        board.opened(opened.snapshot.len());
    }));
    let address = listener.address()?;
    let scheme = if secure { "https" } else { "http" };
    announce(&format!("listening on {scheme}://{address}"));
    for other in tls::addresses(address).into_iter().filter(|_| address.ip().is_unspecified()) {
        announce(&format!("others in your network open {scheme}://{}", SocketAddr::new(other, address.port())));
    }
    if let Some(fingerprint) = fingerprint {
        announce(&format!("the certificate was made just now; its SHA-256 fingerprint, which browsers show, is\n{fingerprint}"));
    }

    let serving = listener.serve(router(&app), stopping);
    let stopped = async {
        signals.wait().await;
        tracing::info!("stopping: what runs is finished first");
        let _ = stop.send(true);
    };
    tokio::join!(serving, stopped);
    let begin = Instant::now();
    let _ = tokio::time::timeout(DRAIN_TIME, listener.drained()).await;
    follow.abort();
    if let Some(indexing) = indexing {
        let left = DRAIN_TIME.saturating_sub(begin.elapsed());
        let _ = tokio::task::spawn_blocking(move || indexing.end(left)).await;
    }
    Ok(())
}

/// What tells the process to end.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
