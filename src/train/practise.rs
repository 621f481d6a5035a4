//! What rerankers learn from: simulated hums, searched in a library of simulated songs.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use qbh_index::{FileIdentity, Fingerprint, Index, ModelId, NewSong, Tags};
use qbh_models::Note;
use qbh_models::embedder::Embedder;
use qbh_models::reranker::Pair;
use qbh_synthesis::hum::{self, ranges};
use qbh_synthesis::random::stream;
use qbh_training::embedder::Tune;
use qbh_training::reranker::Case;
use rayon::prelude::*;

use crate::library::{embed_song, indexer};
use crate::search::align::align;
use crate::search::fetch::FetchedSong;
use crate::search::locate::Passage;
use crate::search::rank::{RankedSong, rank};
use crate::search::rerank::pairs;
use crate::search::trim::trim;
use crate::search::{SearchError, SearchOptions, Searcher};

/// Songs that are kept of a search, beside the right one.
const KEPT: usize = 20;
/// Songs aligned for it.
const CANDIDATES: usize = 60;
/// Hums of one passage: the songs proposed for the first one are aligned with all of them.
const VERSIONS: usize = 4;
/// By how much these differ in tempo.
const TEMPO_SPREAD: (f32, f32) = (0.9, 1.1);
/// Seconds of a hum.
const HUM_SECONDS: (f32, f32) = (4.0, 16.0);
/// Tempo of a hum over the song's.
const TEMPO: (f32, f32) = (0.6, 1.6);
/// Longest song, seconds.
const LONGEST_SONG: f32 = 300.0;
/// Sigma-like bounds of the logarithm of a song's tempo over the melody's: of melodies with a tempo, and without.
const SONG_TEMPO: (f32, f32) = (0.15, 0.35);
/// Sets the streams of songs and hums apart from others of the same seed.
const SONGS: u64 = 0x736f_6e67_7300;
const HUMS: u64 = 0x6875_6d73_0000;

/// How much to practise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Practice {
    /// Songs of the library, at most all melodies.
    pub songs: usize,
    /// Passages that are hummed, four times each.
    pub passages: usize,
    /// Seed of all that is drawn.
    pub seed: u64,
}

/// One passage in so many is held out.
const HELD_OUT: usize = 20;

/// Hums with the songs that searches proposed for them.
#[derive(Debug)]
pub struct Searched {
    /// To train on.
    pub train: Vec<Case>,
    /// Held out.
    pub dev: Vec<Case>,
}

