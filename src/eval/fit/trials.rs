//! Hums, each searched in its whole library and in random ones.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use qbh_index::SongId;
use qbh_models::Contour;
use qbh_models::contour::CONTOUR_STEP;
use qbh_models::extractor::Extractor;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::eval::datasets::{self, DataSet, DatasetError, HumPlan, Query, QuerySource};
use crate::library::listen;
use crate::library::walk::is_audio;
use crate::search::rank::Evidence;
use crate::search::vote::SongVotes;
use crate::search::{SearchError, SearchOptions, Searcher, Voted};

/// Length of the synthesised hums, and of parts of others, seconds; people are often content with a few notes.
const SECONDS: Range<f32> = 4.0..16.0;
/// Their tempo over the song's.
const TEMPO: Range<f32> = 0.7..1.4;
/// Random libraries in which every hum is searched.
const LIBRARIES: usize = 4;
/// How often these hold the right songs.
const PRESENT: f64 = 0.75;
/// Songs of so many contour steps (1 min) tell what full songs get.
const FULL_LENGTH: u32 = 600;
/// The HumTrans transcribers whose notes are searched; a fourth one heard no pitches.
const TRANSCRIBERS: [&str; 3] = ["JDC-STP", "VOCANO", "MIR-ST500"];

/// A set of hums of one kind.
#[derive(Debug)]
pub struct FitSet {
    /// Name in reports.
    pub name: &'static str,
    /// Hums and their songs.
    pub set: DataSet,
    /// Whether the songs are recordings: they are searched among recordings too, scores among scores only.
    pub recordings: bool,
}

impl FitSet {
    fn new(name: &'static str, set: DataSet, recordings: bool) -> FitSet {
        FitSet { name, set, recordings }
    }
}

fn plan(hums: usize) -> HumPlan {
    HumPlan { hums, seed: 1, tempo: TEMPO, seconds: SECONDS }
}

/// About `hums` of the queries, evenly spread.
fn some(queries: Vec<Query>, hums: usize) -> Vec<Query> {
    let stride = queries.len().div_ceil(hums.max(1)).max(1);
    queries.into_iter().step_by(stride).collect()
}

/// Hums synthesised of recordings with charts.
///
/// # Errors
/// As [`datasets::charts`].
pub fn hums_of_charts(folder: &Path, hums: usize) -> Result<FitSet, DatasetError> {
    Ok(FitSet::new("recordings", datasets::charts(folder, &plan(hums))?, true))
}

/// Hums synthesised of melodies.
///
/// # Errors
/// As [`datasets::melodies`].
pub fn hums_of_melodies(file: &Path, hums: usize) -> Result<FitSet, DatasetError> {
    Ok(FitSet::new("melodies", datasets::melodies(file, &plan(hums))?, false))
}

/// Hums of HumTrans as notes of three transcribers.
///
/// # Errors
/// As [`datasets::humtrans`].
pub fn transcribed_hums(folder: &Path, hums: usize) -> Result<FitSet, DatasetError> {
    let mut all = DataSet::default();
    for transcriber in TRANSCRIBERS {
        let set = datasets::humtrans(folder, Some(transcriber))?;
        all.queries.extend(set.queries);
        all.library = set.library;
    }
    all.queries = some(all.queries, hums);
    Ok(FitSet::new("transcribed hums", all, false))
}

/// Recorded hums of a list, and their songs.
///
/// # Errors
/// As [`datasets::manifest`].
pub fn hums_of_manifest(file: &Path, library: &[PathBuf], hums: usize) -> Result<FitSet, DatasetError> {
    let mut set = datasets::manifest(file, library)?;
    set.queries = some(set.queries, hums);
    Ok(FitSet::new("recorded hums", set, false))
}

/// A hum searched in a library.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// Which set the hum is of.
    pub set: usize,
    /// Which of all hums.
    pub hum: usize,
    /// What spoke for the songs that were aligned, best first.
    pub ranking: Vec<Evidence>,
    /// Whether each of these is right.
    pub is_right: Vec<bool>,
    /// Songs of the library.
    pub songs: usize,
    /// Voiced seconds of the hum.
    pub seconds: f32,
    /// Mean and standard deviation of the votes of wrong songs of full length, for each pair of lengths.
    pub nulls: Vec<(f32, f32)>,
}

/// All searches.
#[derive(Debug, Default)]
pub struct Trials {
    /// Names of the sets.
    pub(super) sets: Vec<&'static str>,
    /// Every hum in its whole library.
    pub(super) whole: Vec<Trial>,
    /// Every hum in [`LIBRARIES`] libraries of random sizes.
    pub(super) random: Vec<Trial>,
}

