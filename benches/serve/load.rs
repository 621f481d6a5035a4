//! Clients that wait (closed loop), and clients that come whatever happens (open loop).

use super::client::{Answer, ask};
use qbh_synthesis::random::stream;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Threads of the open loop: as many requests can be under way.
const VISITORS: usize = 256;

/// Queries for hums, in turn.
pub struct Load {
    address: SocketAddr,
    hums: Vec<Vec<u8>>,
    next: AtomicUsize,
}

/// What came of a run.
#[derive(Default)]
pub struct Outcome {
    /// Seconds that the answers took, ascending.
    latencies: Vec<f64>,
    /// Seconds that the refusals took, ascending.
    refused: Vec<f64>,
    /// Refusals that say when to come again.
    with_retry: usize,
    /// Requests that nothing came back of, or a fault.
    failed: usize,
    seconds: f64,
}

impl Load {
    pub fn new(address: SocketAddr, hums: Vec<Vec<u8>>) -> Load {
        Load { address, hums, next: AtomicUsize::new(0) }
    }

    fn query(&self) -> Answer {
        let hum = &self.hums[self.next.fetch_add(1, Ordering::Relaxed) % self.hums.len()];
        ask(self.address, "POST", "/v1/query?k=5", hum)
    }

    /// So many clients, each of which asks again when it has its answer.
    pub fn closed(&self, clients: usize, time: Duration) -> Outcome {
        let (outcome, begin) = (Mutex::new(Outcome::default()), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| {
                    while begin.elapsed() < time {
                        let asked = Instant::now();
                        let answer = self.query();
                        outcome.lock().unwrap().add(&answer, asked.elapsed());
                    }
                });
            }
        });
        outcome.into_inner().unwrap().finished(begin.elapsed())
    }

    /// Queries at random moments, so many a second on average; a latency begins when its query was due.
    pub fn open(&self, rate: f64, time: Duration) -> Outcome {
        let draw = &mut stream(1, 2, 3);
        let mut due = Vec::new();
        let mut at = 0.0;
        while at < time.as_secs_f64() {
            due.push(at);
            at += -f64::from(draw.range(1e-6, 1.0)).ln() / rate;
        }
        let (outcome, begin, next) = (Mutex::new(Outcome::default()), Instant::now(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..VISITORS.min(due.len()) {
                scope.spawn(|| {
                    while let Some(&at) = due.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let at = Duration::from_secs_f64(at);
                        std::thread::sleep(at.saturating_sub(begin.elapsed()));
                        let answer = self.query();
                        outcome.lock().unwrap().add(&answer, begin.elapsed() - at);
                    }
                });
            }
        });
        outcome.into_inner().unwrap().finished(begin.elapsed())
    }

    /// So many queries by so many clients, and what `measure` says ten times on the way.
    pub fn memory(&self, clients: usize, queries: usize, measure: impl Fn() -> u64) -> String {
        let mut told = vec![measure().to_string()];
        for _ in 0..10 {
            let left = AtomicUsize::new(queries / 10);
            std::thread::scope(|scope| {
                for _ in 0..clients {
                    scope.spawn(|| {
                        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                            self.query();
                        }
                    });
                }
            });
            told.push(measure().to_string());
        }
        told.join(" ")
    }
}

impl Outcome {
    fn add(&mut self, answer: &Answer, time: Duration) {
        match answer.status {
            200 => self.latencies.push(time.as_secs_f64()),
            503 => {
                self.refused.push(time.as_secs_f64());
                self.with_retry += usize::from(answer.retry);
            }
            _ => self.failed += 1,
        }
    }

    fn finished(mut self, time: Duration) -> Outcome {
        self.seconds = time.as_secs_f64();
        self.latencies.sort_by(f64::total_cmp);
        self.refused.sort_by(f64::total_cmp);
        self
    }

    pub fn answered(&self) -> usize {
        self.latencies.len()
    }

    /// Answers a second.
    pub fn throughput(&self) -> f64 {
        self.answered() as f64 / self.seconds
    }

    /// Latency of the answers, seconds.
    pub fn quantile(&self, q: f64) -> f64 {
        quantile(&self.latencies, q)
    }

    pub fn line(&self, name: &str) -> String {
        let ms = |q| 1e3 * self.quantile(q);
        let (answered, refused, failed) = (self.answered(), self.refused.len(), self.failed);
        format!(
            "{name}: {answered} answered ({:.1}/s), {refused} refused, {failed} failed; p50 {:.0} ms, p90 {:.0} ms, p99 {:.0} ms",
            self.throughput(),
            ms(0.5),
            ms(0.9),
            ms(0.99)
        )
    }

    pub fn refusals(&self) -> String {
        let (p50, p99) = (1e3 * quantile(&self.refused, 0.5), 1e3 * quantile(&self.refused, 0.99));
        format!(
            "refusals: p50 {p50:.0} ms, p99 {p99:.0} ms; {} of {} say when to come again",
            self.with_retry,
            self.refused.len()
        )
    }
}

fn quantile(ascending: &[f64], q: f64) -> f64 {
    let last = ascending.len().saturating_sub(1);
    ascending.get((q * last as f64).round() as usize).copied().unwrap_or(f64::NAN)
}
