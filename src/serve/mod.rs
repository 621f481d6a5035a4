//! `qbh serve`: a page to hum at, and an HTTP API (docs/http.md).
//!
//! ```text
//! listener (TLS, limits) -> router: gate (host, origin, token) -> handler -> pool of workers, each with a searcher of its own -> JSON
//!                                                                              ^ catalogue: the snapshot that is searched now
//!                             indexing (folders that are watched) --publishes--^
//! ```
//! Handlers never compute: what takes time is a job for the pool, whose queue has a stated length. Beyond it, and beyond every other of
//! the [`limits`], a request is refused at once with a reason and a remedy.
//!
//! - `listener`, `tls`: connections
//! - `router`, `gate`, `auth`, `access`, `metrics`: what happens to every request
//! - `catalogue`, `pool`, `indexing`: what is searched, by whom, and how it is kept up to date
//! - `query`, `songs`, `audio`, `hums`, `status`: one file a part of the API; [`listen`] is the live one
//! - `page`: the page, embedded

mod access;
mod app;
mod audio;
mod auth;
mod body;
mod catalogue;
mod error;
mod gate;
mod hums;
mod indexing;
pub mod limits;
pub mod listen;
mod listener;
mod metrics;
mod page;
mod pool;
mod query;
mod refusal;
mod router;
mod run;
mod songs;
mod status;
mod tls;

pub use catalogue::{Models, Source};
pub use error::ServeError;
pub use indexing::Folders;
pub use refusal::Refusal;
pub use run::{Settings, run};
pub use tls::Tls;
