//! One hum over one WebSocket.

use super::ear::{LiveEar, SILENCE, Tail};
use super::message::{Advice, Event, Request};
use super::verdict::{FIRST_ANSWER, INTERVAL, Judge, Verdict, at_the_end};
use crate::json::QueryJson;
use crate::library::listen::listen_samples;
use crate::serve::app::{App, stopped};
use crate::serve::limits::{HUM_SECONDS, MATCHES, WORD_TIME};
use crate::serve::query::{Ask, Hum, answer};
use crate::serve::refusal::Refusal;
use axum::extract::ws::{Message, WebSocket};
use axum::http::StatusCode;
use qbh_models::contour::CONTOUR_STEP;
use qbh_models::{ModelError, PitchTrack};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The melody is drawn when so much more was heard, seconds.
const DRAWN: f64 = 0.2;

/// Sound without a voice is remarked on after so many seconds, and below this share of melody.
const VOICELESS: (f64, f32) = (3.0, 0.15);

/// How often a last search that finds the queue full is tried, and the time between.
const TRIES: (u32, Duration) = (20, Duration::from_millis(250));

/// Rates of samples that microphones have, Hz.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// What a worker has done.
enum Done {
    Drawn(Tail, Result<PitchTrack, ModelError>),
    /// Nothing came of it: the queue was full.
    NotDrawn,
    Answered {
        seconds: f64,
        last: bool,
        answered: Result<Answered, Refusal>,
    },
}

/// An answer, its first song, and how sure it is.
struct Answered {
    json: QueryJson,
    first: Option<(u64, f32)>,
}

/// Listens to one hum.
pub async fn hold(mut socket: WebSocket, app: &Arc<App>) {
    if let Err(refusal) = converse(&mut socket, app).await {
        let Refusal { reason, remedy, .. } = refusal;
        let _ = say(&mut socket, &Event::Refusal { reason, remedy }).await;
    }
    let _ = socket.send(Message::Close(None)).await;
}

/// Why there is nobody to talk to any more.
fn gone() -> Refusal {
    Refusal::bad("the client has left", "")
}

async fn say(socket: &mut WebSocket, event: &Event) -> Result<(), Refusal> {
    let text = serde_json::to_string(event).map_err(|error| Refusal::fault(error.to_string()))?;
    socket.send(Message::text(text)).await.map_err(|_| gone())
}

/// The next message with something in it; `None` when the client is done.
async fn hear(socket: &mut WebSocket) -> Result<Option<Message>, Refusal> {
    let received = tokio::time::timeout(WORD_TIME, socket.recv()).await;
    let received = received.map_err(|_| {
        Refusal::new(StatusCode::REQUEST_TIMEOUT, format!("nothing was heard for {} s", WORD_TIME.as_secs()), "connect again")
    })?;
    match received {
        Some(Ok(Message::Close(_))) | None => Ok(None),
        Some(Ok(message)) => Ok(Some(message)),
        Some(Err(_)) => Err(gone()),
    }
}

fn request(text: &str) -> Result<Request, Refusal> {
    serde_json::from_str(text).map_err(|error| Refusal::bad(format!("not understood: {error}"), "see docs/http.md"))
}

async fn converse(socket: &mut WebSocket, app: &Arc<App>) -> Result<(), Refusal> {
    let first = hear(socket).await?;
    let Some(Message::Text(text)) = first else {
        return Err(Refusal::bad("the first message tells no rate", "send {\"start\": {\"rate\": 48000}} first"));
    };
    let Request::Start { rate, k } = request(&text)? else { return Ok(()) };
    if !RATES.contains(&rate) || !(1..=MATCHES).contains(&k) {
        let remedy = format!("send {} to {} samples a second, and ask for 1 to {MATCHES} songs", RATES.start(), RATES.end());
        return Err(Refusal::bad(format!("rate {rate}, k {k}"), remedy));
    }
    let extractor_rate = app.pool.ask(|desk| desk.extractor.sample_rate()).await?;
    let ear = LiveEar::new(rate, extractor_rate).map_err(|error| Refusal::bad(error.to_string(), error.remedy()))?;
    let (done, results) = mpsc::channel(4);
    let session = Session {
        app,
        k,
        ear,
        judge: Judge::default(),
        done,
        drawing: false,
        searching: false,
        ended: false,
        drawn: 0.0,
        asked: 0.0,
        advised: None,
    };
    session.hold(socket, results).await
}

