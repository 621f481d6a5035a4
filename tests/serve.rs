//! `qbh serve` over real sockets: the API, and how the server begins, follows the library, and ends.
#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use util::server::{Server, read_answer};
use util::{Dir, hum, melody, midi, pitch_text, wav};

const SONGS: u64 = 30;

/// Scores, and one recording, indexed.
fn library() -> Dir {
    let dir = Dir::new();
    for seed in 0..SONGS {
        dir.add(&format!("song{seed:03}.mid"), midi(&melody(seed, 60)));
    }
    dir.add("recording.wav", wav(&hum(&melody(500, 40), 0.0, 1.0), 16_000, 1));
    dir.ok(&["index", "library"]);
    std::fs::write(dir.path("hum.wav"), wav(&hum(&melody(7, 60)[5..30], 2.0, 1.1), 16_000, 1)).unwrap();
    dir
}

fn songs(server: &Server, parameters: &str) -> Value {
    let answer = server.get(&format!("/v1/songs{parameters}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn hums_are_answered_as_the_command_line_answers_them() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let bytes = std::fs::read(dir.path("hum.wav")).unwrap();
    let answer = server.post("/v1/query?k=3", &bytes);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{}", answer.text());
    let answer = answer.json();
    let printed = dir.run(&["query", "hum.wav", "--json", "-k", "3"]).stdout;
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert!(printed["matches"][0]["song"].as_str().unwrap().ends_with("song007.mid"), "{printed:#}");
    for field in ["schema", "duration", "voiced", "songs", "search", "confident", "matches"] {
        assert_eq!(answer[field], printed[field], "{field}");
    }
    assert_eq!(answer["query"], "request");

    // Details are added, nothing is changed.
    let detailed = server.post("/v1/query?k=3&detail=true", &bytes).json();
    let best = &detailed["matches"][0];
    assert_eq!(best["song"], printed["matches"][0]["song"]);
    let listed = server.get(&format!("/v1/songs/{}", best["id"])).json();
    assert_eq!(listed["song"], best["song"]);
    assert!(best["path"].as_array().unwrap().len() > 20);
    assert!(detailed["hum"]["contour"].as_array().unwrap().len() > 50);

    // Scores by their content, or by their name.
    let found = |path: &str, bytes: &[u8]| server.post(path, bytes).json()["matches"][0]["song"].as_str().unwrap().to_owned();
    assert!(found("/v1/query", &midi(&melody(9, 60)[10..40])).ends_with("song009.mid"));
    assert!(found("/v1/query?name=hum.txt", pitch_text(&melody(3, 60)[10..40], 1.0, 1.0).as_bytes()).ends_with("song003.mid"));
}

#[test]
fn what_cannot_be_searched_is_refused_with_reason_and_remedy() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    server.post("/v1/query", b"").refuses(422);
    server.post("/v1/query", b"some text").refuses(422);
    assert!(server.post("/v1/query", b"some text").json()["remedy"].as_str().unwrap().contains("?name="));
    server.post("/v1/query", &wav(&vec![0.0; 80_000], 16_000, 1)).refuses(422);
    let two = "X:1\nT:One\nK:C\nCDEFGABc CDEFGABc|\n\nX:2\nT:Two\nK:C\ncBAGFEDC cBAGFEDC|\n";
    server.post("/v1/query?name=book.abc", two.as_bytes()).refuses(422);
    for parameters in ["k=0", "k=101", "k=many"] {
        server.post(&format!("/v1/query?{parameters}"), b"").refuses(400);
    }
    server.get("/v1/query").refuses(405);
    server.get("/v1/nothing").refuses(404);
    server.get("/v1/songs/99999").refuses(404);
    server.get("/v1/songs/x").refuses(404);
    server.get("/v1/songs?limit=501").refuses(400);
    server.post("/v1/scan", b"").refuses(409);
    server.post("/v1/hums", b"").refuses(404);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn songs_are_listed_page_by_page_and_by_words() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let all = songs(&server, "?limit=500");
    assert_eq!((&all["schema"], &all["total"]), (&"qbh.songs/1".into(), &(SONGS + 1).into()));
    let all = all["songs"].as_array().unwrap().clone();
    let paged: Vec<Value> = (0..=SONGS / 10)
        .flat_map(|page| songs(&server, &format!("?limit=10&offset={}", 10 * page))["songs"].as_array().unwrap().clone())
        .collect();
    assert_eq!(paged, all);
    assert_eq!(songs(&server, "?offset=1000")["songs"], Value::Array(Vec::new()));
    let found = songs(&server, "?q=SONG012");
    assert_eq!((&found["total"], &found["songs"][0]["title"]), (&1.into(), &"song012".into()));
    // As the command line has it.
    let listed = dir.ok(&["list", "--json", "song012"]).stdout;
    assert_eq!(found["songs"][0], serde_json::from_str::<Value>(&listed).unwrap());
    let id = &found["songs"][0]["id"];
    let shown = dir.ok(&["show", "--json", "song012"]).stdout;
    assert_eq!(server.get(&format!("/v1/songs/{id}/contour")).json(), serde_json::from_str::<Value>(&shown).unwrap());
}

#[test]
fn recordings_are_played_in_ranges() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let bytes = std::fs::read(dir.library().join("recording.wav")).unwrap();
    let id = songs(&server, "?q=recording")["songs"][0]["id"].clone();
    let path = format!("/v1/songs/{id}/audio");
    let whole = server.get(&path);
    assert_eq!(
        (whole.status, whole.header("content-type"), whole.header("accept-ranges")),
        (200, Some("audio/wav"), Some("bytes"))
    );
    assert_eq!(whole.body, bytes);
    let range = |range: &str| server.ask("GET", &path, &[("Range", range)], b"");
    let size = bytes.len();
    for (asked, part) in [("bytes=0-3", 0..4), ("bytes=44-", 44..size), ("bytes=-10", size - 10..size)] {
        let answer = range(asked);
        assert_eq!((answer.status, answer.body.as_slice()), (206, &bytes[part.clone()]), "{asked}");
        let told = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        assert_eq!(answer.header("content-range"), Some(told.as_str()));
    }
    for beyond in [format!("bytes={size}-"), "bytes=99999999999999999999-".into(), "bytes=0-1,3-4".into(), "bytes=9-1".into()] {
        range(&beyond).refuses(416);
    }
    let score = songs(&server, "?q=song001")["songs"][0]["id"].clone();
    server.get(&format!("/v1/songs/{score}/audio")).refuses(404);
    std::fs::remove_file(dir.library().join("recording.wav")).unwrap();
    server.get(&path).refuses(404);
    // What is there instead is no song.
    std::fs::create_dir(dir.library().join("recording.wav")).unwrap();
    server.get(&path).refuses(404);
}

