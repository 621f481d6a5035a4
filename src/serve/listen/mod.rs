//! `GET /v1/listen`: a hum that is listened to while it is hummed. Samples come in over a WebSocket; the melody goes out as it is heard, and
//! from the fourth second on what the answer would be. It ends by itself when the answer is sure.
//!
//! - `ear`: samples to contour; `verdict`: when to stop; `message`: what is said; `session`: one hum

mod ear;
mod message;
mod session;
mod verdict;

pub use ear::{LiveEar, Tail};
pub use message::Event;
pub use verdict::{FIRST_ANSWER, INTERVAL, Judge, LONGEST, Verdict, at_the_end};

use super::app::App;
use super::refusal::Refusal;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Largest message, bytes: more than a second of samples at any rate.
const MESSAGE_BYTES: usize = 512 << 10;

/// Listens to a hum (WebSocket).
#[utoipa::path(get, path = "/v1/listen", responses(
    (status = 101, description = "Text messages to the client are of this form; see docs/http.md for what it sends", body = Event),
    (status = 401, body = Refusal),
    (status = 403, description = "From a page of another site", body = Refusal),
    (status = 426, description = "No WebSocket", body = Refusal),
    (status = 503, description = "Too many hum already", body = Refusal),
))]
pub async fn listen(
    State(app): State<Arc<App>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let upgrade = upgrade.map_err(|rejection| {
        Refusal::new(StatusCode::UPGRADE_REQUIRED, rejection.body_text(), "ask with a WebSocket; POST /v1/query takes whole hums")
    })?;
    // Before the upgrade, so that the refusal has a status.
    app.catalogue.now()?;
    let Ok(room) = Arc::clone(&app.listeners).try_acquire_owned() else {
        return Err(Refusal::busy("too many hum at the same time"));
    };
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES).max_frame_size(MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(async move |socket| {
        app.metrics.listeners.inc();
        session::hold(socket, &app).await;
        app.metrics.listeners.dec();
        drop(room);
    }))
}
