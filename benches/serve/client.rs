//! A request on a connection of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What came back; status 0 when nothing did.
pub struct Answer {
    pub status: u16,
    /// Whether it says when to come again.
    pub retry: bool,
}

/// Asks, and reads the answer to its end.
pub fn ask(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> Answer {
    try_to_ask(address, method, path, body).unwrap_or(Answer { status: 0, retry: false })
}

fn try_to_ask(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok(Answer { status, retry: text.to_ascii_lowercase().contains("retry-after:") })
}
