//! What goes on: `/v1/status`, `/v1/events`, and what operators ask: `/healthz`, `/readyz`, `/metrics`.

use super::app::App;
use super::limits::WATCHERS;
use super::refusal::Refusal;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt};

/// The server and its library: `qbh.status/1`.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StatusJson {
    /// `qbh.status/1`
    schema: &'static str,
    /// Songs that are searched.
    pub songs: usize,
    /// Grows when another state of the library is searched.
    pub state: u64,
    /// What becomes of new files; `null` without `--library`.
    pub indexing: Option<IndexingJson>,
    /// Whether hums are kept when somebody says which song they were.
    pub keeps_hums: bool,
}

/// Indexing in the background.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct IndexingJson {
    /// Whether it runs.
    pub running: bool,
    /// Files listened to in this run, or in the last one.
    pub done: usize,
    /// Files to listen to in it.
    pub total: usize,
    /// Files in it that could not be indexed; `qbh list --failed` says why.
    pub failed: usize,
    /// Why it does not go on, with what to do about it.
    pub problem: Option<String>,
}

/// Where the status is written and watched.
pub struct Board {
    status: watch::Sender<StatusJson>,
}

impl Board {
    /// At the beginning.
    pub fn new(indexing: bool, keeps_hums: bool) -> Board {
        let indexing = indexing.then(IndexingJson::default);
        Board { status: watch::Sender::new(StatusJson { schema: "qbh.status/1", songs: 0, state: 0, indexing, keeps_hums }) }
    }

    /// Another state of the library is searched.
    pub fn opened(&self, songs: usize) {
        self.status.send_modify(|status| {
            status.songs = songs;
            status.state += 1;
        });
    }

    /// Indexing goes on.
    pub fn indexing(&self, change: impl FnOnce(&mut IndexingJson)) {
        self.status.send_if_modified(|status| {
            let indexing = status.indexing.get_or_insert_default();
            let before = indexing.clone();
            change(indexing);
            *indexing != before
        });
    }

    /// The present status.
    pub fn now(&self) -> StatusJson {
        self.status.borrow().clone()
    }
}

/// The server and its library.
#[utoipa::path(get, path = "/v1/status", responses((status = 200, body = StatusJson), (status = 401, body = Refusal)))]
pub async fn status(State(app): State<Arc<App>>) -> Json<StatusJson> {
    Json(app.board.now())
}

/// The same whenever it changes, as server-sent events.
#[utoipa::path(get, path = "/v1/events", responses(
    (status = 200, description = "Events whose data are as of /v1/status", content_type = "text/event-stream", body = StatusJson),
    (status = 401, body = Refusal),
    (status = 503, description = "Too many watch already", body = Refusal),
))]
pub async fn events(State(app): State<Arc<App>>) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    if app.board.status.receiver_count() >= WATCHERS {
        return Err(Refusal::busy("too many watch the events already"));
    }
    let events = WatchStream::new(app.board.status.subscribe()).map(Some);
    // A stream that never ends would keep the server from ending.
    let stop = WatchStream::new(app.stopping.clone()).filter(|stopping| *stopping).map(|_| None);
    let events = events.merge(stop).take_while(Option::is_some).filter_map(|event| event);
    let event = |status| Ok(Event::default().event("status").json_data(status).unwrap_or_default());
    Ok(Sse::new(events.map(event)).keep_alive(KeepAlive::default()))
}

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It does")))]
pub async fn health() -> &'static str {
    "ok\n"
}

/// Whether hums are answered: there is a library, and the server is not being stopped.
#[utoipa::path(get, path = "/readyz", responses((status = 200, description = "They are"), (status = 503, body = Refusal)))]
pub async fn ready(State(app): State<Arc<App>>) -> Result<&'static str, Refusal> {
    if *app.stopping.borrow() {
        return Err(Refusal::not_ready("the server is being stopped", "ask another"));
    }
    app.catalogue.now().map(|_| "ready\n")
}

/// Counters, for Prometheus.
#[utoipa::path(get, path = "/metrics", responses((status = 200, description = "OpenMetrics text"), (status = 401, body = Refusal)))]
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    match app.metrics.text() {
        Ok(text) => {
            let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
