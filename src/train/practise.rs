//! What rerankers learn from: simulated hums and those of people, searched in a library of simulated songs and of the songs that people
//! hummed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use qbh_index::{FileIdentity, Fingerprint, Index, ModelId, NewSong, Tags};
use qbh_models::embedder::Embedder;
use qbh_models::reranker::Pair;
use qbh_models::{Contour, Note};
use qbh_synthesis::hum::{self, ranges};
use qbh_synthesis::random::{Draw, stream};
use qbh_training::embedder::{RealHum, Tune};
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
/// Least share of a real hum that is searched with, after the first time.
const PART: f32 = 0.5;
/// How often a song that people hummed is in the library: as it is, and as an extractor may hear it.
const RECORDINGS: usize = 3;
/// Tempo of a hum over the song's.
const TEMPO: (f32, f32) = (0.6, 1.6);
/// Longest song, seconds.
const LONGEST_SONG: f32 = 300.0;
/// Sigma-like bounds of the logarithm of a song's tempo over the melody's: of melodies with a tempo, and without.
const SONG_TEMPO: (f32, f32) = (0.15, 0.35);
/// Sets the streams of songs and hums apart from others of the same seed.
const SONGS: u64 = 0x736f_6e67_7300;
const HUMS: u64 = 0x6875_6d73_0000;
const REAL: u64 = 0x7265_616c_0000;

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

/// What there is to practise with.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// Melodies: songs are made of them, and hums.
    pub melodies: &'a [Tune],
    /// Hums of people, each searched for four times, in part; their songs are in the library too.
    pub real_hums: &'a [RealHum],
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
/// passages of them and searches; so with real hums. `progress` is told how many songs and passages are done, of how many.
///
/// # Errors
/// What index and embedder report.
pub fn practise(
    practice: &Practice,
    material: Material,
    folder: &Path,
    embedder: &dyn Embedder,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Searched, SearchError> {
    let index = &Index::open(folder, &fingerprint(embedder))?;
    let library = Library::draw(practice, material);
    let passages = practice.passages + material.real_hums.len();
    let (done, all) = (AtomicUsize::new(0), library.songs.len() + passages);
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
            for passage in (worker..passages).step_by(workers) {
                let hums = match passage.checked_sub(practice.passages) {
                    Some(real) => library.real(&material.real_hums[real], &mut stream(practice.seed ^ REAL, 0, real as u32)),
                    None => library.simulated(&mut stream(practice.seed ^ HUMS, 0, passage as u32)),
                };
                cases.push((passage, library.search(&hums, &searcher)?));
                tick();
            }
            Ok(cases)
        })
        .collect::<Result<Vec<_>, SearchError>>()?;
    // In the order of the passages, however many workers there are.
    let mut cases: Vec<(usize, Vec<Case>)> = shares.into_iter().flatten().collect();
    cases.sort_by_key(|(passage, _)| *passage);
    let (dev, train): (Vec<_>, Vec<_>) = cases.into_iter().partition(|(passage, _)| passage % HELD_OUT == HELD_OUT - 1);
    let [train, dev] = [train, dev].map(|cases| cases.into_iter().flat_map(|(_, cases)| cases).collect());
    Ok(Searched { train, dev })
}

/// That of an index of simulated songs.
fn fingerprint(embedder: &dyn Embedder) -> Fingerprint {
    let simulated = ModelId { name: "simulated".into(), fingerprint: "0".repeat(16) };
    indexer::fingerprint(&simulated, embedder)
}

struct Library {
    /// Those made of melodies, then those that people hummed.
    songs: Vec<Song>,
    /// How many are made of melodies.
    simulated: usize,
}

/// A melody at the tempo of its recording.
struct Song {
    group: i64,
    notes: Vec<Note>,
    /// What was heard of it, of a song that a person hummed.
    heard: Option<Vec<f32>>,
}

impl Song {
    fn duration(&self) -> f32 {
        self.notes.last().map_or(0.0, Note::offset).min(LONGEST_SONG)
    }
}

/// Hums of one passage, and the group of the tune that they are of.
struct Hums {
    group: i64,
    contours: Vec<Contour>,
}

impl Library {
    fn draw(practice: &Practice, material: Material) -> Library {
        let draw = &mut stream(practice.seed ^ SONGS, 1, 0);
        let melodies = material.melodies;
        let mut left: Vec<usize> = (0..melodies.len()).collect();
        let mut songs: Vec<Song> = (0..practice.songs.min(melodies.len()))
            .map(|_| {
                let melody = &melodies[left.swap_remove(draw.index(left.len()))];
                let spread = if melody.free_tempo { SONG_TEMPO.1 } else { SONG_TEMPO.0 };
                let scale = draw.range(-spread, spread).exp();
                let stretch = |n: &Note| Note { onset: n.onset * scale, duration: n.duration * scale, pitch: n.pitch };
                Song { group: melody.group, notes: melody.notes.iter().map(stretch).collect(), heard: None }
            })
            .collect();
        let simulated = songs.len();
        let mut hummed = BTreeSet::new();
        for hum in material.real_hums.iter().filter(|hum| hummed.insert(hum.group)) {
            let song = || Song { group: hum.group, notes: Vec::new(), heard: Some(hum.song.clone()) };
            songs.extend((0..RECORDINGS).map(|_| song()));
        }
        Library { songs, simulated }
    }

