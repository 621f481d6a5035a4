//! `POST /v1/query`: which songs hold this tune?

use super::app::App;
use super::body::{Params, Received};
use super::catalogue::Desk;
use super::limits::{HUM_SECONDS, MATCHES};
use super::metrics::Metrics;
use super::refusal::Refusal;
use crate::json::QueryJson;
use crate::library::ListenError;
use crate::library::listen::listen_bytes;
use crate::search::{Answer, SearchOptions};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use qbh_models::Contour;
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How to search.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QueryParams {
    /// How many songs to list, 1 to 100; 10 if it is left out
    k: Option<usize>,
    /// Name of the file; its extension tells scores and pitch files from recordings, which are told by their content
    name: Option<String>,
    /// Whether to tell the melody of the hum and what it takes to draw it over a song
    detail: Option<bool>,
}

/// Ranks the songs for a hum: any recording, score or pitch file.
#[utoipa::path(post, path = "/v1/query", params(QueryParams),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file as it is, at most 32 MB and 120 s"),
    responses(
        (status = 200, body = QueryJson),
        (status = 400, description = "Parameters that make no sense", body = Refusal),
        (status = 401, description = "Without the token", body = Refusal),
        (status = 408, description = "The body came too slowly", body = Refusal),
        (status = 413, description = "Too large or too long", body = Refusal),
        (status = 422, description = "No tune in it", body = Refusal),
        (status = 503, description = "Too many hums are waiting, or there is no library yet; Retry-After says when to come again", body = Refusal),
    ))]
pub async fn query(
    State(app): State<Arc<App>>,
    Params(params): Params<QueryParams>,
    Received(bytes): Received,
) -> Result<Json<QueryJson>, Refusal> {
    let limit = params.k.unwrap_or(10);
    if !(1..=MATCHES).contains(&limit) {
        return Err(Refusal::bad(format!("k={limit}"), format!("ask for 1 to {MATCHES} songs")));
    }
    let metrics = Arc::clone(&app.metrics);
    let begin = Instant::now();
    let answered = app.pool.ask(move |desk| {
        let name = params.name.unwrap_or_default();
        let hum = hear(bytes, &name, desk)?;
        let ask = Ask { name: if name.is_empty() { "request" } else { &name }, limit, details: params.detail == Some(true) };
        answer(&hum, &ask, desk, &metrics).map(|(json, answer)| (json, answer.confident))
    });
    let answered = answered.await.and_then(|answered| answered);
    let outcome = match &answered {
        Ok((_, true)) => "confident",
        Ok((_, false)) => "guess",
        Err(_) => "refused",
    };
    app.metrics.query("request", outcome);
    app.metrics.observe("total", begin.elapsed());
    answered.map(|(json, _)| Json(json))
}

/// A hum that was heard, and how long that took.
pub struct Hum {
    /// Its melody.
    pub contour: Contour,
    /// Time spent listening.
    pub listened: Duration,
}

/// What is asked about it.
pub struct Ask<'a> {
    /// What to call the hum.
    pub name: &'a str,
    /// Matches wanted.
    pub limit: usize,
    /// Whether melodies are wanted too.
    pub details: bool,
}

/// The one tune that was sent.
pub fn hear(bytes: Vec<u8>, name: &str, desk: &Desk) -> Result<Hum, Refusal> {
    let nameless = name.is_empty();
    let heard = listen_bytes(bytes, Path::new(name), HUM_SECONDS, &*desk.extractor).map_err(|error| match error {
        ListenError::Audio(crate::audio::AudioError::NotAudio(_)) if nameless => Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            error.to_string(),
            "if it is a score or a pitch file, give its name: POST /v1/query?name=tune.abc",
        ),
        error => error.into(),
    })?;
    let listened = heard.decode + heard.extract;
    let mut pieces = heard.pieces.into_iter();
    match (pieces.next(), pieces.len()) {
        (Some(piece), 0) => Ok(Hum { contour: piece.contour, listened }),
        (_, others) => {
            let reason = format!("the file holds {} tunes", others + 1);
            Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, reason, "send one tune at a time"))
        }
    }
}

/// The answer to a hum, for people and for programs.
pub fn answer(hum: &Hum, ask: &Ask<'_>, desk: &Desk, metrics: &Metrics) -> Result<(QueryJson, Answer), Refusal> {
    let options = SearchOptions { limit: ask.limit, ..SearchOptions::default() };
    let answer = desk.searcher.search(&hum.contour, &options)?;
    let t = answer.timings;
    let stages = [("listen", hum.listened), ("embed", t.embed), ("score", t.score), ("align", t.align)];
    stages.into_iter().for_each(|(stage, time)| metrics.observe(stage, time));
    let json = QueryJson::new(ask.name, "auto", &hum.contour, hum.listened, &answer);
    Ok((if ask.details { json.with_details(&hum.contour, &answer) } else { json }, answer))
}