#[test]
fn what_others_index_is_found_without_a_restart() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let tune = midi(&melody(900, 60));
    assert!(!server.post("/v1/query", &tune).text().contains("new.mid"));
    dir.add("new.mid", &tune);
    dir.ok(&["index", "library"]);
    server.until("/v1/status", |answer| answer.json()["songs"] == SONGS + 2);
    assert!(server.post("/v1/query", &tune).json()["matches"][0]["song"].as_str().unwrap().ends_with("new.mid"));
    assert_eq!(songs(&server, "?q=new")["total"], 1);
}

#[test]
fn folders_are_indexed_while_hums_are_answered() {
    let dir = Dir::new();
    dir.add("first.mid", midi(&melody(1, 60)));
    let server = Server::start(&dir, &["--library", "library", "--watch"]);
    server.until("/v1/status", |answer| answer.json()["songs"] == 1);
    assert_eq!(server.get("/readyz").status, 200);

    // Watched: no request says that there is something new.
    dir.add("more/second.mid", midi(&melody(2, 60)));
    server.until("/v1/status", |answer| answer.json()["songs"] == 2);
    let found = server.post("/v1/query", &midi(&melody(2, 60))).json();
    assert!(found["matches"][0]["song"].as_str().unwrap().ends_with("second.mid"));

    // The command line works beside it.
    server.until("/v1/status", |answer| answer.json()["indexing"]["running"] == false);
    dir.add("third.mid", midi(&melody(3, 60)));
    let _ = dir.run(&["index", "library"]);
    server.until("/v1/status", |answer| answer.json()["songs"] == 3);
    assert_eq!(dir.ok(&["list", "--json"]).stdout.lines().count(), 3);
    assert_eq!(server.post("/v1/scan", b"").status, 202);
    std::fs::remove_file(dir.library().join("first.mid")).unwrap();
    server.until("/v1/status", |answer| answer.json()["songs"] == 2);
}

