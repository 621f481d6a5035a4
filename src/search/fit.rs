//! Fits the constants of search on simulated hums: `cargo test --release -- --ignored --nocapture fit_confidence`.
//!
//! The songs are melodies that no embedder is trained on (`melodies/dev.jsonl.gz`), with an extractor's mistakes; the hums are
//! those of the model of the human hum. Libraries hold 1 to all of the songs; in every fourth case the right one is missing.

use qbh_index::{FileIdentity, Fingerprint, Level, ModelId, NewSong, Tags};
use qbh_models::Note;
use qbh_models::synthesis::hum::{hum, ranges, song, stream};

use super::*;
use crate::search::calibration::{RIVALS, signs};

const HUMS: u32 = 600;
const LONGEST_SONG: f32 = 240.0;

/// One hum in one library.
struct Case {
    ranking: Vec<Ranked>,
    right: Option<u32>,
    songs: usize,
    /// Mean and standard deviation of the wrong songs' votes, for each pair of lengths.
    chance: Vec<(f32, f32)>,
}

impl Case {
    fn found(&self) -> bool {
        self.ranking.first().is_some_and(|best| Some(best.song) == self.right)
    }
}

#[test]
#[ignore = "a measurement that takes minutes"]
fn fit_confidence() {
    let melodies = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/melodies/dev.jsonl.gz");
    let Ok(melodies) = crate::symbolic::read(melodies.as_ref()) else {
        println!("SKIPPED: no melodies in {melodies}");
        return;
    };
    let name = std::env::var("QBH_EMBEDDER").unwrap_or(qbh_models::embedder::DEFAULT_EMBEDDER.into());
    let embedder = qbh_models::embedder::open(&name, tch::Device::Cpu).unwrap();
    let tunes: Vec<Vec<Note>> = melodies.into_iter().map(|m| m.notes).collect();
    let dir = tempfile::tempdir().unwrap();
    let index = library(dir.path(), &tunes, embedder.as_ref());
    let searcher = Searcher::new(index.view().unwrap(), &index, embedder);
    let cases: Vec<Case> = (0..HUMS).filter_map(|item| case(&searcher, &tunes, item)).collect();

    let large = || cases.iter().filter(|c| c.songs >= 300 && c.right.is_some());
    println!("top-1 of {} hums among 300 songs and more: {:.3}", large().count(), mean(large().map(|c| c.found() as u8 as f32)));
    let chance = || large().flat_map(|c| &c.chance);
    println!("votes by chance: location {:.3}, spread {:.3}", mean(chance().map(|c| c.0)), mean(chance().map(|c| c.1)));
    let rival = mean(large().flat_map(|c| c.ranking.iter().skip(1).take(RIVALS)).map(|r| r.score));
    println!("usual rival: {rival:.2}");
    let samples: Vec<([f32; 2], bool)> = cases.iter().filter_map(|c| Some((signs(&c.ranking, 0, rival)?, c.found()))).collect();
    let (even, odd): (Vec<_>, Vec<_>) = samples.iter().enumerate().partition(|(i, _)| i % 2 == 0);
    let pick = |half: Vec<(usize, &([f32; 2], bool))>| half.into_iter().map(|(_, s)| *s).collect::<Vec<_>>();
    let (even, odd) = (pick(even), pick(odd));
    let half = logistic(&even);
    println!("{} cases; held-out log loss {:.3}", samples.len(), log_loss(&half, &odd));
    for tenth in 0..10 {
        let inside: Vec<f32> = odd
            .iter()
            .filter(|(x, _)| (probability(&half, x) * 10.0).min(9.0) as usize == tenth)
            .map(|s| f32::from(u8::from(s.1)))
            .collect();
        println!("  confidence .{tenth}: {} cases, right {:.2}", inside.len(), mean(inside.iter().copied()));
    }
    println!("intercept, margin, alignment: {:?}", logistic(&samples));
}

