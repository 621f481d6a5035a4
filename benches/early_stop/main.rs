//! When `qbh serve` stops listening by itself: how early, and with how many more wrong answers than at the end.
//!
//! ```text
//! cargo bench --bench early_stop -- --index DIR --melodies FILE.jsonl.gz [--hums N] [--seed S] [--trace FILE.csv]
//! ```
//! Makes hums of 16 s of melodies in FILE by the model of the human hum, sound and all, and listens to their beginnings as the server does,
//! in the index DIR, which holds these melodies and may hold others. One hum in four is searched without its song. What is said early is held against
//! what is said after all of the hum. Melodies of the same `group` are versions of one tune: any of them is right, and a song that is left out takes
//! its versions with it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on says why")]

use qbh::library::listen::listen_samples;
use qbh::search::{SearchError, SearchOptions, Searcher};
use qbh::serve::listen::{FIRST_ANSWER, INTERVAL, Judge, Verdict, at_the_end};
use qbh::symbolic;
use qbh_index::{Snapshot, SongId};
use qbh_models::Device;
use qbh_models::embedder::{self, DEFAULT_EMBEDDER};
use qbh_models::extractor::{self, DEFAULT_EXTRACTOR, Extractor};
use qbh_models::reranker::{DEFAULT_RERANKER, Reranker};
use qbh_synthesis::SAMPLE_RATE;
use qbh_synthesis::hum::{ranges, record};
use qbh_synthesis::random::stream;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

/// Length of the hums, seconds.
const SECONDS: f32 = 16.0;
/// How much faster than the song.
const TEMPO: (f32, f32) = (0.8, 1.25);

/// An answer: its song, if there is one, and how sure it is.
type First = Option<(u64, f32)>;

struct Arguments {
    index: PathBuf,
    melodies: PathBuf,
    hums: usize,
    seed: u64,
    trace: Option<PathBuf>,
}

fn arguments() -> Option<Arguments> {
    let given: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let named: HashMap<&str, &str> = given.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    Some(Arguments {
        index: named.get("--index")?.into(),
        melodies: named.get("--melodies")?.into(),
        hums: named.get("--hums").map_or(100, |n| n.parse().unwrap()),
        seed: named.get("--seed").map_or(1, |n| n.parse().unwrap()),
        trace: named.get("--trace").map(PathBuf::from),
    })
}

fn main() {
    let Some(arguments) = arguments() else {
        println!("early_stop: give --index DIR and --melodies FILE; nothing was measured");
        return;
    };
    let snapshot = Snapshot::open(&arguments.index).unwrap();
    let path = arguments.melodies.canonicalize().unwrap();
    let ids: HashMap<String, SongId> = snapshot.songs().map(|song| song.map(|song| (song.key, song.id)).unwrap()).collect();
    let melodies = symbolic::read(&path).unwrap();
    let searcher = {
        let embedder = embedder::open(DEFAULT_EMBEDDER, Device::Cpu).unwrap();
        Searcher::new(snapshot, embedder, Some(Reranker::open(DEFAULT_RERANKER, Device::Cpu).unwrap()))
    };
    let extractor = extractor::open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap();

    let groups = Groups::read(&path, &ids);
    let mut told = Told::default();
    let mut trace = String::from("hum,absent,right,seconds,song,confidence\n");
    for hum in 0..arguments.hums {
        let draw = &mut stream(arguments.seed, 0, hum as u32);
        let (melody, id) = loop {
            let melody = &melodies[draw.index(melodies.len())];
            let key = format!("{}#{}", path.display(), melody.id.as_deref().unwrap_or_default());
            let long = melody.notes.last().is_some_and(|note| note.offset() > 2.0 * SECONDS);
            if let (true, Some(id)) = (long, ids.get(&key)) {
                break (melody, *id);
            }
        };
        let tempo = draw.log_range(TEMPO.0, TEMPO.1);
        let end = melody.notes.last().map_or(0.0, |note| note.offset());
        let from = melody.notes[draw.index(melody.notes.len())].onset.min(end - SECONDS * tempo);
        let strength = draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end);
        let samples = record(&melody.notes, from..from + SECONDS * tempo, tempo, strength, draw);
        let absent = hum % 4 == 3;
        let versions = groups.versions(id);
        let without: &[SongId] = if absent { &versions } else { &[] };
        let right: Vec<u64> = versions.iter().filter(|_| !absent).map(|version| version.0).collect();

        let mut judge = Judge::default();
        let mut stopped = None;
        let mut seconds = FIRST_ANSWER;
        let length = samples.len() as f64 / SAMPLE_RATE as f64;
        let mut last = None;
        while seconds <= length {
            last = first(&samples[..(seconds * SAMPLE_RATE as f64) as usize], &*extractor, &searcher, without);
            let (song, confidence) = last.unwrap_or_default();
            writeln!(trace, "{hum},{absent},{},{seconds},{song},{confidence}", id.0).unwrap();
            if stopped.is_none() {
                stopped = judge.hear(seconds, last).map(|verdict| (seconds, verdict, last));
            }
            seconds += INTERVAL;
        }
        told.add(&right, stopped.unwrap_or((length, at_the_end(last.map_or(0.0, |(_, sure)| sure)), last)), last);
    }
    told.print();
    if let Some(path) = &arguments.trace {
        write_trace(path, &trace);
    }
}

