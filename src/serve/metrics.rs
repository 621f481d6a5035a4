//! What Prometheus is told.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Names and values of labels. Their number is bounded: routes, not paths.
type Labels = Vec<(&'static str, String)>;

/// Upper bounds of the buckets of latencies, seconds.
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Counters and gauges of this process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    queries: Family<Labels, Counter>,
    refusals: Family<Labels, Counter>,
    stages: Family<Labels, Histogram, fn() -> Histogram>,
    /// Songs that are searched.
    pub songs: Gauge,
    /// Connections that are open.
    pub connections: Gauge,
    /// Hums that are being listened to live.
    pub listeners: Gauge,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("qbh");
        let stages: Family<Labels, Histogram, fn() -> Histogram> = Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let (requests, queries, refusals) = (Family::default(), Family::default(), Family::default());
        let (songs, connections, listeners) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("requests", "Requests, by route and status", Family::clone(&requests));
        registry.register("queries", "Hums that were searched, by way and outcome", Family::clone(&queries));
        registry.register("refusals", "Requests that were refused, by status", Family::clone(&refusals));
        let help = "Time of the stages of a query: wait, listen, embed, score, align, and total";
        registry.register_with_unit("stage", help, Unit::Seconds, stages.clone());
        registry.register("songs", "Songs that are searched", songs.clone());
        registry.register("connections", "Connections that are open", connections.clone());
        registry.register("listeners", "Hums that are being listened to live", listeners.clone());
        Metrics { registry, requests, queries, refusals, stages, songs, connections, listeners }
    }

    /// A request has been answered.
    pub fn request(&self, route: &str, status: u16) {
        let labels = vec![("route", route.to_owned()), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        if status >= 400 {
            self.refusals.get_or_create(&vec![("status", status.to_string())]).inc();
        }
    }

    /// A hum has been searched: `way` is how it came.
    pub fn query(&self, way: &'static str, outcome: &'static str) {
        self.queries.get_or_create(&vec![("way", way.to_owned()), ("outcome", outcome.to_owned())]).inc();
    }

    /// A stage took so long.
    pub fn observe(&self, stage: &'static str, time: Duration) {
        self.stages.get_or_create(&vec![("stage", stage.to_owned())]).observe(time.as_secs_f64());
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
