//! A real browser: Chromium without a window, told what to do through its driver.

use crate::util::Dir;
use crate::util::skipped::skipped;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What the page is given time for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Folder in which screenshots are kept, if it is set.
const SCREENSHOTS: &str = "QBH_SCREENSHOTS";

/// What a browser begins with.
#[derive(Default)]
pub struct Equipment<'a> {
    /// A WAV file that is heard instead of a microphone.
    pub microphone: Option<&'a Path>,
    /// Whether pages may use one.
    pub permission: bool,
    /// Width of the screen, CSS pixels; that of a desk if it is 0.
    pub width: u32,
    /// Whether dark colours are preferred.
    pub dark: bool,
}

/// A browser with one page.
pub struct Browser {
    driver: Child,
    pub page: Client,
}

impl Browser {
    /// `None`, said and counted, where there is no Chromium.
    pub async fn open(dir: &Dir, equipment: Equipment<'_>) -> Option<Browser> {
        let Some((mut driver, port)) = driver() else {
            skipped("there is no Chromium with its driver: scripts/setup.sh --browser");
            return None;
        };
        let mut flags: Vec<String> = [
            "headless",
            "no-sandbox",
            "disable-gpu",
            "disable-quic",
            "disable-dev-shm-usage",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
        ]
        .map(|flag| format!("--{flag}"))
        .into();
        flags.push(format!("--user-data-dir={}", dir.path(&format!("browser-{port}")).display()));
        if equipment.permission {
            flags.push("--use-fake-ui-for-media-stream".into());
        }
        if let Some(file) = equipment.microphone {
            flags.push("--use-fake-device-for-media-stream".into());
            flags.push(format!("--use-file-for-fake-audio-capture={}%noloop", file.display()));
        }
        if equipment.dark {
            flags.push("--blink-settings=preferredColorScheme=0".into());
        }
        let mut options = json!({ "args": flags });
        if equipment.width > 0 {
            options["mobileEmulation"] =
                json!({ "deviceMetrics": { "width": equipment.width, "height": 720, "pixelRatio": 2.0 } });
        }
        let capabilities = Map::from_iter([("goog:chromeOptions".to_owned(), options)]);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        match client {
            Ok(page) => Some(Browser { driver, page }),
            Err(error) => {
                let _ = driver.kill();
                panic!("the browser does not start: {error}");
            }
        }
    }

    pub async fn click(&self, selector: &str) {
        self.page.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// The text of the first element that is there and fits, once its text is as wanted.
    pub async fn text(&self, selector: &str, wanted: impl Fn(&str) -> bool) -> String {
        let begin = std::time::Instant::now();
        loop {
            let seen = match self.page.find(Locator::Css(selector)).await {
                Ok(element) => element.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            if wanted(&seen) {
                return seen;
            }
            let message = self.script("return document.body.innerText").await;
            assert!(begin.elapsed() < PATIENCE, "{selector} says {seen:?}; the page: {message}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn script(&self, script: &str) -> Value {
        self.page.execute(script, Vec::new()).await.unwrap()
    }

    /// Nothing sticks out at the side.
    pub async fn fits(&self) {
        let (page, screen) =
            (self.script("return document.documentElement.scrollWidth").await, self.script("return innerWidth").await);
        assert!(page.as_u64() <= screen.as_u64(), "the page is {page} wide on a screen of {screen}");
    }

    /// Keeps a picture, if somebody wants to see it.
    pub async fn picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os(SCREENSHOTS) {
            let png = self.page.screenshot().await.unwrap();
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), png).unwrap();
        }
    }

    pub async fn close(self) {
        let _ = self.page.clone().close().await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Starts the driver; it chooses its port.
fn driver() -> Option<(Child, u16)> {
    let mut child = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let lines = BufReader::new(child.stdout.take()?).lines().map_while(Result::ok);
    let port = lines.into_iter().find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
    port.map(|port| (child, port))
}
