//! Fits the constants of ranking and confidence: `cargo test --release -p qbh --lib -- --ignored --nocapture fit_confidence`.
//!
//! Needs the data folder beside the repository (`QBH_DATA` names another); takes some minutes, most of them for the library, which is kept where
//! `QBH_FIT_INDEX` says. Three sets of hums, none of which any network is trained on: synthesised hums of recordings with charts, among
//! recordings and folk songs; real hums as transcribed by programs, among the melodies and folk songs; synthesised hums of melodies, among
//! these and folk songs. Print-outs name the constants as the code does; when `PRIOR_*` have moved by
//! more than a few hundredths, set these and fit once more, as the others depend on them.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use qbh_models::contour::CONTOUR_STEP;
use rand::RngExt;

use super::*;
use crate::eval::confidence::{Reliability, Trial};
use crate::eval::datasets::{self, DataSet, HumPlan, QuerySource};
use crate::eval::ranks;
use crate::library::{indexer, listen};
use crate::search::calibration::{RIVALS, SIGNS, signs};
use crate::search::rank::{ALIGNMENT_WEIGHT, LOG_ODDS_WEIGHT, MOVES_WEIGHT, features};

/// Hums of each set.
const HUMS: usize = 240;
/// Their length, seconds; people are often content with a few notes.
const SECONDS: Range<f32> = 4.0..16.0;
/// Random libraries in which every hum is searched.
const LIBRARIES: u32 = 4;
/// Songs of so many contour steps (1 min) tell what full songs get by chance.
const FULL_LENGTH: usize = 600;
/// Programs that transcribed the real hums; a fourth one heard no pitches.
const TRANSCRIBERS: [&str; 3] = ["JDC-STP", "VOCANO", "MIR-ST500"];
/// Features of the ranking: votes, alignment, moves, log-odds of the reranker.
const FEATURES: usize = 4;

/// Whether more of each of the [`signs`] can only speak for a match (1) or against it (-1).
const FAVOURS: [f32; SIGNS] = [1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0];

/// A hum in a library.
struct Case {
    set: usize,
    /// The candidates in the order of the votes, with whether they are right.
    candidates: Vec<(Ranked, bool)>,
    ranking: Vec<Ranked>,
    songs: usize,
    /// Voiced seconds of the hum.
    seconds: f32,
    right: bool,
    /// Mean and standard deviation of the votes of wrong songs of full length, for each pair of lengths.
    chance: Vec<(f32, f32)>,
}

