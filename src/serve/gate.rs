//! Who gets in: requests by a name of this server (DNS rebinding), from its own pages (cross-site requests and WebSockets), with the
//! token where there is one.

use super::app::App;
use super::auth::{self, Token};
use super::refusal::Refusal;
use axum::extract::rejection::JsonRejection;
use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderValue};
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::Arc;

/// What everybody may see: the page, which asks for the token, and whether the server lives.
const OPEN: [&str; 6] = ["/", "/page/{file}", "/healthz", "/readyz", "/v1/login", "/openapi.json"];

/// What gets in.
pub struct Gate {
    /// Names of this server, beside its addresses and `localhost`.
    pub names: Vec<String>,
    /// What has to be known.
    pub token: Option<Token>,
    /// Whether connections are encrypted.
    pub secure: bool,
}

impl Gate {
    fn check(&self, route: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).and_then(|host| host.parse::<Authority>().ok());
        let Some(host) = host.filter(|host| self.is_name(host.host())) else {
            let remedy = "use its address, or tell the server its name with --host";
            return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, "this server does not go by that name", remedy));
        };
        if let Some(origin) = headers.get(header::ORIGIN) {
            let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
            if !origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host.as_str())) {
                let reason = "requests of other sites' pages are not answered";
                return Err(Refusal::new(StatusCode::FORBIDDEN, reason, "open the page of this server"));
            }
        }
        match &self.token {
            Some(token) if !OPEN.contains(&route) && !token.admits(headers) => {
                let remedy = "send the token of the server: Authorization: Bearer TOKEN";
                Err(Refusal::new(StatusCode::UNAUTHORIZED, "this library is not open to everybody", remedy))
            }
            _ => Ok(()),
        }
    }

    /// Addresses cannot be rebound, names can.
    fn is_name(&self, host: &str) -> bool {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        address || host.eq_ignore_ascii_case("localhost") || self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// Lets a request in, or not.
pub async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    match app.gate.check(route, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// A login.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Login {
    /// The token of the server.
    token: String,
}

/// Gives a page that knows the token a cookie.
#[utoipa::path(post, path = "/v1/login", request_body = Login, responses(
    (status = 204, description = "Logged in: a cookie was set"),
    (status = 400, body = Refusal),
    (status = 401, description = "Not the token", body = Refusal),
))]
pub async fn login(State(app): State<Arc<App>>, login: Result<Json<Login>, JsonRejection>) -> Result<Response, Refusal> {
    let Json(login) =
        login.map_err(|rejection| Refusal::bad(rejection.body_text(), "send {\"token\": ...} as application/json"))?;
    let cookie = match &app.gate.token {
        Some(token) if token.is(login.token.trim()) => token.cookie(app.gate.secure),
        Some(_) => {
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "that is not the token", "look into the file of --token-file"));
        }
        None => auth::farewell(),
    };
    Ok(with_cookie(&cookie))
}

/// Ends a login.
#[utoipa::path(post, path = "/v1/logout", responses((status = 204, description = "Logged out")))]
pub async fn logout() -> Response {
    with_cookie(&auth::farewell())
}

fn with_cookie(cookie: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_and_own_pages() {
        let gate = Gate { names: vec!["music.example".into()], token: None, secure: false };
        let check = |host: &str, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            gate.check("/v1/query", &headers).map_err(|refusal| refusal.status().as_u16())
        };
        for host in
            ["127.0.0.1:7440", "localhost:7440", "LOCALHOST", "[::1]:7440", "192.168.1.7", "music.example", "Music.Example:1"]
        {
            assert_eq!(check(host, None), Ok(()), "{host}");
            assert_eq!(check(host, Some(&format!("http://{host}"))), Ok(()), "{host}");
            assert_eq!(check(host, Some("http://evil.example")), Err(403), "{host}");
            assert_eq!(check(host, Some("null")), Err(403), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "a b", "music.example.evil"] {
            assert_eq!(check(host, None), Err(421), "{host}");
        }
        assert_eq!(gate.check("/", &HeaderMap::new()).map_err(|r| r.status().as_u16()), Err(421));
        assert_eq!(check("localhost:7440", Some("http://localhost:9999")), Err(403), "another server of this machine");
    }
}
