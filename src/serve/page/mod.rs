//! The page: plain HTML, CSS and scripts, compiled in. Nothing of it comes from elsewhere.
//!
//! - `index.html`, `style.css`, `answers.css`, `icon.svg`
//! - `main.js`: views, login, status; `hum.js`: microphone to answers; `library.js`: the other view
//! - `recorder.js`, `worklet.js`: the microphone; `roll.js`: melodies, drawn; `answers.js`, `player.js`, `words.js`, `api.js`

use super::refusal::Refusal;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Name, media type and content of each file.
const FILES: [(&str, &str, &str); 13] = [
    ("style.css", CSS, include_str!("style.css")),
    ("answers.css", CSS, include_str!("answers.css")),
    ("icon.svg", SVG, include_str!("icon.svg")),
    ("main.js", SCRIPT, include_str!("main.js")),
    ("hum.js", SCRIPT, include_str!("hum.js")),
    ("library.js", SCRIPT, include_str!("library.js")),
    ("recorder.js", SCRIPT, include_str!("recorder.js")),
    ("worklet.js", SCRIPT, include_str!("worklet.js")),
    ("roll.js", SCRIPT, include_str!("roll.js")),
    ("answers.js", SCRIPT, include_str!("answers.js")),
    ("player.js", SCRIPT, include_str!("player.js")),
    ("words.js", SCRIPT, include_str!("words.js")),
    ("api.js", SCRIPT, include_str!("api.js")),
];

/// The page itself.
pub async fn index() -> Response {
    answer(HTML, include_str!("index.html"))
}

/// What it is made of.
pub async fn file(Path(name): Path<String>) -> Result<Response, Refusal> {
    let file = FILES.iter().find(|(known, _, _)| *known == name);
    let (_, media, content) = file.ok_or_else(|| Refusal::not_found("the page has no such file", "open /"))?;
    Ok(answer(media, content))
}

fn answer(media: &'static str, content: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "no-cache")];
    (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), content).into_response()
}
