//! Every limit of the server. Beyond each of them a request is refused, with what can be done about it (docs/http.md).

use std::time::Duration;

/// Largest body of a request, bytes.
pub const BODY_BYTES: usize = 32 << 20;

/// Bodies that are being received, bytes in all: slow senders hold no more memory than this.
pub const BODIES_BYTES: usize = 256 << 20;

/// Longest hum, seconds.
pub const HUM_SECONDS: f64 = 120.0;

/// Time for the head of a request, the wait for the next one on the same connection included.
pub const HEAD_TIME: Duration = Duration::from_secs(10);

/// Largest head of a request, bytes.
pub const HEAD_BYTES: usize = 16 << 10;

/// Time for the body of a request.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// Time for a TLS handshake.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(5);

/// A client that takes nothing of an answer for so long has left.
pub const STALL_TIME: Duration = Duration::from_secs(60);

/// Requests that wait for a worker, for each worker; one more is refused with 503.
pub const QUEUE_PER_WORKER: usize = 8;

/// When one who was refused may come again, seconds.
pub const RETRY_AFTER: u32 = 2;

/// Connections at a time, if the system gives as many.
pub const CONNECTIONS: usize = 4096;

/// Hums that are listened to live at a time, for each worker.
pub const LISTENERS_PER_WORKER: usize = 8;

/// A hum of which nothing comes for so long has ended.
pub const WORD_TIME: Duration = Duration::from_secs(10);

/// Watchers of events at a time.
pub const WATCHERS: usize = 256;

/// Most matches of a query.
pub const MATCHES: usize = 100;

/// Most songs on a page of the list.
pub const PAGE: usize = 500;

/// Shortest token.
pub const TOKEN_CHARACTERS: usize = 16;

/// Room for hums that are kept, bytes.
pub const KEPT_BYTES: u64 = 4 << 30;

/// How long a login lasts.
pub const LOGIN_TIME: Duration = Duration::from_secs(12 * 3600);

/// Time for what runs when the server is stopped.
pub const DRAIN_TIME: Duration = Duration::from_secs(10);