#[test]
#[ignore = "a measurement that takes minutes"]
fn fit_confidence() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");
    let data = PathBuf::from(std::env::var("QBH_DATA").unwrap_or(beside.into()));
    if !data.join("pitch/songs").is_dir() {
        println!("SKIPPED: no data in {}", data.display());
        return;
    }
    let name = std::env::var("QBH_EMBEDDER").unwrap_or(qbh_models::embedder::DEFAULT_EMBEDDER.into());
    let embedder = qbh_models::embedder::open(&name, tch::Device::Cpu).unwrap();
    let name = std::env::var("QBH_EXTRACTOR").unwrap_or(qbh_models::extractor::DEFAULT_EXTRACTOR.into());
    let extractor = qbh_models::extractor::open(&name, tch::Device::Cpu).unwrap();

    let sets = sets(&data);
    let folk = data.join("melodies/essen_noise.jsonl.gz");
    let recordings = data.join("library");
    let temporary = tempfile::tempdir().unwrap();
    let dir = std::env::var("QBH_FIT_INDEX").map_or(temporary.path().to_path_buf(), PathBuf::from);
    let all: Vec<PathBuf> =
        sets.iter().flat_map(|(_, set)| set.library.clone()).chain([folk.clone(), recordings.clone()]).collect();
    let index = library(&dir, &all, extractor.as_ref(), embedder.as_ref());
    let songs: HashMap<String, SongId> = index.songs().map(|s| s.map(|s| (s.key, s.id)).unwrap()).collect();
    let name = std::env::var("QBH_RERANKER").unwrap_or(qbh_models::reranker::DEFAULT_RERANKER.into());
    let reranker = Reranker::open(&name, tch::Device::Cpu).unwrap();
    let searcher = Searcher::new(index.snapshot().unwrap(), &index, embedder, Some(reranker));

    let steps = |song: u32| contour_of(&searcher.snapshot, &index, song).ok()?.map(|contour| contour.len());
    let full_length: Vec<bool> = (0..searcher.snapshot.len() as u32).map(|song| steps(song) >= Some(FULL_LENGTH)).collect();

    let (mut full, mut random) = (Vec::new(), Vec::new());
    for (number, (name, set)) in sets.iter().enumerate() {
        let mut among = vec![folk.clone()];
        if number == 0 {
            among.push(recordings.clone());
        }
        among.extend(set.library.iter().cloned());
        let among: Vec<String> = among.iter().map(|p| p.canonicalize().unwrap().to_string_lossy().into_owned()).collect();
        let library: Vec<u32> = songs
            .iter()
            .filter(|(key, _)| among.iter().any(|path| key.starts_with(path)))
            .filter_map(|(_, id)| searcher.snapshot.ordinal(*id))
            .collect();
        let few: Vec<u32> =
            songs.iter().filter(|(key, _)| is_recording(key)).filter_map(|(_, id)| searcher.snapshot.ordinal(*id)).collect();
        println!("{name}: {} hums, {} songs", set.queries.len(), library.len());
        for (item, query) in set.queries.iter().enumerate() {
            let Some(contour) = contour(&query.source, extractor.as_ref(), item as u64) else { continue };
            let Ok(voted) = searcher.vote(&contour, &SearchOptions::default()) else { continue };
            let right: Vec<u32> = query.songs.iter().filter_map(|key| searcher.snapshot.ordinal(*songs.get(key)?)).collect();
            let search = |library: &[u32]| case(&searcher, number, &voted, library, &right, &full_length);
            full.push(search(&library));
            for draw in 0..LIBRARIES {
                let mut rng = ChaCha8Rng::seed_from_u64((item as u64) << 8 | u64::from(draw) | (number as u64) << 32);
                // Small folders of full recordings are what a hum looks alike in most easily.
                let pool = if draw == 0 { &few } else { &library };
                // A quarter of the libraries are whole: random sizes are rarely that large.
                let whole = draw == 1;
                random.push(search(&some_of(pool, whole, &right, &mut rng)));
            }
        }
    }
    fit_ranking(&sets, &full);
    fit_signs(&sets, &full, &random);
}

fn is_recording(key: &str) -> bool {
    crate::library::walk::is_audio(Path::new(key))
}

fn sets(data: &Path) -> Vec<(&'static str, DataSet)> {
    let plan = HumPlan { hums: HUMS, seed: 1, tempo: 0.7..1.4, seconds: SECONDS };
    let transcribed = TRANSCRIBERS.map(|name| datasets::humtrans(&data.join("hums/humtrans_valid"), Some(name)).unwrap());
    let library = transcribed[0].library.clone();
    let every: Vec<datasets::Query> = transcribed.into_iter().flat_map(|set| set.queries).collect();
    let stride = every.len().div_ceil(HUMS);
    let hummed = DataSet { queries: every.into_iter().step_by(stride).collect(), library };
    vec![
        ("recordings", datasets::charts(&data.join("pitch/songs"), &plan).unwrap()),
        ("real hums", hummed),
        ("melodies", datasets::melodies(&data.join("melodies/dev.jsonl.gz"), &plan).unwrap()),
    ]
}

fn library(dir: &Path, paths: &[PathBuf], extractor: &dyn qbh_models::extractor::Extractor, embedder: &dyn Embedder) -> Index {
    struct Silent;
    impl indexer::Observer for Silent {
        fn file_done(&self, _: &indexer::Pending, _: Result<f64, &indexer::Failure>) {}
    }
    let fingerprint = indexer::fingerprint(&indexer::model_id(extractor.info()), embedder);
    let index = Index::open(dir, &fingerprint).unwrap();
    let roots: Vec<PathBuf> = paths.iter().map(|path| path.canonicalize().unwrap()).collect();
    let plan = indexer::IndexingPlan::new(&roots, index.files().collect::<Result<_, _>>().unwrap());
    let jobs = std::thread::available_parallelism().map_or(1, |n| n.get());
    indexer::run(&index, &plan, extractor, embedder, jobs, &AtomicBool::new(false), &Silent).unwrap();
    index.refresh().unwrap();
    index
}

