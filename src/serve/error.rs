//! Why the server does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the server does not start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {cause}; choose another address with --listen, for example 127.0.0.1:0 for any free port"
    )]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Others could reach the server, and nothing keeps them out.
    #[error(
        "{0} can be reached by others: give --token-file FILE with a secret of at least {least} characters, or say --no-auth if everybody \
         may search and hear this library",
        least = super::limits::TOKEN_CHARACTERS
    )]
    Open(SocketAddr),
    /// The token is too short to keep anybody out.
    #[error(
        "the token in {} has {found} characters, and needs at least {least}: openssl rand -hex 16 makes one",
        path.display(),
        least = super::limits::TOKEN_CHARACTERS
    )]
    ShortToken {
        /// The file.
        path: PathBuf,
        /// Its characters.
        found: usize,
    },
    /// A file could not be read.
    #[error("cannot read {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Certificate or key are of no use.
    #[error("{0}: give PEM files with --tls-cert and --tls-key, or say --tls-self-signed")]
    Tls(String),
    /// The system gives no threads, or no signals.
    #[error("cannot start the server: {0}")]
    System(#[from] std::io::Error),
}
