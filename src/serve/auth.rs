//! Who may ask: those who know the token, by header, or by a cookie that the page gets for it.

use super::error::ServeError;
use super::limits::{LOGIN_TIME, TOKEN_CHARACTERS};
use axum::http::{HeaderMap, header};
use ring::hmac::{self, HMAC_SHA256, Key};
use ring::rand::SystemRandom;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Name of the cookie.
const COOKIE: &str = "qbh_session";

/// A secret that requests must know. Comparisons take the same time whatever was sent.
pub struct Token {
    /// A key of this process, and the token's tag under it: tags are compared, so that nothing is learned from the time it takes.
    blind: Key,
    tag: hmac::Tag,
    /// Signs cookies: the same for every server with the same token.
    sessions: Key,
}

impl Token {
    /// The token in a file, without the white space around it.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds too short a token.
    pub fn read(path: &Path) -> Result<Token, ServeError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ServeError::File { path: path.to_path_buf(), cause })?;
        let token = text.trim();
        let found = token.chars().count();
        if found < TOKEN_CHARACTERS {
            return Err(ServeError::ShortToken { path: path.to_path_buf(), found });
        }
        let blind = Key::generate(HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| ServeError::System(std::io::Error::other("no random numbers")))?;
        let tag = hmac::sign(&blind, token.as_bytes());
        Ok(Token { blind, tag, sessions: Key::new(HMAC_SHA256, token.as_bytes()) })
    }

    /// Whether this is the token.
    pub fn is(&self, offered: &str) -> bool {
        hmac::verify(&self.blind, offered.as_bytes(), self.tag.as_ref()).is_ok()
    }

    /// Whether a request knows the token, or has a cookie of somebody who did.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if let Some(bearer) = bearer {
            return self.is(bearer.trim());
        }
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut cookies = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
        cookies.any(|(name, value)| name == COOKIE && self.is_session(value, now()))
    }

    /// A `Set-Cookie` for somebody who knows the token; `secure` where the server speaks TLS.
    pub fn cookie(&self, secure: bool) -> String {
        let session = self.session(now() + LOGIN_TIME);
        set_cookie(&session, LOGIN_TIME, secure)
    }

    fn session(&self, until: Duration) -> String {
        let until = format!("{:016x}", until.as_secs());
        let tag = hmac::sign(&self.sessions, format!("qbh session {until}").as_bytes());
        let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        until + &tag
    }

    fn is_session(&self, session: &str, now: Duration) -> bool {
        let Some((until, tag)) = session.split_at_checked(16) else { return false };
        let Ok(seconds) = u64::from_str_radix(until, 16) else { return false };
        let byte = |i: usize| tag.get(i..i + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(tag) = (0..tag.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>() else { return false };
        let signed = hmac::verify(&self.sessions, format!("qbh session {until}").as_bytes(), &tag).is_ok();
        signed && now.as_secs() < seconds
    }
}

/// A `Set-Cookie` that ends a login.
pub fn farewell() -> String {
    set_cookie("", Duration::ZERO, false)
}

fn set_cookie(value: &str, time: Duration, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{secure}", time.as_secs())
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn token(text: &str) -> Result<Token, ServeError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, text).unwrap();
        Token::read(&path)
    }

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn the_token_and_its_cookies_are_admitted_and_nothing_else() {
        let token = token("  0123456789abcdef\n").unwrap();
        assert!(token.is("0123456789abcdef") && !token.is("0123456789abcdeF") && !token.is(""));
        assert!(token.admits(&headers(header::AUTHORIZATION, "Bearer 0123456789abcdef")));
        assert!(!token.admits(&headers(header::AUTHORIZATION, "Bearer 0123456789abcdef0")));
        assert!(!token.admits(&HeaderMap::new()));
        let cookie = token.cookie(true);
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.ends_with("; Secure"));
        let cookie = cookie.split(';').next().unwrap();
        assert!(token.admits(&headers(header::COOKIE, &format!("other=1; {cookie}"))));
        let forged = cookie.replace("qbh_session=0", "qbh_session=f");
        for wrong in [forged.as_str(), "qbh_session=", "qbh_session=00000000ffffffff", "qbh_session=zz", "qbh_session=ü"] {
            let Ok(value) = HeaderValue::from_str(wrong) else { continue };
            assert!(!token.admits(&HeaderMap::from_iter([(header::COOKIE, value)])), "{wrong}");
        }
    }

    #[test]
    fn sessions_end() {
        let token = token("0123456789abcdef").unwrap();
        let session = token.session(Duration::from_secs(1000));
        assert!(token.is_session(&session, Duration::from_secs(999)));
        assert!(!token.is_session(&session, Duration::from_secs(1000)));
    }

    #[test]
    fn short_tokens_are_refused() {
        assert!(matches!(token("0123456789abcde\n"), Err(ServeError::ShortToken { found: 15, .. })));
        assert!(matches!(Token::read(Path::new("/no/such/file")), Err(ServeError::File { .. })));
    }
}
