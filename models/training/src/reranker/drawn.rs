//! What is looked at of a hum in a step: some of the songs proposed for it, varied.

use super::Case;
use qbh_models::reranker::Pair;
use qbh_synthesis::random::{Draw, stream};

/// Wrong songs of a hum that are looked at in a step.
const WRONG: usize = 9;
/// Right ones, where there are versions.
const RIGHT: usize = 3;
/// How often the network learns to complete the score that songs are ranked by without it, rather than to do alone.
const COMPLETE: f32 = 0.5;

/// Shortest part of a hum that is cut out, in contour steps.
const SHORTEST: usize = 40;
/// How often a part is cut out, and how much of the hum it is at least.
const CUT: (f32, f32) = (0.6, 0.5);
/// How often hum and song are turned upside down, and backwards.
const INVERTED: f32 = 0.5;
const REVERSED: f32 = 0.3;
/// Largest noise on the pitches of the hum, semitones.
const NOISE: f32 = 0.15;
/// How often steps of the hum are lost, and the largest share of them.
const LOST: (f32, f32) = (0.3, 0.15);

/// A hum with some of the songs proposed for it.
#[derive(Debug, Clone)]
pub(super) struct Drawn {
    /// The hum beside the songs, song after song.
    pub(super) pairs: Vec<Pair>,
    /// Number of pairs of each song.
    pub(super) sizes: Vec<i64>,
    /// 1 for the right songs, 0 for the others.
    pub(super) right: Vec<f32>,
    /// What the search ranked the songs by, where the network shall complete it.
    pub(super) scores: Option<Vec<f32>>,
}

impl Drawn {
    /// The hums of a step: each from its own random stream.
    pub(super) fn batch(cases: &[Case], hums: usize, seed: u64, step: u64) -> Vec<Drawn> {
        (0..hums as u32).map(|item| Drawn::draw(cases, &mut stream(seed, step, item))).collect()
    }

    /// One random hum; one of the cases must have a right song.
    fn draw(cases: &[Case], draw: &mut Draw) -> Drawn {
        let case = loop {
            let case = &cases[draw.index(cases.len())];
            if case.right.contains(&true) {
                break case;
            }
        };
        let mut chosen: Vec<usize> = (0..case.pairs.len()).filter(|&i| case.right[i]).take(RIGHT).collect();
        let mut wrong: Vec<usize> = (0..case.pairs.len()).filter(|&i| !case.right[i]).collect();
        for _ in 0..WRONG.min(wrong.len()) {
            chosen.push(wrong.swap_remove(draw.index(wrong.len())));
        }
        let pairs: Vec<&Pair> = chosen.iter().flat_map(|&i| &case.pairs[i]).collect();
        let pairs = varied(&pairs, draw);
        Drawn {
            pairs,
            sizes: chosen.iter().map(|&i| case.pairs[i].len() as i64).collect(),
            right: chosen.iter().map(|&i| f32::from(u8::from(case.right[i]))).collect(),
            scores: draw.chance(COMPLETE).then(|| chosen.iter().map(|&i| case.scores[i]).collect()),
        }
    }
}

/// Pairs of one hum, all varied in the same way, whatever speed the hum has in them.
pub(super) fn varied(pairs: &[&Pair], draw: &mut Draw) -> Vec<Pair> {
    let longest = pairs.iter().map(|pair| pair.steps()).max().unwrap_or(0);
    let mut part = (0.0, 1.0);
    if longest > SHORTEST && draw.chance(CUT.0) {
        let length = draw.range(CUT.1, 1.0).max(SHORTEST as f32 / longest as f32);
        part = (draw.range(0.0, 1.0 - length), length);
    }
    let (inverted, reversed) = (draw.chance(INVERTED), draw.chance(REVERSED));
    let noise = draw.range(0.0, NOISE);
    let lost = if draw.chance(LOST.0) { draw.range(0.0, LOST.1) } else { 0.0 };
    let offsets: Vec<Option<f32>> = (0..longest).map(|_| (!draw.chance(lost)).then(|| noise * draw.normal())).collect();
    let vary = |pair: &&Pair| {
        let steps = pair.steps() as f32;
        let start = (part.0 * steps) as usize;
        let mut pair = pair.cut(start..(start + (part.1 * steps).ceil() as usize).min(pair.steps()));
        let cut = pair.steps();
        for (step, pitch) in pair.hum_mut().iter_mut().enumerate() {
            let offset = offsets[step * longest / cut];
            *pitch = offset.filter(|_| *pitch > 0.0).map_or(0.0, |offset| *pitch + offset);
        }
        pair = if inverted { pair.inverted() } else { pair };
        if reversed { pair.reversed() } else { pair }
    };
    pairs.iter().map(vary).collect()
}
