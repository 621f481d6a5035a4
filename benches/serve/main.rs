//! Load on `qbh serve`, over loopback: how many hums it answers, how fast, and what it does when there are too many.
//!
//! ```text
//! cargo bench --bench serve -- [--seconds S] [--songs N] [--memory QUERIES]
//! ```
//! Makes a library of melodies and some hums, starts the server that was built beside it, and measures
//! - one query at a time: latency, and the processor time that one takes
//! - closed loop: so many clients that always wait for an answer and ask again; throughput against cores / processor time of one query
//! - open loop: queries at random moments (a Poisson process), at 80 % and at 300 % of that throughput
//! - after the flood: whether it is as before
//! - with `--memory`: resident memory over so many queries
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on says why")]

mod client;
mod library;
mod load;
mod process;

use load::Load;
use process::Server;
use std::time::Duration;

struct Settings {
    seconds: u64,
    songs: u64,
    memory: usize,
}

fn settings() -> Settings {
    let mut settings = Settings { seconds: 60, songs: 1000, memory: 0 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{argument} takes a number"));
        match argument.as_str() {
            "--seconds" => settings.seconds = number(),
            "--songs" => settings.songs = number(),
            "--memory" => settings.memory = number() as usize,
            // What cargo adds.
            "--bench" => {}
            other => panic!("{other} is none of --seconds, --songs, --memory"),
        }
    }
    settings
}

fn main() {
    let Settings { seconds, songs, memory } = settings();
    let time = Duration::from_secs(seconds);
    let cores = std::thread::available_parallelism().unwrap().get();
    let dir = tempfile::tempdir().unwrap();
    library::make(dir.path(), songs);
    let hums = library::hums(songs);
    let server = Server::start(dir.path());
    let load = Load::new(server.address, hums);
    load.closed(1, Duration::from_secs(2));

    let before = server.processor_time();
    let single = load.closed(1, time.min(Duration::from_secs(20)));
    let cost = (server.processor_time() - before).as_secs_f64() / single.answered() as f64;
    println!("{songs} songs, {cores} cores; one query takes {:.0} ms of processor time", 1e3 * cost);
    println!("{}", single.line("one at a time"));

    let ideal = cores as f64 / cost;
    let full = load.closed(2 * cores, time);
    println!("{}", full.line(&format!("closed, {} clients", 2 * cores)));
    println!("   throughput {:.1}/s: {:.2} x cores / processor time of one", full.throughput(), full.throughput() / ideal);

    let calm = load.open(0.8 * full.throughput(), time);
    println!("{}", calm.line("open, 80 %"));
    println!("   p99 / p50 = {:.2}", calm.quantile(0.99) / calm.quantile(0.5));
    let flood = load.open(3.0 * full.throughput(), time);
    println!("{}", flood.line("open, 300 %"));
    println!("   {}", flood.refusals());
    println!("{}", load.closed(1, Duration::from_secs(5)).line("afterwards"));

    if memory > 0 {
        println!("resident memory, MB, over {memory} queries: {}", load.memory(2 * cores, memory, || server.memory() >> 20));
    }
}