    /// Puts a song into the index: some as scores are, the others as heard in recordings.
    fn store(&self, number: usize, seed: u64, index: &Index, embedder: &dyn Embedder) -> Result<(), SearchError> {
        let draw = &mut stream(seed ^ SONGS, 0, number as u32);
        let clean = draw.chance(ranges::CLEAN_SONGS);
        let noise = if clean { 0.0 } else { draw.range(ranges::NOISE.start, ranges::NOISE.end) };
        let song = &self.songs[number];
        let contour = match &song.heard {
            Some(heard) if (number - self.simulated).is_multiple_of(RECORDINGS) => heard.clone(),
            Some(heard) => hum::leak(heard.clone(), noise, draw),
            None => hum::song(&song.notes, 0.0..song.duration(), noise, draw),
        };
        let levels = embed_song(&contour, embedder)?;
        let key = number.to_string();
        let file = FileIdentity { path: key.clone(), size: 0, modified_ns: 0 };
        index.put_file(&file, vec![NewSong { key, tags: Tags::default(), contour, levels }])?;
        Ok(())
    }

    /// Hums of one passage of a melody, by different people.
    fn simulated(&self, draw: &mut Draw) -> Hums {
        let song = &self.songs[draw.index(self.simulated)];
        let tempo = draw.log_range(TEMPO.0, TEMPO.1);
        let length = (draw.range(HUM_SECONDS.0, HUM_SECONDS.1) * tempo).min(song.duration());
        let from = draw.range(0.0, (song.duration() - length).max(0.0));
        let contour = |version| {
            let tempo = if version == 0 { tempo } else { tempo * draw.range(TEMPO_SPREAD.0, TEMPO_SPREAD.1) };
            hum::anybody(&song.notes, from..from + length, tempo, draw)
        };
        Hums { group: song.group, contours: (0..VERSIONS).map(contour).collect() }
    }

    /// What a person hummed, and parts of it with more mistakes of an extractor.
    fn real(&self, real: &RealHum, draw: &mut Draw) -> Hums {
        let contour = |version| {
            if version == 0 {
                return Contour::from_steps(real.hum.clone());
            }
            let length = (draw.range(PART, 1.0) * real.hum.len() as f32) as usize;
            let from = draw.index(real.hum.len() - length + 1);
            let mut part = real.hum[from..from + length].to_vec();
            hum::mistrack(&mut part, draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end), draw);
            Contour::from_steps(part)
        };
        Hums { group: real.group, contours: (0..VERSIONS).map(contour).collect() }
    }

    /// Hums with what a search found for the first of them; none when that was too short, or its song not found.
    fn search(&self, hums: &Hums, searcher: &Searcher) -> Result<Vec<Case>, SearchError> {
        let group = |key: &str| key.parse().ok().and_then(|number: usize| self.songs.get(number)).map(|song| song.group);
        let is_right = |found: &RankedSong| group(&found.song.song.key) == Some(hums.group);
        let (mut kept, mut cases): (Vec<(FetchedSong, Vec<Passage>)>, _) = (Vec::new(), Vec::new());
        for contour in &hums.contours {
            let Ok(hum) = trim(contour) else { continue };
            if kept.is_empty() {
                let voted = searcher.vote(contour, &SearchOptions::default())?;
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

    /// The first twelve seconds of a melody as if a person had hummed them, a fourth lower.
    fn real_hum(tune: &Tune, group: i64) -> RealHum {
        let song = Contour::from_notes(&tune.notes).pitch;
        let hum = song[..120].iter().map(|&p| if p > 0.0 { p - 5.0 } else { 0.0 }).collect();
        RealHum { hum, song, section: 0.0..12.0, group }
    }

    #[test]
    fn the_same_seed_gives_the_same_cases_on_any_number_of_cores() {
        let melodies = Collection::generated(24, 5).tunes;
        let practice = Practice { songs: 20, passages: 6, seed: 3 };
        let real_hums: Vec<RealHum> = [3, 8].map(|tune| real_hum(&melodies[tune], -1 - tune as i64)).into();
        let material = Material { melodies: &melodies, real_hums: &real_hums };
        let cases = [1, 3].map(|workers| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build().unwrap();
            let folder = tempfile::tempdir().unwrap();
            let searched = pool.install(|| {
                let embedder = embedder::open(DEFAULT_EMBEDDER, qbh_models::Device::Cpu).unwrap();
                practise(&practice, material, folder.path(), embedder.as_ref(), &|_, _| ()).unwrap()
            });
            let cases = searched.train.into_iter().chain(searched.dev);
            cases.map(|case| (case.pairs, case.scores, case.right)).collect::<Vec<_>>()
        });
        assert!(cases[0].len() >= 16, "{} of 32 hums found their songs", cases[0].len());
        // The songs of real hums are in the library three times.
        let real = cases[0].iter().filter(|(_, _, right)| right.iter().filter(|right| **right).count() >= RECORDINGS);
        assert!(real.count() >= 4);
        assert!(cases[0] == cases[1]);
    }
}
