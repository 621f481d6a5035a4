//! What `qbh serve` is sent by those who mean it no good, or know no better: each is refused, and nobody else notices.
#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use std::io::{Read, Write};
use std::time::{Duration, Instant};
use util::server::{Server, read_answer};
use util::{Dir, hum, melody, midi, wav};

const TOKEN: &str = "0123456789abcdef";

fn library() -> Dir {
    let dir = Dir::new();
    for seed in 0..20 {
        dir.add(&format!("song{seed:03}.mid"), midi(&melody(seed, 60)));
    }
    dir.ok(&["index", "library"]);
    dir
}

/// Whether an honest hum is answered.
fn answers(server: &Server) {
    let answer = server.post("/v1/query", &midi(&melody(3, 60)[10..40]));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["matches"][0]["song"].as_str().unwrap().ends_with("song003.mid"));
}

/// What the server says to raw bytes, to the end of the connection.
fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = server.connect();
    let _ = stream.write_all(bytes);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn bodies_larger_than_a_hum() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    // Announced: nothing of it is read.
    let head = format!("POST /v1/query HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", server.address);
    let announced = raw(&server, format!("{head}Content-Length: 99999999999\r\n\r\n").as_bytes());
    assert!(announced.starts_with("HTTP/1.1 413"), "{announced}");
    // Not announced.
    let mut stream = server.connect();
    write!(stream, "{head}Transfer-Encoding: chunked\r\n\r\n").unwrap();
    let chunk = [b"100000\r\n".to_vec(), vec![0; 1 << 20], b"\r\n".to_vec()].concat();
    while stream.write_all(&chunk).is_ok() {}
    let mut said = String::new();
    let _ = stream.read_to_string(&mut said);
    // The answer may be lost when the connection is cut while more is sent.
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 413"), "{said}");
    // Small as a file, long as a sound.
    server.post("/v1/query", &wav(&vec![0.1; 8000 * 121], 8000, 1)).refuses(413);
    answers(&server);
}

#[test]
fn heads_and_bodies_that_never_end() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let mut idle: Vec<_> = (0..50).map(|_| server.connect()).collect();
    let mut slow: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for stream in &mut slow {
        write!(stream, "GET /v1/songs HTTP/1.1\r\nHost: {}\r\nX-Slow: ", server.address).unwrap();
    }
    let mut body = server.connect();
    write!(body, "POST /v1/query HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\n\r\nRIFF", server.address).unwrap();
    answers(&server);
    // A byte now and then is not enough.
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(12) {
        for stream in &mut slow {
            let _ = stream.write_all(b"x");
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    for stream in slow.iter_mut().chain(&mut idle) {
        let mut rest = Vec::new();
        // Closed, with an answer or without one: a read that is not ended would fail for its time.
        match stream.read_to_end(&mut rest) {
            Ok(_) => assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&rest)),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }
    read_answer(body).refuses(408);
    answers(&server);
}

#[test]
fn garbage() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    for bytes in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", b"\0\0\0\0\0\0\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"] {
        let said = raw(&server, bytes);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(100_000));
    let said = raw(&server, long.as_bytes());
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    let fields: String = (0..2000).map(|i| format!("X-{i}: {i}\r\n")).collect();
    let said = raw(&server, format!("GET / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").as_bytes());
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    // Two lengths, or a length and chunks: who could smuggle a second request?
    let smuggled = "POST /v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde";
    assert!(raw(&server, smuggled.as_bytes()).starts_with("HTTP/1.1 400"));

    let whole = wav(&hum(&melody(3, 60)[10..40], 0.0, 1.0), 16_000, 1);
    let mut state = 1u64;
    let mut random = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    for round in 0..40 {
        let mut bytes = whole.clone();
        match round % 4 {
            0 => bytes.truncate(random(200)),
            1 => (0..50).for_each(|_| bytes[random(44)] = random(256) as u8),
            2 => bytes = (0..5000).map(|_| random(256) as u8).collect(),
            _ => bytes = [b"OggS".to_vec(), (0..5000).map(|_| random(256) as u8).collect()].concat(),
        }
        for name in ["", "?name=x.mid", "?name=x.musicxml", "?name=x.json", "?name=x.jsonl.gz", "?name=x.mxl"] {
            let answer = server.post(&format!("/v1/query{name}"), &bytes);
            assert!([200, 413, 422].contains(&answer.status), "{} {}", answer.status, answer.text());
        }
    }
    assert!(!server.said().contains("stumbled"), "{}", server.said());
    answers(&server);
}