#[test]
fn an_empty_server_says_what_to_do() {
    let dir = Dir::new();
    let ran = dir.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(ran.status == 2 && ran.stderr.contains("qbh index"), "{}", ran.stderr);
    let server = Server::start(&dir, &["--library", "library"]);
    server.until("/v1/status", |answer| answer.json()["indexing"]["problem"].is_string());
    server.get("/readyz").refuses(503);
    server.post("/v1/query", &midi(&melody(1, 60))).refuses(503);
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn events_tell_of_the_library() {
    let dir = library();
    let server = Server::ready(&dir, &["--library", "library"]);
    let mut stream = server.connect();
    write!(stream, "GET /v1/events HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let mut wait = |wanted: &dyn Fn(&Value) -> bool| {
        let data = lines.by_ref().filter_map(|line| line.strip_prefix("data: ").map(|data| serde_json::from_str(data).unwrap()));
        data.into_iter().find(wanted).unwrap()
    };
    let status = wait(&|_| true);
    assert_eq!(status["schema"], "qbh.status/1");
    dir.add("new.mid", midi(&melody(900, 60)));
    server.post("/v1/scan", b"");
    wait(&|status| status["indexing"]["running"] == true && status["indexing"]["total"] == 1);
    wait(&|status| status["songs"] == SONGS + 2);
}

#[test]
fn hums_are_kept_where_that_is_wanted_and_evaluated_like_any() {
    let dir = library();
    let server = Server::ready(&dir, &["--keep-hums", "kept"]);
    assert_eq!(server.get("/v1/status").json()["keeps_hums"], true);
    let bytes = std::fs::read(dir.path("hum.wav")).unwrap();
    let id = songs(&server, "?q=song007")["songs"][0]["id"].clone();
    assert_eq!(server.post(&format!("/v1/hums?song={id}&name=hum.wav"), &bytes).status, 204);
    assert_eq!(server.post("/v1/hums", &bytes).status, 204);
    server.post("/v1/hums?song=99999", &bytes).refuses(404);
    server.post("/v1/hums", b"nothing").refuses(422);
    assert_eq!(std::fs::read_to_string(dir.path("kept/none.csv")).unwrap().lines().count(), 2);
    let ran = dir.ok(&["eval", "retrieval", "--manifest", "kept/hums.csv", "--library", "library", "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["n"], &report["queries"][0]["rank"]), (&1.into(), &1.into()), "{report:#}");
}

#[test]
fn operators_are_told_what_they_need() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    server.post("/v1/query", &std::fs::read(dir.path("hum.wav")).unwrap());
    server.post("/v1/query", b"nothing");
    let metrics = server.get("/metrics").text();
    for line in [
        "qbh_songs 31",
        "qbh_queries_total{way=\"request\",outcome=\"confident\"} 1",
        "qbh_queries_total{way=\"request\",outcome=\"refused\"} 1",
        "qbh_refusals_total{status=\"422\"} 1",
        "qbh_requests_total{route=\"/v1/query\",status=\"200\"} 1",
        "qbh_stage_seconds_count{stage=\"listen\"} 1",
        "qbh_stage_seconds_count{stage=\"align\"} 1",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line} is not in\n{metrics}");
    }
    let api = server.get("/openapi.json").json();
    let paths: Vec<&String> = api["paths"].as_object().unwrap().keys().collect();
    for path in ["/v1/query", "/v1/songs", "/v1/songs/{id}/audio", "/v1/events", "/v1/listen", "/healthz", "/metrics"] {
        assert!(paths.iter().any(|known| *known == path), "{path} is not among {paths:?}");
    }
    let said = server.said();
    let line = said.lines().find(|line| line.contains("route=\"/v1/query\"") && line.contains("status=200"));
    assert!(line.is_some_and(|line| line.contains("method=POST") && line.contains("ms=")), "{said}");
}

#[test]
fn every_answer_has_its_headers() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    for path in ["/", "/page/main.js", "/v1/songs", "/nowhere", "/v1/songs/99999/audio"] {
        let answer = server.get(path);
        assert!(answer.header("content-security-policy").is_some_and(|csp| csp.contains("default-src 'none'")), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
        assert_eq!(answer.header("set-cookie"), None, "{path}");
    }
    let page = server.get("/").text();
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing comes from elsewhere");
    for name in page.split("/page/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert_eq!(server.get(&format!("/page/{name}")).status, 200, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn sigterm_lets_what_runs_be_finished() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let bytes = std::fs::read(dir.path("hum.wav")).unwrap();
    // Half of a request is there when the server is told to end.
    let mut stream = server.connect();
    write!(stream, "POST /v1/query HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n", server.address, bytes.len()).unwrap();
    stream.write_all(&bytes[..bytes.len() / 2]).unwrap();
    server.until("/metrics", |answer| answer.text().contains("qbh_connections 2"));
    let mut events = server.connect();
    write!(events, "GET /v1/events HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).unwrap();
    let idle = server.connect();
    server.until("/metrics", |answer| answer.text().contains("qbh_connections 4"));
    server.terminate();
    while !server.said().contains("stopping") {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    stream.write_all(&bytes[bytes.len() / 2..]).unwrap();
    assert_eq!(read_answer(stream).status, 200);
    drop(read_answer(events));
    drop(idle);
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn an_address_that_is_taken_is_said() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let ran = dir.run(&["serve", "--listen", &server.address.to_string()]);
    assert!(ran.status == 2 && ran.stderr.contains("--listen"), "{}", ran.stderr);
}