fn contour(source: &QuerySource, extractor: &dyn qbh_models::extractor::Extractor, item: u64) -> Option<Contour> {
    match source {
        QuerySource::Contour(contour) => Some(part_of(contour, &mut ChaCha8Rng::seed_from_u64(item))),
        QuerySource::File(path) => Some(listen::listen(path, extractor).ok()?.pieces.swap_remove(0).contour),
        QuerySource::Simulated(hum) => {
            let (samples, rate) = hum.record();
            Some(listen::listen_samples(&samples, rate, extractor).ok()?.pieces.swap_remove(0).contour)
        }
    }
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
    let size = (rng.random_range(0.0..(others.len() as f32).ln()).exp() as usize).min(others.len());
    let size = if whole { others.len() } else { size };
    let mut library: Vec<u32> = rand::seq::index::sample(rng, others.len(), size).iter().map(|i| others[i]).collect();
    if rng.random_bool(0.75) {
        library.extend(right);
    }
    library
}

fn case(searcher: &Searcher, set: usize, voted: &Voted, library: &[u32], right: &[u32], full_length: &[bool]) -> Case {
    let mut is_in = vec![false; searcher.snapshot.len()];
    library.iter().for_each(|&song| is_in[song as usize] = true);
    let ballots = &voted.ballots;
    let inside = || ballots.iter().filter(|b| is_in[b.song as usize]);
    let chance = (0..ballots[0].votes.len())
        .map(|pair| {
            let wrong = |b: &&Ballot| full_length[b.song as usize] && !right.contains(&b.song);
            let votes = || inside().filter(wrong).filter_map(|b| b.votes[pair]);
            let location = mean(votes());
            (location, mean(votes().map(|v| (v - location).powi(2))).sqrt())
        })
        .filter(|(_, spread)| *spread > 0.0)
        .collect();
    let inside: Vec<&Ballot> = inside().collect();
    let chances = chances(&inside, |_| true);
    let candidates = choose(&inside, &chances, SearchOptions::default().candidates);
    let hum = &voted.hum;
    let ranking = searcher.reranked(hum, searcher.ranked(voted, &candidates, &chances).unwrap()).unwrap();
    let mut by_votes: Vec<(Ranked, bool)> = ranking.iter().map(|r| (r.clone(), right.contains(&r.song))).collect();
    by_votes.sort_by(|a, b| b.0.z.total_cmp(&a.0.z));
    let seconds = hum.contour().voiced_fraction() * hum.contour().duration() as f32;
    let is_right = ranking.first().is_some_and(|best| right.contains(&best.song));
    Case { set, candidates: by_votes, ranking, songs: library.len(), seconds, right: is_right, chance }
}

