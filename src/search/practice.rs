//! What rerankers learn from: simulated hums, searched in a library of simulated songs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use qbh_index::{FileIdentity, Fingerprint, Index, NewSong, SongId, Tags};
use qbh_models::Note;
use qbh_models::embedder::Embedder;
use qbh_models::reranker::Pair;
use qbh_synthesis::hum::{self, ranges};
use qbh_training::embedder::Tune;
use qbh_training::reranker::Case;
use rayon::prelude::*;

use super::hum::Hum;
use super::rank::Ranked;
use super::searcher::Proposal;
use super::{SearchError, SearchOptions, Searcher, embed_song};

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
pub struct Plan {
    /// Songs of the library, at most all melodies.
    pub songs: usize,
    /// Passages that are hummed, four times each.
    pub passages: usize,
    /// Seed of all that is drawn.
    pub seed: u64,
}

/// Makes a library of some of the melodies, as an extractor would write them down, in the empty index `index` (a temporary one), hums
/// passages of them and searches. `progress` is told how many songs and passages are done, of how many.
///
/// # Errors
/// What index and embedder report.
pub fn practise(
    plan: &Plan,
    melodies: &[Tune],
    index: &Index,
    embedder: &dyn Embedder,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Case>, SearchError> {
    let library = Library::draw(plan, melodies);
    let (done, all) = (AtomicUsize::new(0), library.songs.len() + plan.passages);
    let tick = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
    let workers = rayon::current_num_threads();
    // A fork of the embedder for each worker, which takes every `workers`-th item.
    let forks: Vec<Box<dyn Embedder>> = (0..workers).map(|_| embedder.fork()).collect();
    forks.into_par_iter().enumerate().try_for_each(|(worker, embedder)| {
        for song in (worker..library.songs.len()).step_by(workers) {
            library.store(song, plan.seed, index, embedder.as_ref())?;
            tick();
        }
        Ok::<(), SearchError>(())
    })?;
    index.refresh()?;
    let ids: HashMap<SongId, usize> = index
        .songs()
        .filter_map(|song| song.map(|song| Some((song.id, song.key.parse().ok()?))).transpose())
        .collect::<Result<_, _>>()?;
    let searchers: Result<Vec<Searcher>, SearchError> =
        (0..workers).map(|_| Ok(Searcher::new(index.snapshot()?, index, embedder.fork(), None))).collect();
    let cases: Result<Vec<Vec<Case>>, SearchError> = searchers?
        .into_par_iter()
        .enumerate()
        .map(|(worker, searcher)| {
            let mut cases = Vec::new();
            for passage in (worker..plan.passages).step_by(workers) {
                cases.extend(library.hum(passage, plan.seed, &searcher, &ids)?);
                tick();
            }
            Ok(cases)
        })
        .collect();
    Ok(cases?.into_iter().flatten().collect())
}

/// An index that the library of a practice can be made in needs this fingerprint.
pub fn fingerprint(embedder: &dyn Embedder) -> Fingerprint {
    let simulated = qbh_index::ModelId { name: "simulated".into(), fingerprint: "0".repeat(16) };
    crate::library::indexer::fingerprint(&simulated, embedder)
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
    fn draw(plan: &Plan, melodies: &[Tune]) -> Library {
        let draw = &mut hum::stream(plan.seed ^ SONGS, 1, 0);
        let mut left: Vec<usize> = (0..melodies.len()).collect();
        let songs = (0..plan.songs.min(melodies.len())).map(|_| {
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
        let draw = &mut hum::stream(seed ^ SONGS, 0, number as u32);
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
    fn hum(
        &self,
        passage: usize,
        seed: u64,
        searcher: &Searcher,
        ids: &HashMap<SongId, usize>,
    ) -> Result<Vec<Case>, SearchError> {
        let draw = &mut hum::stream(seed ^ HUMS, 0, passage as u32);
        let song = &self.songs[draw.index(self.songs.len())];
        let tempo = draw.log_range(TEMPO.0, TEMPO.1);
        let length = (draw.range(HUM_SECONDS.0, HUM_SECONDS.1) * tempo).min(song.duration());
        let from = draw.range(0.0, (song.duration() - length).max(0.0));
        let is_right = |ranked: &Ranked| {
            let number = searcher.song_id(ranked.song).and_then(|id| ids.get(&id));
            number.is_some_and(|&number| self.songs[number].group == song.group)
        };
        let (mut kept, mut cases): (Vec<Proposal>, _) = (Vec::new(), Vec::new());
        for version in 0..VERSIONS {
            let tempo = if version == 0 { tempo } else { tempo * draw.range(TEMPO_SPREAD.0, TEMPO_SPREAD.1) };
            let strength = draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end);
            let contour = hum::hum(&song.notes, from..from + length, tempo, strength, draw);
            let Ok(hum) = Hum::new(&contour) else { continue };
            if kept.is_empty() {
                let voted = searcher.vote(&contour, &SearchOptions::default())?;
                let (candidates, chances) = searcher.candidates(&voted, CANDIDATES, &[]);
                let ranked = searcher.ranked(&voted, &candidates, &chances)?;
                let best = ranked.iter().enumerate().filter(|(rank, song)| *rank < KEPT || is_right(song));
                kept = best.map(|(_, song)| Proposal::again(song)).collect();
            }
            let ranked = searcher.again(&hum, &kept)?;
            let mut case = Case { pairs: Vec::new(), scores: Vec::new(), right: Vec::new() };
            for (ranked, pairs) in ranked.iter().zip(searcher.pairs(&hum, &ranked)?) {
                let pairs: Vec<Pair> = pairs.into_iter().flatten().collect();
                if pairs.is_empty() {
                    continue;
                }
                case.pairs.push(pairs);
                case.scores.push(ranked.score);
                case.right.push(is_right(ranked));
            }
            if case.right.contains(&true) {
                cases.push(case);
            }
        }
        Ok(cases)
    }
}