/// Which songs are versions of one tune.
struct Groups {
    of: HashMap<SongId, i64>,
}

impl Groups {
    /// The groups that a file of melodies tells of.
    fn read(path: &Path, ids: &HashMap<String, SongId>) -> Groups {
        let lines = std::io::BufReader::new(flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap())).lines();
        let group = |line: String| {
            let melody: serde_json::Value = serde_json::from_str(&line).ok()?;
            let id = ids.get(&format!("{}#{}", path.display(), melody["id"].as_str()?))?;
            Some((*id, melody["group"].as_i64()?))
        };
        Groups { of: lines.map_while(Result::ok).filter_map(group).collect() }
    }

    /// The songs of a song's group; the song alone if it has none.
    fn versions(&self, song: SongId) -> Vec<SongId> {
        let group = self.of.get(&song);
        let alike = self.of.iter().filter(|(other, own)| **other == song || Some(*own) == group).map(|(other, _)| *other);
        std::iter::once(song).chain(alike.filter(|other| *other != song)).collect()
    }
}

fn write_trace(path: &Path, trace: &str) {
    std::fs::write(path, trace).unwrap();
}

/// The first song, as the server would tell it.
fn first(samples: &[f32], extractor: &dyn Extractor, searcher: &Searcher, without: &[SongId]) -> First {
    let heard = listen_samples(samples, SAMPLE_RATE as u32, extractor).ok()?;
    let options = SearchOptions::default();
    let voted = match searcher.vote(&heard.pieces[0].contour, &options) {
        Err(SearchError::NoVoice | SearchError::TooShort { .. }) => return None,
        voted => voted.unwrap(),
    };
    let answer = searcher.answer(&voted, &options, without).unwrap();
    answer.matches.first().map(|best| (best.song.id.0, best.confidence))
}

/// What was said of all hums.
#[derive(Default)]
struct Told {
    /// When it stopped, seconds: of all hums, and of those whose song is there.
    stops: Vec<f64>,
    present: Vec<f64>,
    early: Counts,
    end: Counts,
}

#[derive(Default)]
struct Counts {
    right: usize,
    wrong: usize,
    silent: usize,
}

impl Counts {
    fn add(&mut self, verdict: Verdict, right: &[u64], first: First) {
        match (verdict, first) {
            (Verdict::Found, Some((song, _))) if right.contains(&song) => self.right += 1,
            (Verdict::Found, _) => self.wrong += 1,
            _ => self.silent += 1,
        }
    }
}

impl Told {
    fn add(&mut self, right: &[u64], (seconds, verdict, first): (f64, Verdict, First), last: First) {
        self.stops.push(seconds);
        if !right.is_empty() {
            self.present.push(seconds);
        }
        self.early.add(verdict, right, first);
        self.end.add(at_the_end(last.map_or(0.0, |(_, sure)| sure)), right, last);
    }

    fn print(&mut self) {
        let median = |seconds: &mut Vec<f64>| {
            seconds.sort_by(f64::total_cmp);
            seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
        };
        println!("{} hums, {} of songs that are there", self.stops.len(), self.present.len());
        println!(
            "stopped at a median of {:.0} s, {:.0} s where the song is there",
            median(&mut self.stops),
            median(&mut self.present)
        );
        for (name, Counts { right, wrong, silent }) in [("early", &self.early), ("at the end", &self.end)] {
            println!("{name}: {right} right, {wrong} wrong, {silent} without an answer");
        }
    }
}