/// The weights of votes, alignment, moves and log-odds: a choice among candidates (conditional logit), every set held out in turn.
fn fit_ranking(sets: &[(&'static str, DataSet)], cases: &[Case]) {
    let scores = |weights: [f32; FEATURES], set: usize| {
        let rank_of = |case: &Case| {
            let f = |r: &Ranked| features(r.z, &r.alignment, r.log_odds).iter().zip(weights).map(|(x, w)| x * w).sum::<f32>();
            let best = case.candidates.iter().filter(|c| c.1).map(|c| f(&c.0)).max_by(f32::total_cmp)?;
            Some(1 + case.candidates.iter().filter(|c| f(&c.0) > best).count())
        };
        let ranks = ranks::score(&cases.iter().filter(|c| c.set == set).map(rank_of).collect::<Vec<_>>());
        format!("{:.3}/{:.3}/{:.3}", ranks.top1.mean, ranks.top10.mean, ranks.mrr.mean)
    };
    for (set, (name, _)) in sets.iter().enumerate() {
        let training: Vec<&Case> = cases.iter().filter(|c| c.set != set).collect();
        let fitted = conditional_logit(&training, sets.len());
        println!(
            "{name}: votes {}, without reranker {}, as the constants are {}, weights of the other sets {}",
            scores([1.0, 0.0, 0.0, 0.0], set),
            scores([1.0, ALIGNMENT_WEIGHT, MOVES_WEIGHT, 0.0], set),
            scores([1.0, ALIGNMENT_WEIGHT, MOVES_WEIGHT, LOG_ODDS_WEIGHT], set),
            scores(fitted, set)
        );
    }
    let fitted = conditional_logit(&cases.iter().collect::<Vec<_>>(), sets.len());
    let [_, alignment, moves, log_odds] = fitted.map(|weight| weight / fitted[0]);
    println!("rank.rs: ALIGNMENT_WEIGHT {alignment:.2}, MOVES_WEIGHT {moves:.2}, LOG_ODDS_WEIGHT {log_odds:.2}");
}

/// Weights that make the right candidates most likely, every set counting the same; lightly regularised gradient ascent.
fn conditional_logit(cases: &[&Case], sets: usize) -> [f32; FEATURES] {
    /// Typical spreads of the features, so that one step suits all.
    const SCALE: [f32; FEATURES] = [0.6, 0.08, 0.04, 2.0];
    let share: Vec<f32> = (0..sets).map(|set| 1.0 / cases.iter().filter(|c| c.set == set).count().max(1) as f32).collect();
    let mut weights = [0.0f32; FEATURES];
    for _ in 0..1500 {
        let mut gradient = weights.map(|w| -2e-3 * w);
        for case in cases.iter().filter(|case| case.candidates.iter().any(|c| c.1)) {
            let x = |r: &Ranked| -> [f32; FEATURES] {
                let features = features(r.z, &r.alignment, r.log_odds);
                std::array::from_fn(|i| features[i] / SCALE[i])
            };
            let logits: Vec<f32> =
                case.candidates.iter().map(|c| x(&c.0).iter().zip(weights).map(|(x, w)| x * w).sum()).collect();
            let top = logits.iter().copied().fold(f32::MIN, f32::max);
            let mass: Vec<f32> = logits.iter().map(|l| (l - top).exp()).collect();
            let total: f32 = mass.iter().sum();
            let right: f32 = mass.iter().zip(&case.candidates).filter(|(_, c)| c.1).map(|(m, _)| m).sum();
            for (m, (ranked, is_right)) in mass.iter().zip(&case.candidates) {
                let pull = if *is_right { m / right.max(1e-20) } else { 0.0 } - m / total;
                for (g, x) in gradient.iter_mut().zip(x(ranked)) {
                    *g += share[case.set] * pull * x;
                }
            }
        }
        weights.iter_mut().zip(gradient).for_each(|(w, g)| *w += 0.3 * g);
    }
    std::array::from_fn(|i| weights[i] / SCALE[i])
}

/// The logistic model of the confidence, with every fifth hum held out in turn, and every set.
fn fit_signs(sets: &[(&'static str, DataSet)], full: &[Case], random: &[Case]) {
    let large = || full.iter().filter(|c| c.songs >= 300);
    let chance = || large().flat_map(|c| &c.chance);
    println!("candidates.rs: PRIOR_LOCATION {:.3}, PRIOR_SPREAD {:.3}", mean(chance().map(|c| c.0)), mean(chance().map(|c| c.1)));
    let rival = mean(large().flat_map(|c| c.ranking.iter().skip(1).take(RIVALS)).map(|r| r.score));
    println!("calibration.rs: USUAL_RIVAL {rival:.2}");
    let samples: Vec<Sample> = random
        .iter()
        .enumerate()
        .filter_map(|(i, c)| {
            let signs = signs(&c.ranking, 0, c.songs, rival)?;
            Some(Sample { hum: i / LIBRARIES as usize, set: c.set, songs: c.songs, seconds: c.seconds, signs, right: c.right })
        })
        .collect();
    let held_out = |group: &dyn Fn(&Sample) -> usize, groups: usize| -> Vec<(f32, &Sample)> {
        let mut told = Vec::new();
        for k in 0..groups {
            let model = logistic(&samples.iter().filter(|s| group(s) != k).collect::<Vec<_>>());
            told.extend(samples.iter().filter(|s| group(s) == k).map(|s| (probability(&model, &s.signs), s)));
        }
        told
    };
    let by_hum = held_out(&|s| s.hum % 5, 5);
    for range in [1..20, 20..700, 700..usize::MAX] {
        let told: Vec<(f32, &Sample)> = by_hum.iter().filter(|(_, s)| range.contains(&s.songs)).copied().collect();
        println!("  {} to {} songs: {}", range.start, told.iter().map(|t| t.1.songs).max().unwrap_or(0), report(&told));
    }
    for range in [0.0..5.0, 5.0..8.0, 8.0..f32::MAX] {
        let told: Vec<(f32, &Sample)> = by_hum.iter().filter(|(_, s)| range.contains(&s.seconds)).copied().collect();
        println!("  hums of {} s and more: {}", range.start, report(&told));
    }
    let by_set = held_out(&|s| s.set, sets.len());
    for (set, (name, _)) in sets.iter().enumerate() {
        println!(
            "  fitted without the {name}, on them: {}",
            report(&by_set.iter().filter(|t| t.1.set == set).copied().collect::<Vec<_>>())
        );
    }
    let model = logistic(&samples.iter().collect::<Vec<_>>());
    println!("calibration.rs: INTERCEPT {:.2}, WEIGHTS {:.2?}", model[0], &model[1..]);
}

struct Sample {
    hum: usize,
    set: usize,
    songs: usize,
    seconds: f32,
    signs: [f32; SIGNS],
    right: bool,
}

/// How well confidences told right answers from wrong ones.
fn report(told: &[(f32, &Sample)]) -> String {
    let of = |right: bool| told.iter().filter(move |t| t.1.right == right).map(|t| f64::from(t.0));
    let auroc =
        Reliability::of(&Trial { present: of(true).map(|p| (p, true)).collect(), absent: of(false).collect() }, 0.5).auroc;
    let all = Trial { present: told.iter().map(|t| (f64::from(t.0), t.1.right)).collect(), absent: Vec::new() };
    let wrong = told.iter().filter(|t| t.0 >= 0.5 && !t.1.right).count() as f32 / told.len().max(1) as f32;
    let ece = Reliability::of(&all, 0.5).ece;
    format!("{} answers, right against wrong AUROC {auroc:.3}, calibration error {ece:.3}, sure and wrong {wrong:.3}", told.len())
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f32
}

/// Intercept and weights.
type Model = [f32; SIGNS + 1];

fn probability(model: &Model, x: &[f32; SIGNS]) -> f32 {
    let logit = model[0] + model[1..].iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
    1.0 / (1.0 + (-logit).exp())
}

/// Logistic regression by gradient descent on standardised signs, lightly regularised.
fn logistic(samples: &[&Sample]) -> Model {
    let n = samples.len().max(1) as f32;
    let centre: [f32; SIGNS] = std::array::from_fn(|i| mean(samples.iter().map(|s| s.signs[i])));
    let spread: [f32; SIGNS] =
        std::array::from_fn(|i| mean(samples.iter().map(|s| (s.signs[i] - centre[i]).powi(2))).sqrt().max(1e-6));
    let standard: Vec<([f32; SIGNS], f32)> = samples
        .iter()
        .map(|s| (std::array::from_fn(|i| (s.signs[i] - centre[i]) / spread[i]), f32::from(u8::from(s.right))))
        .collect();
    let mut model: Model = [0.0; SIGNS + 1];
    for _ in 0..3000 {
        let mut gradient = model.map(|w| 2e-3 * w);
        gradient[0] = 0.0;
        for (x, right) in &standard {
            let error = (probability(&model, x) - right) / n;
            gradient[0] += error;
            gradient[1..].iter_mut().zip(x).for_each(|(g, x)| *g += error * x);
        }
        model.iter_mut().zip(gradient).for_each(|(w, g)| *w -= 0.5 * g);
        // What speaks for a match is not to speak against it where signs go together.
        for (weight, favours) in model[1..].iter_mut().zip(FAVOURS) {
            *weight = (*weight * favours).max(0.0) * favours;
        }
    }
    for i in 0..SIGNS {
        model[i + 1] /= spread[i];
        model[0] -= model[i + 1] * centre[i];
    }
    model
}
