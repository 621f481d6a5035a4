//! Connections: taken in up to a number, with a time for everything, and let go when the server is stopped.

use super::app::stopped;
use super::error::ServeError;
use super::limits::{CONNECTIONS, HANDSHAKE_TIME, HEAD_BYTES, HEAD_TIME, STALL_TIME};
use super::metrics::Metrics;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

/// Files that the process opens beside connections.
const OTHER_FILES: u64 = 128;

/// A pause when the system gives no connection.
const PAUSE: Duration = Duration::from_millis(50);

/// An address that is listened on.
pub struct Listener {
    listener: TcpListener,
    room: Arc<Semaphore>,
    capacity: u32,
    tls: Option<TlsAcceptor>,
    metrics: Arc<Metrics>,
}

impl Listener {
    /// Binds the address.
    pub async fn bind(address: SocketAddr, tls: Option<TlsAcceptor>, metrics: Arc<Metrics>) -> Result<Listener, ServeError> {
        let listener = TcpListener::bind(address).await.map_err(|cause| ServeError::Address { address, cause })?;
        let files = rlimit::increase_nofile_limit(CONNECTIONS as u64 * 2 + OTHER_FILES).unwrap_or(1024);
        // A song that is played takes a file beside the connection.
        let capacity = (files.saturating_sub(OTHER_FILES) / 2).clamp(64, CONNECTIONS as u64) as u32;
        Ok(Listener { listener, room: Arc::new(Semaphore::new(capacity as usize)), capacity, tls, metrics })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr, ServeError> {
        Ok(self.listener.local_addr()?)
    }

    /// Takes connections until the server is stopped.
    pub async fn serve(&self, router: Router, mut stopping: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stopped(&mut stopping) => return,
            };
            let Ok((stream, _)) = accepted else {
                // No file is left for it, or the client has left already.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // More than there is room for are shut out at once.
            let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else { continue };
            let (router, tls, stopping, metrics) =
                (router.clone(), self.tls.clone(), stopping.clone(), Arc::clone(&self.metrics));
            tokio::spawn(async move {
                metrics.connections.inc();
                connection(stream, tls, router, stopping).await;
                metrics.connections.dec();
                drop(room);
            });
        }
    }

    /// Waits until no connection is left.
    pub async fn drained(&self) {
        let _ = self.room.acquire_many(self.capacity).await;
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, stopping: watch::Receiver<bool>) {
    // Answers are small, and waited for.
    let _ = stream.set_nodelay(true);
    match tls {
        None => talk(stream, router, stopping).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                talk(stream, router, stopping).await;
            }
        }
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Send + 'static, router: Router, mut stopping: watch::Receiver<bool>) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALL_TIME));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_header_size(HEAD_BYTES).max_buf_size(4 * HEAD_BYTES);
    let service = TowerToHyperService::new(router);
    let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // How a client leaves is its own affair.
    let ended = tokio::select! {
        _ = connection.as_mut() => false,
        () = stopped(&mut stopping) => true,
    };
    if ended {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
