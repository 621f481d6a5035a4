//! Hums over a WebSocket, as the page sends them.
#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::{Message, WebSocket};
use util::server::{PATIENCE, Server};
use util::{Dir, hum, melody, midi};

fn library() -> Dir {
    let dir = Dir::new();
    for seed in 0..40 {
        dir.add(&format!("song{seed:03}.mid"), midi(&melody(seed, 80)));
    }
    dir.ok(&["index", "library"]);
    dir
}

fn connect(server: &Server) -> WebSocket<TcpStream> {
    let (socket, _) = tungstenite::client(format!("ws://{}/v1/listen", server.address), server.connect()).unwrap();
    socket.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// What the server says to a hum that is sent four times as fast as it was hummed, up to its last message.
fn listen(server: &Server, samples: &[f32], rate: usize) -> Vec<Value> {
    let mut socket = connect(server);
    socket.send(Message::text(json!({"start": {"rate": rate}}).to_string())).unwrap();
    let mut sender = socket
        .get_ref()
        .try_clone()
        .map(|stream| WebSocket::from_raw_socket(stream, tungstenite::protocol::Role::Client, None))
        .unwrap();
    let samples = samples.to_vec();
    let sending = std::thread::spawn(move || {
        for chunk in samples.chunks(rate / 10) {
            let bytes: Vec<u8> = chunk.iter().flat_map(|sample| ((sample * 32767.0) as i16).to_le_bytes()).collect();
            if sender.send(Message::binary(bytes)).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let _ = sender.send(Message::text("\"end\""));
    });
    let mut events = Vec::new();
    loop {
        let Message::Text(text) = socket.read().unwrap() else { continue };
        let event: Value = serde_json::from_str(&text).unwrap();
        let last = ["end", "refusal"].contains(&event["type"].as_str().unwrap());
        events.push(event);
        if last {
            drop(socket);
            sending.join().unwrap();
            return events;
        }
    }
}

/// The contour that the events draw.
fn drawn(events: &[Value]) -> Vec<f64> {
    let mut contour: Vec<f64> = Vec::new();
    for event in events.iter().filter(|event| event["type"] == "contour") {
        contour.truncate(event["from"].as_u64().unwrap() as usize);
        contour.extend(event["pitch"].as_array().unwrap().iter().map(|pitch| pitch.as_f64().unwrap()));
    }
    contour
}

#[test]
fn a_hum_is_drawn_while_it_is_hummed_and_found_before_it_ends() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let samples = hum(&melody(7, 80)[5..65], 2.0, 1.0);
    let seconds = samples.len() as f64 / 16_000.0;
    assert!(seconds > 20.0);
    let events = listen(&server, &samples, 16_000);
    assert!(events.iter().filter(|event| event["type"] == "contour").count() > 5);
    assert!(drawn(&events).iter().filter(|pitch| **pitch > 0.0).count() > 20);
    let last = events.last().unwrap();
    assert_eq!((&last["type"], &last["verdict"]), (&"end".into(), &"found".into()), "{last:#}");
    assert!(last["answer"]["matches"][0]["song"].as_str().unwrap().ends_with("song007.mid"));
    assert!((4.0..15.0).contains(&last["seconds"].as_f64().unwrap()), "{}", last["seconds"]);
    assert!(server.get("/metrics").text().contains("qbh_queries_total{way=\"listen\",outcome=\"confident\"} 1"));
    server.until("/metrics", |answer| answer.text().contains("qbh_listeners 0"));
}

#[test]
fn what_is_said_at_the_end_is_what_the_file_would_be_told() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    // Too short to be stopped before it ends, at the rate of a sound card.
    let samples = hum(&melody(9, 80)[5..14], 0.0, 1.0);
    let samples = &samples[..samples.len().min(16_000 * 39 / 10)];
    let samples: Vec<f32> = samples.iter().flat_map(|&sample| [sample; 3]).collect();
    let events = listen(&server, &samples, 48_000);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "end");
    let answer = server.post("/v1/query?k=5", &util::wav(&samples, 48_000, 1)).json();
    let songs = |answer: &Value| answer["matches"].as_array().unwrap().iter().map(|m| m["song"].clone()).collect::<Vec<_>>();
    assert_eq!(songs(&last["answer"]), songs(&answer));
}

#[test]
fn a_tune_of_no_song_and_no_tune_at_all() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let events = listen(&server, &hum(&melody(999, 80), 0.0, 1.0), 16_000);
    let last = events.last().unwrap();
    assert!(last["type"] == "end" && last["verdict"] != "found", "{last:#}");
    assert!(events.iter().any(|event| event["advice"] == "keep_humming"));

    let events = listen(&server, &vec![0.0; 16_000 * 6], 16_000);
    assert!(events.iter().any(|event| event["advice"] == "silence"), "{events:#?}");
    let last = events.last().unwrap();
    assert!(last["type"] == "end" && last["answer"].is_null() && last["reason"].is_string(), "{last:#}");

    let mut state = 1u32;
    let noise: Vec<f32> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        0.4 * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
    })
    .take(16_000 * 6)
    .collect();
    let events = listen(&server, &noise, 16_000);
    assert!(events.iter().any(|event| event["advice"] == "no_voice"), "{events:#?}");
}

#[test]
fn clients_that_say_something_else() {
    let dir = library();
    let server = Server::ready(&dir, &[]);
    let refusal = |message: Message| {
        let mut socket = connect(&server);
        socket.send(message).unwrap();
        loop {
            if let Message::Text(text) = socket.read().unwrap() {
                let event: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(event["type"], "refusal", "{event}");
                return event["reason"].as_str().unwrap().to_owned();
            }
        }
    };
    refusal(Message::binary(vec![0; 10]));
    refusal(Message::text("hello"));
    refusal(Message::text("{\"start\": {\"rate\": 1}}"));
    refusal(Message::text("{\"start\": {\"rate\": 44100, \"k\": 1000000}}"));
    server.get("/v1/listen").refuses(426);
    // One who leaves in the middle, and one who sends more than a message may hold.
    let mut socket = connect(&server);
    socket.send(Message::text("{\"start\": {\"rate\": 16000}}")).unwrap();
    socket.send(Message::binary(vec![0; 40_000])).unwrap();
    drop(socket);
    let mut socket = connect(&server);
    let _ = socket.send(Message::binary(vec![0; 2 << 20]));
    server.until("/metrics", |answer| answer.text().contains("qbh_listeners 0"));
    assert_eq!(server.get("/readyz").status, 200);
}