#[test]
fn archives_that_swell() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let before = memory(&server);
    let zeros = vec![b' '; 1 << 20];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("score.xml", zip::write::SimpleFileOptions::default()).unwrap();
    (0..400).for_each(|_| zip.write_all(&zeros).unwrap());
    let zip = zip.finish().unwrap().into_inner();
    assert!(zip.len() < 1 << 20);
    server.post("/v1/query?name=bomb.mxl", &zip).refuses(422);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..2000).for_each(|_| gzip.write_all(&zeros).unwrap());
    server.post("/v1/query?name=bomb.jsonl.gz", &gzip.finish().unwrap()).refuses(422);
    let entities: String = (1..12).map(|i| format!("<!ENTITY a{i} \"{}\">", format!("&a{};", i - 1).repeat(10))).collect();
    let laughs =
        format!("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a0 \"ha\">{entities}]><score-partwise>&a11;</score-partwise>");
    server.post("/v1/query?name=laughs.musicxml", laughs.as_bytes()).refuses(422);
    assert!(memory(&server) < before + (700 << 20), "{} MB", memory(&server) >> 20);
    answers(&server);
}

#[cfg(target_os = "linux")]
fn memory(server: &Server) -> u64 {
    server.memory()
}
#[cfg(not(target_os = "linux"))]
fn memory(_: &Server) -> u64 {
    0
}

#[test]
fn paths_that_lead_elsewhere() {
    let dir = library();
    std::fs::write(dir.path("secret.mp3"), "a secret").unwrap();
    let server = Server::ready(&dir, &["--keep-hums", "kept"]);
    for path in [
        "/../secret.mp3",
        "/page/../../secret.mp3",
        "/page/..%2f..%2fsecret.mp3",
        "/page/%2e%2e/mod.rs",
        "/page/mod.rs",
        "/page//etc/passwd",
        "/v1/songs/..%2f..%2fsecret.mp3/audio",
        "/v1/songs/1%2f..%2f..%2fsecret.mp3/audio",
        "/v1/songs/-1/audio",
        "/v1/songs/18446744073709551616/audio",
        "/v1/songs/1/audio/../../../../etc/passwd",
    ] {
        let answer = server.get(path);
        assert!(answer.status == 404 && !answer.text().contains("secret\n"), "{path}: {} {}", answer.status, answer.text());
    }
    // The name of a hum names no file.
    let tune = midi(&melody(3, 60));
    assert_eq!(server.post("/v1/hums?song=1&name=..%2f..%2fout.mid", &tune).status, 204);
    assert!(!dir.path("out.mid").exists() && !dir.path("../out.mid").exists());
    assert_eq!(std::fs::read_dir(dir.path("kept")).unwrap().count(), 2);
}

#[test]
fn other_sites_pages() {
    let dir = library();
    let server = Server::ready(&dir, &["--host", "music.example"]);
    let address = server.address.to_string();
    let ask = |headers: &[(&str, &str)]| server.ask("GET", "/v1/songs", headers, b"");
    // A name that was made to lead here (DNS rebinding).
    ask(&[("Host", "evil.example")]).refuses(421);
    ask(&[("Host", &format!("evil.example:{}", server.address.port()))]).refuses(421);
    assert_eq!(ask(&[("Host", "music.example")]).status, 200);
    assert_eq!(ask(&[("Host", &format!("localhost:{}", server.address.port()))]).status, 200);
    // A page of another site that asks here.
    ask(&[("Origin", "https://evil.example")]).refuses(403);
    ask(&[("Origin", "null")]).refuses(403);
    assert_eq!(ask(&[("Origin", &format!("http://{address}"))]).status, 200);
    let upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let listen = |origin: &str| {
        let mut stream = server.connect();
        let headers: String = upgrade.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(stream, "GET /v1/listen HTTP/1.1\r\nHost: {address}\r\nOrigin: {origin}\r\n{headers}\r\n").unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        String::from_utf8_lossy(&status[9..]).into_owned()
    };
    assert_eq!(listen("https://evil.example"), "403");
    assert_eq!(listen(&format!("http://{address}")), "101");
    let preflight =
        server.ask("OPTIONS", "/v1/query", &[("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")], b"");
    assert!(preflight.status == 403 && preflight.header("access-control-allow-origin").is_none());
}