/// Makes a library of some of the melodies, as an extractor would write them down, in an index in the empty folder `folder`, hums
/// passages of them and searches. `progress` is told how many songs and passages are done, of how many.
///
/// # Errors
/// What index and embedder report.
pub fn practise(
    practice: &Practice,
    melodies: &[Tune],
    folder: &Path,
    embedder: &dyn Embedder,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Searched, SearchError> {
    let index = &Index::open(folder, &fingerprint(embedder))?;
    let library = Library::draw(practice, melodies);
    let (done, all) = (AtomicUsize::new(0), library.songs.len() + practice.passages);
    let tick = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
    let workers = rayon::current_num_threads();
    // A fork of the embedder for each worker, which takes every `workers`-th item.
    let forks: Vec<Box<dyn Embedder>> = (0..workers).map(|_| embedder.fork()).collect();
    forks.into_par_iter().enumerate().try_for_each(|(worker, embedder)| {
        for song in (worker..library.songs.len()).step_by(workers) {
            library.store(song, practice.seed, index, embedder.as_ref())?;
            tick();
        }
        Ok::<(), SearchError>(())
    })?;
    let snapshot = index.snapshot()?;
    let searchers: Vec<Searcher> = (0..workers).map(|_| Searcher::new(snapshot.clone(), embedder.fork(), None)).collect();
    let shares = searchers
        .into_par_iter()
        .enumerate()
        .map(|(worker, searcher)| {
            let mut cases = Vec::new();
            for passage in (worker..practice.passages).step_by(workers) {
                cases.push((passage, library.hum(passage, practice.seed, &searcher)?));
                tick();
            }
            Ok(cases)
        })
        .collect::<Result<Vec<_>, SearchError>>()?;
    // In the order of the passages, however many workers there are.
    let mut cases: Vec<(usize, Vec<Case>)> = shares.into_iter().flatten().collect();
    cases.sort_by_key(|(passage, _)| *passage);
    let mut train: Vec<Case> = cases.into_iter().flat_map(|(_, cases)| cases).collect();
    let dev = train.split_off(train.len() - train.len() / HELD_OUT);
    Ok(Searched { train, dev })
}

/// That of an index of simulated songs.
fn fingerprint(embedder: &dyn Embedder) -> Fingerprint {
    let simulated = ModelId { name: "simulated".into(), fingerprint: "0".repeat(16) };
    indexer::fingerprint(&simulated, embedder)
}

struct Library {
    songs: Vec<Song>,
}

/// A melody at the tempo of its recording.
struct Song {
    group: i64,
    notes: Vec<Note>,
}

impl Song {
    fn duration(&self) -> f32 {
        self.notes.last().map_or(0.0, Note::offset).min(LONGEST_SONG)
    }
}

impl Library {
    fn draw(practice: &Practice, melodies: &[Tune]) -> Library {
        let draw = &mut stream(practice.seed ^ SONGS, 1, 0);
        let mut left: Vec<usize> = (0..melodies.len()).collect();
        let songs = (0..practice.songs.min(melodies.len())).map(|_| {
            let melody = &melodies[left.swap_remove(draw.index(left.len()))];
            let spread = if melody.free_tempo { SONG_TEMPO.1 } else { SONG_TEMPO.0 };
            let scale = draw.range(-spread, spread).exp();
            let stretch = |n: &Note| Note { onset: n.onset * scale, duration: n.duration * scale, pitch: n.pitch };
            Song { group: melody.group, notes: melody.notes.iter().map(stretch).collect() }
        });
        Library { songs: songs.collect() }
    }

    /// Puts a song into the index: some as scores are, the others as heard in recordings.
    fn store(&self, number: usize, seed: u64, index: &Index, embedder: &dyn Embedder) -> Result<(), SearchError> {
        let draw = &mut stream(seed ^ SONGS, 0, number as u32);
        let clean = draw.chance(ranges::CLEAN_SONGS);
        let noise = if clean { 0.0 } else { draw.range(ranges::NOISE.start, ranges::NOISE.end) };
        let song = &self.songs[number];
        let contour = hum::song(&song.notes, 0.0..song.duration(), noise, draw);
        let levels = embed_song(&contour, embedder)?;
        let key = number.to_string();
        let file = FileIdentity { path: key.clone(), size: 0, modified_ns: 0 };
        index.put_file(&file, vec![NewSong { key, tags: Tags::default(), contour, levels }])?;
        Ok(())
    }

    /// Hums of one passage, with what a search found for the first of them; none when that was too short, or its song not found.
    fn hum(&self, passage: usize, seed: u64, searcher: &Searcher) -> Result<Vec<Case>, SearchError> {
        let draw = &mut stream(seed ^ HUMS, 0, passage as u32);
        let song = &self.songs[draw.index(self.songs.len())];
        let tempo = draw.log_range(TEMPO.0, TEMPO.1);
        let length = (draw.range(HUM_SECONDS.0, HUM_SECONDS.1) * tempo).min(song.duration());
        let from = draw.range(0.0, (song.duration() - length).max(0.0));
        let group = |key: &str| key.parse().ok().and_then(|number: usize| self.songs.get(number)).map(|song| song.group);
        let is_right = |found: &RankedSong| group(&found.song.song.key) == Some(song.group);
        let (mut kept, mut cases): (Vec<(FetchedSong, Vec<Passage>)>, _) = (Vec::new(), Vec::new());
        for version in 0..VERSIONS {
            let tempo = if version == 0 { tempo } else { tempo * draw.range(TEMPO_SPREAD.0, TEMPO_SPREAD.1) };
            let strength = draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end);
            let contour = hum::hum(&song.notes, from..from + length, tempo, strength, draw);
            let Ok(hum) = trim(&contour) else { continue };
            if kept.is_empty() {
                let voted = searcher.vote(&contour, &SearchOptions::default())?;
                let found = searcher.rank(&voted, CANDIDATES, |_| true)?.ranked.into_iter().enumerate();
                let best = found.filter(|(rank, song)| *rank < KEPT || is_right(song));
                kept = best.map(|(_, found)| (found.song, found.places.iter().map(|place| place.passage).collect())).collect();
            }
            let parts: Vec<(&[f32], &[Passage])> =
                kept.iter().map(|(song, passages)| (&song.contour[..], &passages[..])).collect();
            let places = align(&hum, &parts);
            let mut case = Case { pairs: Vec::new(), scores: Vec::new(), right: Vec::new() };
            for ranked in rank(kept.iter().map(|(song, _)| song.clone()).zip(places)) {
                let pairs: Vec<Pair> = pairs(&hum, &ranked).into_iter().flatten().collect();
                if pairs.is_empty() {
                    continue;
                }
                case.pairs.push(pairs);
                case.scores.push(ranked.evidence.score());
                case.right.push(is_right(&ranked));
            }
            if case.right.contains(&true) {
                cases.push(case);
            }
        }
        Ok(cases)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::embedder::{self, DEFAULT_EMBEDDER};
    use qbh_training::embedder::Collection;

    #[test]
    fn the_same_seed_gives_the_same_cases_on_any_number_of_cores() {
        let melodies = Collection::generated(24, 5).tunes;
        let practice = Practice { songs: 20, passages: 6, seed: 3 };
        let cases = [1, 3].map(|workers| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build().unwrap();
            let folder = tempfile::tempdir().unwrap();
            let searched = pool.install(|| {
                let embedder = embedder::open(DEFAULT_EMBEDDER, qbh_models::Device::Cpu).unwrap();
                practise(&practice, &melodies, folder.path(), embedder.as_ref(), &|_, _| ()).unwrap()
            });
            let cases = searched.train.into_iter().chain(searched.dev);
            cases.map(|case| (case.pairs, case.scores, case.right)).collect::<Vec<_>>()
        });
        assert!(cases[0].len() >= 12, "{} of 24 hums found their songs", cases[0].len());
        assert!(cases[0] == cases[1]);
    }
}