struct Session<'a> {
    app: &'a Arc<App>,
    /// Matches wanted.
    k: usize,
    ear: LiveEar,
    judge: Judge,
    done: mpsc::Sender<Done>,
    /// Whether a worker draws, or searches.
    drawing: bool,
    searching: bool,
    /// Whether the hum has ended.
    ended: bool,
    /// Seconds that were heard when it was last drawn, and searched.
    drawn: f64,
    asked: f64,
    /// What was said last of what is the matter.
    advised: Option<Advice>,
}

impl Session<'_> {
    async fn hold(mut self, socket: &mut WebSocket, mut results: mpsc::Receiver<Done>) -> Result<(), Refusal> {
        let mut stopping = self.app.stopping.clone();
        loop {
            tokio::select! {
                message = hear(socket), if !self.ended => match message? {
                    Some(Message::Binary(bytes)) => self.listen(&bytes)?,
                    Some(Message::Text(text)) if matches!(request(&text)?, Request::End) => self.end()?,
                    Some(_) => {}
                    None => return Ok(()),
                },
                Some(done) = results.recv() => {
                    if self.take(done, socket).await? {
                        return Ok(());
                    }
                }
                () = stopped(&mut stopping) => {
                    return Err(Refusal::not_ready("the server is being stopped", "hum again in a minute"));
                }
            }
            self.go_on();
        }
    }

    fn listen(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let samples = bytes.as_chunks::<2>().0.iter().map(|&sample| i16::from_le_bytes(sample));
        self.ear.hear(samples).map_err(|error| Refusal::bad(error.to_string(), error.remedy()))?;
        if self.ear.seconds() >= HUM_SECONDS {
            self.end()?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        self.ended = true;
        self.ear.end().map_err(|error| Refusal::fault(error.to_string()))
    }

    /// Has workers do what there is to do.
    fn go_on(&mut self) {
        let seconds = self.ear.seconds();
        if self.ended && !self.searching && self.asked < f64::INFINITY {
            self.asked = f64::INFINITY;
            self.search(seconds, true);
        }
        if !self.ended && !self.searching && seconds >= FIRST_ANSWER.max(self.asked + INTERVAL) {
            self.asked = seconds;
            self.search(seconds, false);
        }
        if !self.drawing && seconds >= self.drawn + DRAWN {
            self.drawn = seconds;
            self.draw();
        }
    }

    fn draw(&mut self) {
        self.drawing = true;
        let (app, done, tail) = (Arc::clone(self.app), self.done.clone(), self.ear.tail());
        tokio::spawn(async move {
            let drawn = app.pool.ask(move |desk| {
                let pitch = desk.extractor.extract(&tail.samples);
                Done::Drawn(tail, pitch)
            });
            let _ = done.send(drawn.await.unwrap_or(Done::NotDrawn)).await;
        });
    }

    fn search(&mut self, seconds: f64, last: bool) {
        self.searching = true;
        let (app, done, k) = (Arc::clone(self.app), self.done.clone(), self.k);
        let samples: Arc<[f32]> = self.ear.samples().into();
        tokio::spawn(async move {
            let begin = Instant::now();
            let mut answered = search(&app, &samples, k).await;
            let (tries, pause) = TRIES;
            for _ in 1..if last { tries } else { 1 } {
                if !answered.as_ref().is_err_and(|refusal| refusal.status() == StatusCode::SERVICE_UNAVAILABLE) {
                    break;
                }
                tokio::time::sleep(pause).await;
                answered = search(&app, &samples, k).await;
            }
            if last {
                app.metrics.observe("total", begin.elapsed());
            }
            let _ = done.send(Done::Answered { seconds, last, answered }).await;
        });
    }

    /// Says what a worker has found; whether that was the last word.
    async fn take(&mut self, done: Done, socket: &mut WebSocket) -> Result<bool, Refusal> {
        match done {
            Done::NotDrawn => self.drawing = false,
            Done::Drawn(tail, pitch) => {
                self.drawing = false;
                let pitch = pitch.map_err(|error| Refusal::fault(error.to_string()))?;
                let (from, pitch) = self.ear.take(&tail, pitch);
                say(socket, &Event::Contour { step: CONTOUR_STEP, from, pitch }).await?;
                self.advise(socket).await?;
            }
            Done::Answered { seconds, last, answered } => {
                self.searching = false;
                return self.judge(seconds, last, answered, socket).await;
            }
        }
        Ok(false)
    }

    async fn judge(
        &mut self,
        seconds: f64,
        last: bool,
        answered: Result<Answered, Refusal>,
        socket: &mut WebSocket,
    ) -> Result<bool, Refusal> {
        let refused = |refusal: Refusal| {
            let (reason, remedy) = (Some(refusal.reason), Some(refusal.remedy));
            Event::End { verdict: Verdict::Unknown, seconds, answer: None, reason, remedy }
        };
        let (verdict, event) = match answered {
            Ok(Answered { json, first }) => {
                let verdict = match self.judge.hear(seconds, first) {
                    None if last => Some(at_the_end(first.map_or(0.0, |(_, confidence)| confidence))),
                    verdict => verdict,
                };
                let answer = Box::new(json);
                match verdict {
                    Some(verdict) => {
                        (Some(verdict), Event::End { verdict, seconds, answer: Some(answer), reason: None, remedy: None })
                    }
                    None => (None, Event::Answer { seconds, answer }),
                }
            }
            Err(refusal) if refusal.status() == StatusCode::UNPROCESSABLE_ENTITY => match self.judge.hear(seconds, None) {
                None if !last => return Ok(false),
                _ => (Some(Verdict::Unknown), refused(refusal)),
            },
            // The next one may find room.
            Err(refusal) if !last && refusal.status() == StatusCode::SERVICE_UNAVAILABLE => return Ok(false),
            Err(refusal) => return Err(refusal),
        };
        if let Some(verdict) = verdict {
            let outcome = match verdict {
                Verdict::Found => "confident",
                Verdict::Unsure | Verdict::Unknown => "guess",
            };
            self.app.metrics.query("listen", outcome);
        }
        say(socket, &event).await?;
        if verdict.is_none() {
            self.remark(Advice::KeepHumming, socket).await?;
        }
        Ok(verdict.is_some())
    }

    /// Says what is the matter with the hum, if something is.
    async fn advise(&mut self, socket: &mut WebSocket) -> Result<(), Refusal> {
        let (seconds, voiced) = VOICELESS;
        if self.ear.seconds() < seconds {
            return Ok(());
        }
        if self.ear.peak() < SILENCE {
            self.remark(Advice::Silence, socket).await
        } else if self.ear.voiced() < voiced {
            self.remark(Advice::NoVoice, socket).await
        } else {
            Ok(())
        }
    }

    async fn remark(&mut self, advice: Advice, socket: &mut WebSocket) -> Result<(), Refusal> {
        if self.advised.replace(advice) == Some(advice) {
            return Ok(());
        }
        say(socket, &Event::Advice { advice, seconds: self.ear.seconds() }).await
    }
}

/// Searches for all of a hum, as for a recording.
async fn search(app: &Arc<App>, samples: &Arc<[f32]>, k: usize) -> Result<Answered, Refusal> {
    let (samples, metrics) = (Arc::clone(samples), Arc::clone(&app.metrics));
    let answered = app.pool.ask(move |desk| {
        let heard = listen_samples(&samples, desk.extractor.sample_rate(), &*desk.extractor)?;
        let listened = heard.decode + heard.extract;
        let Some(piece) = heard.pieces.into_iter().next() else { return Err(Refusal::fault("a hum without a tune")) };
        let hum = Hum { contour: piece.contour, listened };
        let (json, answer) = answer(&hum, &Ask { name: "microphone", limit: k, details: true }, desk, &metrics)?;
        let first = answer.matches.first().map(|best| (best.song.id.0, best.confidence));
        Ok(Answered { json, first })
    });
    answered.await.and_then(|answered| answered)
}