#[test]
fn without_the_token() {
    let dir = library();
    for (listen, more) in [("0.0.0.0:0", &[][..]), ("[::]:0", &[]), ("127.0.0.1:0", &["--token-file", "missing"])] {
        let ran = dir.run(&[&["serve", "--listen", listen], more].concat());
        assert!(ran.status == 2, "{listen}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("--token-file") && ran.stderr.contains("--no-auth") || ran.stderr.contains("missing"),
            "{}",
            ran.stderr
        );
    }
    std::fs::write(dir.path("short"), "0123456789abcde").unwrap();
    let ran = dir.run(&["serve", "--listen", "127.0.0.1:0", "--token-file", "short"]);
    assert!(ran.status == 2 && ran.stderr.contains("16"), "{}", ran.stderr);

    std::fs::write(dir.path("token"), format!("{TOKEN}\n")).unwrap();
    let server = Server::start(&dir, &["--token-file", "token"]);
    server.until("/readyz", |answer| answer.status == 200);
    for path in
        ["/v1/songs", "/v1/songs/1", "/v1/songs/1/audio", "/v1/status", "/v1/events", "/v1/listen", "/metrics", "/nowhere"]
    {
        server.get(path).refuses(401);
        server.ask("GET", path, &[("Authorization", "Bearer 0123456789abcdeF")], b"").refuses(401);
        server.ask("GET", path, &[("Cookie", "qbh_session=00000000ffffffff00")], b"").refuses(401);
    }
    for path in ["/v1/query", "/v1/scan", "/v1/hums"] {
        server.post(path, b"x").refuses(401);
    }
    for path in ["/", "/page/main.js", "/healthz", "/readyz"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(server.ask("GET", "/v1/songs", &[("Authorization", &bearer)], b"").status, 200);

    let login = |token: &str| {
        server.ask("POST", "/v1/login", &[("Content-Type", "application/json")], format!("{{\"token\": \"{token}\"}}").as_bytes())
    };
    login("wrong").refuses(401);
    let answer = login(TOKEN);
    assert_eq!(answer.status, 204);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(server.ask("GET", "/v1/songs", &[("Cookie", cookie)], b"").status, 200);
    assert!(!server.said().contains(TOKEN) && !server.said().contains(cookie), "{}", server.said());
}

#[test]
fn a_thousand_idle_connections() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    // As many as this process may have.
    let idle: Vec<_> = (0..1000).map_while(|_| std::net::TcpStream::connect(server.address).ok()).collect();
    assert!(idle.len() >= 900, "{}", idle.len());
    answers(&server);
    drop(idle);
    answers(&server);
}

#[test]
fn more_hums_than_can_be_searched() {
    let dir = library();
    let server = Server::ready(&dir, &["--workers", "1"]);
    let hum = wav(&hum(&melody(3, 60)[5..55], 0.0, 1.0), 16_000, 1);
    let answers_of = || {
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..60).map(|_| scope.spawn(|| server.post("/v1/query", &hum))).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect::<Vec<_>>()
        })
    };
    let answered = answers_of();
    let refused: Vec<_> = answered.iter().filter(|answer| answer.status != 200).collect();
    assert!(answered.iter().filter(|answer| answer.status == 200).count() >= 8);
    assert!(!refused.is_empty(), "the queue has a length");
    for refusal in refused {
        refusal.refuses(503);
        assert!(refusal.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    }
    answers(&server);
}