/// Searches every hum of every set among the songs of its set and the `distractors`, files and folders that the index holds too. `songs` are those of
/// the index by key; `progress` is told of every hum.
///
/// # Errors
/// What index and models report. A hum that is not heard is left out.
pub fn search_all(
    searcher: &Searcher,
    extractor: &dyn Extractor,
    songs: &HashMap<String, SongId>,
    sets: &[FitSet],
    distractors: &[PathBuf],
    mut progress: impl FnMut(),
) -> Result<Trials, SearchError> {
    let snapshot = searcher.snapshot();
    let full_length = (0..snapshot.len() as u32).map(|song| Ok(snapshot.song(song)?.steps >= FULL_LENGTH));
    let full_length = full_length.collect::<Result<Vec<bool>, qbh_index::Error>>()?;
    let mut keys: Vec<&String> = songs.keys().collect();
    keys.sort();
    let ordinals = |inside: &dyn Fn(&str) -> bool| -> Vec<u32> {
        let inside = keys.iter().filter(|key| inside(key));
        inside.filter_map(|key| snapshot.ordinal(*songs.get(key.as_str())?)).collect()
    };
    let is_recording = |key: &str| is_audio(Path::new(key));
    let recordings = ordinals(&is_recording);

    let mut trials = Trials { sets: sets.iter().map(|set| set.name).collect(), ..Trials::default() };
    for (number, FitSet { set, recordings: among_recordings, .. }) in sets.iter().enumerate() {
        let (own, others) = (texts(&set.library), texts(distractors));
        let below = |roots: &[String], key: &str| roots.iter().any(|root| key.starts_with(root));
        let library = ordinals(&|key| below(&own, key) || (below(&others, key) && (*among_recordings || !is_recording(key))));
        for (item, query) in set.queries.iter().enumerate() {
            progress();
            let Some(contour) = contour(&query.source, extractor, item as u64) else { continue };
            let voted = match searcher.vote(&contour, &SearchOptions::default()) {
                Ok(voted) => voted,
                Err(SearchError::NoVoice | SearchError::TooShort { .. }) => continue,
                Err(error) => return Err(error),
            };
            let right: Vec<u32> = query.songs.iter().filter_map(|key| snapshot.ordinal(*songs.get(key)?)).collect();
            let hum = Hum { set: number, number: trials.whole.len(), voted: &voted, right: &right };
            trials.whole.push(hum.search(searcher, &library, &full_length)?);
            for draw in 0..LIBRARIES {
                let mut rng = ChaCha8Rng::seed_from_u64((item as u64) << 8 | draw as u64 | (number as u64) << 32);
                // Small folders of full recordings are what a hum looks alike in most easily.
                let pool = if draw == 0 && !recordings.is_empty() { &recordings } else { &library };
                // A quarter of the libraries are whole: random sizes are rarely that large.
                let whole = draw == 1;
                trials.random.push(hum.search(searcher, &some_of(pool, whole, &right, &mut rng), &full_length)?);
            }
        }
    }
    Ok(trials)
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    let whole = paths.iter().filter_map(|path| path.canonicalize().ok());
    whole.map(|path| path.to_string_lossy().into_owned()).collect()
}

fn contour(source: &QuerySource, extractor: &dyn Extractor, item: u64) -> Option<Contour> {
    let heard = match source {
        QuerySource::Contour(contour) => return Some(part_of(contour, &mut ChaCha8Rng::seed_from_u64(item))),
        QuerySource::File(path) => listen::listen(path, extractor),
        QuerySource::Simulated(hum) => {
            let (samples, rate) = hum.record();
            listen::listen_samples(&samples, rate, extractor)
        }
    };
    heard.ok()?.pieces.into_iter().next().map(|piece| piece.contour)
}

/// Half of the time the whole hum, else a part of it.
fn part_of(contour: &Contour, rng: &mut ChaCha8Rng) -> Contour {
    let steps = (f64::from(rng.random_range(SECONDS)) / CONTOUR_STEP) as usize;
    if rng.random_bool(0.5) || contour.pitch.len() <= steps {
        return contour.clone();
    }
    let from = rng.random_range(0..contour.pitch.len() - steps);
    contour.part(from..from + steps)
}

/// A library of random size, or the whole pool; the right songs are in three of four.
fn some_of(pool: &[u32], whole: bool, right: &[u32], rng: &mut ChaCha8Rng) -> Vec<u32> {
    let others: Vec<u32> = pool.iter().copied().filter(|song| !right.contains(song)).collect();
    let size = if whole || others.len() < 3 {
        others.len()
    } else {
        (rng.random_range(0.0..(others.len() as f32).ln()).exp() as usize).min(others.len())
    };
    let mut library: Vec<u32> = rand::seq::index::sample(rng, others.len(), size).iter().map(|i| others[i]).collect();
    if rng.random_bool(PRESENT) {
        library.extend(right);
    }
    library
}

/// A hum with its votes and its right songs.
struct Hum<'a> {
    set: usize,
    number: usize,
    voted: &'a Voted,
    right: &'a [u32],
}

impl Hum<'_> {
    fn search(&self, searcher: &Searcher, library: &[u32], full_length: &[bool]) -> Result<Trial, SearchError> {
        let library: HashSet<u32> = library.iter().copied().collect();
        let ranked = searcher.rank(self.voted, SearchOptions::default().candidates, |song| library.contains(&song))?.ranked;
        let ranked = searcher.rerank(&self.voted.hum, ranked)?;
        let unrelated = |votes: &&SongVotes| {
            library.contains(&votes.song) && full_length[votes.song as usize] && !self.right.contains(&votes.song)
        };
        let unrelated: Vec<&SongVotes> = self.voted.votes.iter().filter(unrelated).collect();
        let contour = &self.voted.hum.contour;
        Ok(Trial {
            set: self.set,
            hum: self.number,
            ranking: ranked.iter().map(|song| song.evidence).collect(),
            is_right: ranked.iter().map(|song| self.right.contains(&song.song.candidate.song)).collect(),
            songs: library.len(),
            seconds: contour.voiced_fraction() * contour.duration() as f32,
            nulls: nulls(&unrelated),
        })
    }
}

/// Mean and standard deviation of the votes for each pair of lengths, where there is one.
fn nulls(votes: &[&SongVotes]) -> Vec<(f32, f32)> {
    let of_pair = |pair: usize| {
        let votes = || votes.iter().filter_map(|song| song.votes[pair]);
        let location = mean(votes());
        (location, mean(votes().map(|vote| (vote - location).powi(2))).sqrt())
    };
    let pairs = votes.first().map_or(0, |song| song.votes.len());
    (0..pairs).map(of_pair).filter(|&(_, spread)| spread > 0.0).collect()
}

/// The mean; 0 of nothing.
pub(super) fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f32
}
