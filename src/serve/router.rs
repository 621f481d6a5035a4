//! Which path leads where, and what happens to every request on its way.

use super::access::{access, stumbled};
use super::app::App;
use super::gate::{self, gate};
use super::refusal::Refusal;
use super::{audio, hums, indexing, listen, page, query, songs, status};
use axum::Json;
use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What `/openapi.json` says beside the paths.
#[derive(OpenApi)]
#[openapi(info(title = "qbh", description = "Query by humming: the songs of a library that hold a tune. See docs/http.md."))]
struct Api;

/// All of it.
pub fn router(app: &Arc<App>) -> Router {
    let (router, api) = OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(query::query))
        .routes(routes!(listen::listen))
        .routes(routes!(songs::list))
        .routes(routes!(songs::song))
        .routes(routes!(songs::contour))
        .routes(routes!(audio::audio))
        .routes(routes!(hums::keep))
        .routes(routes!(indexing::scan))
        .routes(routes!(status::status))
        .routes(routes!(status::events))
        .routes(routes!(status::health))
        .routes(routes!(status::ready))
        .routes(routes!(status::metrics))
        .routes(routes!(gate::login))
        .routes(routes!(gate::logout))
        .split_for_parts();
    router
        .route("/openapi.json", get(|| async move { Json(api) }))
        .route("/", get(page::index))
        .route("/page/{file}", get(page::file))
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(from_fn_with_state(Arc::clone(app), gate))
        .layer(CatchPanicLayer::custom(stumbled))
        .layer(from_fn_with_state(Arc::clone(app), access))
        .with_state(Arc::clone(app))
}

async fn nowhere(uri: Uri) -> Refusal {
    Refusal::not_found(format!("there is nothing at {}", uri.path()), "see /openapi.json")
}

async fn not_so(method: Method) -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not for this"), "see /openapi.json")
}
