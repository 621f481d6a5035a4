//! Why a request has no answer: `{"reason", "remedy"}` with a fitting status.

use super::limits::RETRY_AFTER;
use crate::library::ListenError;
use crate::search::SearchError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request has no answer, and what to do about it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Refusal {
    #[serde(skip)]
    #[schema(ignore)]
    status: StatusCode,
    /// What is wrong.
    pub reason: String,
    /// What can be done; may be empty.
    pub remedy: String,
}

impl Refusal {
    /// With a status.
    pub fn new(status: StatusCode, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Refusal { status, reason: reason.into(), remedy: remedy.into() }
    }

    /// There is no such thing.
    pub fn not_found(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Refusal::new(StatusCode::NOT_FOUND, reason, remedy)
    }

    /// The request asks for something impossible.
    pub fn bad(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Refusal::new(StatusCode::BAD_REQUEST, reason, remedy)
    }

    /// Too much is asked of the server at the moment.
    pub fn busy(what: &str) -> Self {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, what, format!("try again in {RETRY_AFTER} s"))
    }

    /// There is nothing to search yet.
    pub fn not_ready(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason, remedy)
    }

    /// A fault of the server.
    pub fn fault(reason: impl Into<String>) -> Self {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            reason,
            "see the log of the server; if it happens again, report it as a bug",
        )
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = (status, Json(self)).into_response();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
        }
        response
    }
}

impl From<ListenError> for Refusal {
    fn from(error: ListenError) -> Self {
        let status = match error {
            ListenError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            ListenError::Extractor(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Refusal::new(status, error.to_string(), error.remedy())
    }
}

impl From<SearchError> for Refusal {
    fn from(error: SearchError) -> Self {
        let text = error.to_string();
        let (reason, remedy) = text.split_once("; ").unwrap_or((&text, ""));
        match error {
            SearchError::NoVoice | SearchError::TooShort { .. } => Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, reason, remedy),
            SearchError::EmptyIndex => Refusal::not_ready(reason, remedy),
            SearchError::NoGraph | SearchError::Index(_) | SearchError::Model(_) => Refusal::fault(text),
        }
    }
}

impl From<qbh_index::Error> for Refusal {
    fn from(error: qbh_index::Error) -> Self {
        Refusal::fault(error.to_string())
    }
}