fn library(dir: &std::path::Path, tunes: &[Vec<Note>], embedder: &dyn Embedder) -> Index {
    let model = |name: &str| ModelId { name: name.into(), fingerprint: "1".into() };
    let levels = embedder.windowing().song_steps.iter().map(|&steps| Level { steps, windows_per_length: 4 }).collect();
    let fingerprint = Fingerprint { extractor: model("none"), embedder: model("any"), dimension: 512, levels };
    let index = Index::open(dir, &fingerprint).unwrap();
    for (i, notes) in tunes.iter().enumerate() {
        let mut draw = stream(1, 0, i as u32);
        let noise = if draw.chance(ranges::CLEAN_SONGS) { 0.0 } else { draw.range(ranges::NOISE.start, ranges::NOISE.end) };
        let end = notes.iter().map(Note::offset).fold(0.0, f32::max).min(LONGEST_SONG);
        let contour = song(notes, 0.0..end, noise, &mut draw);
        let levels = embed_song(&contour, embedder).unwrap();
        let file = FileIdentity { path: format!("{i:05}"), size: 0, modified_ns: 0 };
        index.put_file(&file, vec![NewSong { key: "1".into(), tags: Tags::default(), contour, levels }]).unwrap();
    }
    index
}

/// A random section of a random song, hummed, and searched for in a random library. `None` where nothing is left of the hum.
fn case(searcher: &Searcher, tunes: &[Vec<Note>], item: u32) -> Option<Case> {
    let mut draw = stream(2, 0, item);
    let target = draw.index(tunes.len());
    let seconds = draw.log_range(5.0, 20.0);
    let end = tunes[target].last()?.offset().min(LONGEST_SONG);
    let begin = draw.range(0.0, (end - seconds).max(0.1));
    let strength = draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end);
    let tempo = draw.log_range(0.7, 1.4);
    let pitch = hum(&tunes[target], begin..begin + seconds, tempo, strength, &mut draw);

    let songs = (draw.log_range(1.0, tunes.len() as f32).ceil() as usize).min(tunes.len());
    let mut rng = ChaCha8Rng::seed_from_u64(draw.seed());
    let mut among: Vec<u32> = rand::seq::index::sample(&mut rng, tunes.len(), songs).iter().map(|i| i as u32).collect();
    among.retain(|&song| song != target as u32);
    let right = (among.is_empty() || draw.chance(0.75)).then_some(target as u32);
    among.extend(right);

    let contour = Contour { pitch };
    let (_, hum) = sounding(&contour).ok()?;
    let cuts = hum_windows(hum, searcher.embedder.windowing());
    let vectors = embed(hum, &cuts, searcher.embedder.as_ref()).unwrap();
    let ballots = searcher.ballots(&cuts, &queries(&cuts, &vectors), Some(&among)).unwrap();
    let chance = (0..ballots[0].votes.len())
        .map(|pair| {
            let votes = || ballots.iter().filter(|b| b.song != target as u32).filter_map(|b| b.votes[pair]);
            let location = mean(votes());
            (location, mean(votes().map(|v| (v - location).powi(2))).sqrt())
        })
        .filter(|(_, spread)| *spread > 0.0)
        .collect();
    let candidates = choose(ballots.iter(), |_| true, SearchOptions::default().candidates);
    let melody = Melody::new(hum);
    let mut ranking = rank(searcher.align(&melody, &candidates).unwrap());
    ranking.truncate(1 + RIVALS);
    Some(Case { ranking, right, songs: among.len(), chance })
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value;
        count += 1;
    }
    sum / count.max(1) as f32
}

/// Intercept and coefficients.
type Model = [f32; 3];

fn probability(model: &Model, x: &[f32; 2]) -> f32 {
    let logit = model[0] + model[1..].iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
    1.0 / (1.0 + (-logit).exp())
}

fn log_loss(model: &Model, samples: &[([f32; 2], bool)]) -> f32 {
    mean(samples.iter().map(|(x, right)| {
        let p = probability(model, x).clamp(1e-6, 1.0 - 1e-6);
        if *right { -p.ln() } else { -(1.0 - p).ln() }
    }))
}

/// Logistic regression by gradient descent, lightly regularised.
fn logistic(samples: &[([f32; 2], bool)]) -> Model {
    let mut model = [0.0; 3];
    for _ in 0..40_000 {
        let mut gradient = model.map(|w| 1e-3 * w);
        for (x, right) in samples {
            let error = (probability(&model, x) - f32::from(u8::from(*right))) / samples.len() as f32;
            gradient[0] += error;
            gradient[1..].iter_mut().zip(x).for_each(|(g, x)| *g += error * x);
        }
        model.iter_mut().zip(gradient).for_each(|(w, g)| *w -= 0.1 * g);
    }
    model
}
