//! The page of `qbh serve` in a real browser, with a WAV file as its microphone.
#![cfg(feature = "serve")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "util/browser.rs"]
mod browser;
mod util;

use browser::{Browser, Equipment};
use fantoccini::Locator;
use std::path::PathBuf;
use util::server::Server;
use util::{Dir, arg, hum, melody, wav};

/// The songs of `qbh demo`, which browsers can play, and a hum of one of them.
struct Stage {
    dir: Dir,
    server: Server,
}

/// What is hummed in `qbh demo`.
const HUMMED: &str = "Viola Hertz - Broken Window";

fn stage(args: &[&str]) -> Stage {
    let dir = Dir::new();
    dir.ok(&["demo"]);
    let index = dir.path("demo/demo-index");
    let server = Server::ready(&dir, &[&["--index", arg(&index)], args].concat());
    Stage { dir, server }
}

impl Stage {
    fn hum(&self) -> PathBuf {
        self.dir.path("demo/hum.wav")
    }

    async fn open(&self, equipment: Equipment<'_>) -> Option<Browser> {
        let browser = Browser::open(&self.dir, equipment).await?;
        browser.page.goto(&format!("http://{}/", self.server.address)).await.unwrap();
        browser.text("#songs", |text| text.contains("12 songs")).await;
        Some(browser)
    }
}

#[tokio::test]
async fn who_hums_reads_the_title_and_hears_the_passage() {
    let stage = stage(&["--keep-hums", "kept"]);
    let hum = stage.hum();
    let Some(browser) = stage.open(Equipment { microphone: Some(&hum), permission: true, ..Equipment::default() }).await else {
        return;
    };
    browser.picture("start").await;
    browser.click("#record").await;
    browser.text("#clock", |text| text >= "2").await;
    browser.picture("humming").await;
    // Nobody presses stop.
    let title = browser.text("#answers .best h2", |text| !text.is_empty()).await;
    assert_eq!(title, HUMMED);
    browser.text("#message", |text| text == format!("Found: {HUMMED}")).await;
    let facts = browser.text("#answers .facts", |text| text.contains('%')).await;
    assert!(facts.contains("Almost certainly") && facts.contains("semitone"), "{facts}");
    browser.text("#answers .overlay", |_| true).await;
    let lines =
        "return document.querySelectorAll('#answers .best .overlay .song-line, #answers .best .overlay .hum-line').length";
    for _ in 0..100 {
        if browser.script(lines).await == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(browser.script(lines).await, 2);
    browser.script("document.activeElement.blur(); scrollTo(0, 0)").await;
    browser.picture("found").await;

    browser.click("#answers .best .actions button").await;
    browser.text("#answers .best .actions button", |text| text == "Stop").await;
    let player = "const p = document.getElementById('player'); return p.error ? 'error' : p.readyState >= 2 && p.currentTime > 5 ? 'plays' : ''";
    for _ in 0..200 {
        if browser.script(player).await == "plays" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(browser.script(player).await, "plays");

    browser.click("#answers .best .actions button:nth-of-type(2)").await;
    browser.text("#answers .best .actions p", |text| text.contains("Thank you")).await;
    assert!(std::fs::read_to_string(stage.dir.path("kept/hums.csv")).unwrap().contains(HUMMED));
    browser.close().await;
}

#[tokio::test]
async fn without_a_microphone_or_leave_to_use_it() {
    let stage = stage(&[]);
    let Some(browser) = stage.open(Equipment { permission: true, ..Equipment::default() }).await else { return };
    browser.click("#record").await;
    browser.text("#message", |text| text.contains("No microphone was found")).await;
    browser.picture("no-microphone").await;
    browser.close().await;
    let hum = stage.hum();
    let Some(browser) = stage.open(Equipment { microphone: Some(&hum), ..Equipment::default() }).await else { return };
    browser.click("#record").await;
    browser.text("#message", |text| text.contains("not allowed")).await;
    browser.close().await;
}

#[tokio::test]
async fn a_tune_of_no_song_is_not_found() {
    let stage = stage(&[]);
    let stranger = stage.dir.path("stranger.wav");
    std::fs::write(&stranger, wav(&hum(&melody(12345, 80), 0.0, 1.0), 16_000, 1)).unwrap();
    let Some(browser) = stage.open(Equipment { microphone: Some(&stranger), permission: true, ..Equipment::default() }).await
    else {
        return;
    };
    browser.click("#record").await;
    browser.text("#message", |text| text.starts_with("No song of this library") || text.starts_with("Not sure")).await;
    browser.picture("unknown").await;
    browser.close().await;
}

#[tokio::test]
async fn files_are_answered_on_a_small_screen_in_the_dark() {
    let stage = stage(&[]);
    let Some(browser) = stage.open(Equipment { width: 320, dark: true, ..Equipment::default() }).await else { return };
    browser.fits().await;
    browser.picture("small").await;
    let file = browser.page.find(Locator::Css("#file")).await.unwrap();
    file.send_keys(arg(&stage.hum())).await.unwrap();
    assert_eq!(browser.text("#answers .best h2", |text| !text.is_empty()).await, HUMMED);
    browser.fits().await;
    browser.script("document.querySelector('#answers').scrollIntoView()").await;
    browser.picture("small-found").await;
    browser.click("#to-library").await;
    browser.text("#found", |text| text == "12 songs").await;
    browser.click("#list details summary").await;
    browser.text("#list .inside button", |text| text == "Play").await;
    browser.fits().await;
    browser.picture("small-library").await;
    browser.close().await;
}

#[tokio::test]
async fn a_private_library_asks_for_its_token() {
    let dir = Dir::new();
    dir.ok(&["demo"]);
    std::fs::write(dir.path("token"), "0123456789abcdef").unwrap();
    let index = dir.path("demo/demo-index");
    let server = Server::ready(&dir, &["--index", arg(&index), "--token-file", "token", "--library", "demo/songs"]);
    let Some(browser) = Browser::open(&dir, Equipment::default()).await else { return };
    browser.page.goto(&format!("http://{}/#library", server.address)).await.unwrap();
    browser.text("#login h1", |text| text.contains("private")).await;
    browser.picture("login").await;
    let type_token = async |token: &str| {
        let field = browser.page.find(Locator::Css("#token")).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(token).await.unwrap();
        browser.click("#login button").await;
    };
    type_token("wrong").await;
    browser.text("#login-message", |text| text.contains("not the token")).await;
    type_token("0123456789abcdef").await;
    browser.text("#found", |text| text == "12 songs").await;
    browser.text("#indexing-text", |text| text.contains("up to date")).await;
    browser.picture("library").await;
    browser.page.find(Locator::Css("#words")).await.unwrap().send_keys("broken").await.unwrap();
    browser.text("#found", |text| text == "1 song").await;
    browser.close().await;
}
