//! Bodies, parameters and paths of requests, within the limits; what is wrong with them is said as everything else is.

use super::app::App;
use super::limits::{BODIES_BYTES, BODY_BYTES, BODY_TIME};
use super::refusal::Refusal;
use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::SemaphorePermit;

/// The whole body of a request.
pub struct Received(pub Vec<u8>);

impl FromRequest<Arc<App>> for Received {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        let body = request.into_body();
        if body.size_hint().lower() > BODY_BYTES as u64 {
            return Err(too_large());
        }
        match tokio::time::timeout(BODY_TIME, receive(body, app)).await {
            Ok(received) => received.map(Received),
            Err(_) => {
                let reason = format!("the body did not come within {} s", BODY_TIME.as_secs());
                Err(Refusal::new(
                    StatusCode::REQUEST_TIMEOUT,
                    reason,
                    "send less, 8 to 12 s of a tune are enough, or over a faster line",
                ))
            }
        }
    }
}

/// Collects a body. Room is taken as it comes, not as it is announced: who sends slowly holds little.
async fn receive(mut body: Body, app: &App) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut room: Option<SemaphorePermit<'_>> = None;
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Refusal::bad("the body broke off", "send it again"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > BODY_BYTES {
            return Err(too_large());
        }
        let taken = bytes.len().div_ceil(1024);
        bytes.extend_from_slice(&data);
        let more = (bytes.len().div_ceil(1024) - taken) as u32;
        let permit = app
            .bodies
            .try_acquire_many(more)
            .map_err(|_| Refusal::busy(&format!("{} MB are being received from others", BODIES_BYTES >> 20)))?;
        match &mut room {
            Some(room) => room.merge(permit),
            None => room = Some(permit),
        }
    }
    Ok(bytes)
}

fn too_large() -> Refusal {
    let reason = format!("more than {} MB", BODY_BYTES >> 20);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason, "send 8 to 12 s of the tune, or a compressed recording")
}

/// Parameters behind the question mark.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Params(params)),
            Err(rejection) => Err(Refusal::bad(rejection.body_text(), "see /openapi.json")),
        }
    }
}

/// The number of a song in the path.
pub struct Id(pub u64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<u64>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Id(id)),
            Err(_) => Err(Refusal::not_found("songs have numbers", "GET /v1/songs lists all")),
        }
    }
}
