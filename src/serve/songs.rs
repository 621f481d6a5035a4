//! `GET /v1/songs`: the library, page by page; one song; its melody.

use super::app::App;
use super::body::{Id, Params};
use super::limits::PAGE;
use super::refusal::Refusal;
use crate::json::{ContourJson, ListedJson};
use crate::library::naming::plain;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which songs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only songs with all these words in title, artist, album or path, however they are typed
    q: Option<String>,
    /// Songs to pass by
    offset: Option<usize>,
    /// Songs on the page, 1 to 500; 50 if it is left out
    limit: Option<usize>,
}

/// A page of the list, in the order of the titles: `qbh.songs/1`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SongsJson {
    /// `qbh.songs/1`
    schema: &'static str,
    /// Songs that fit, on all pages.
    total: usize,
    /// Songs before this page.
    offset: usize,
    songs: Vec<ListedJson>,
}

/// Lists songs.
#[utoipa::path(get, path = "/v1/songs", params(ListParams), responses(
    (status = 200, body = SongsJson),
    (status = 400, body = Refusal),
    (status = 401, body = Refusal),
    (status = 503, description = "There is no library yet", body = Refusal),
))]
pub async fn list(State(app): State<Arc<App>>, Params(params): Params<ListParams>) -> Result<Json<SongsJson>, Refusal> {
    let limit = params.limit.unwrap_or(50);
    if !(1..=PAGE).contains(&limit) {
        return Err(Refusal::bad(format!("limit={limit}"), format!("ask for 1 to {PAGE} songs, and for the next with offset")));
    }
    let opened = app.catalogue.now()?;
    let page = move || {
        let words = plain(&params.q.unwrap_or_default());
        let words: Vec<&str> = words.split(' ').collect();
        let fits = |text: &str| words.iter().all(|word| text.contains(word));
        let fitting: Vec<u32> = opened.listed()?.iter().filter(|entry| fits(&entry.text)).map(|entry| entry.ordinal).collect();
        let offset = params.offset.unwrap_or(0).min(fitting.len());
        let page = fitting[offset..].iter().take(limit).map(|&ordinal| opened.snapshot.song(ordinal).map(|song| (&song).into()));
        let songs = page.collect::<Result<Vec<ListedJson>, qbh_index::Error>>()?;
        Ok(Json(SongsJson { schema: "qbh.songs/1", total: fitting.len(), offset, songs }))
    };
    blocking(page).await
}

/// A song.
#[utoipa::path(get, path = "/v1/songs/{id}", params(("id" = u64, Path, description = "Number of the song")), responses(
    (status = 200, body = ListedJson),
    (status = 401, body = Refusal),
    (status = 404, body = Refusal),
))]
pub async fn song(State(app): State<Arc<App>>, Id(id): Id) -> Result<Json<ListedJson>, Refusal> {
    let (_, _, song) = app.song(id)?;
    Ok(Json((&song).into()))
}

/// The melody of a song.
#[utoipa::path(get, path = "/v1/songs/{id}/contour", params(("id" = u64, Path, description = "Number of the song")), responses(
    (status = 200, body = ContourJson),
    (status = 401, body = Refusal),
    (status = 404, body = Refusal),
))]
pub async fn contour(State(app): State<Arc<App>>, Id(id): Id) -> Result<Json<ContourJson>, Refusal> {
    let (opened, ordinal, song) = app.song(id)?;
    blocking(move || Ok(Json(ContourJson::new(&song, opened.snapshot.contour(ordinal)?)))).await
}

/// What reads the disk, away from the threads that serve.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Refusal::fault("the library could not be read")))
}
