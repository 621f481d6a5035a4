//! What the shipped extractor does, beside the models of songs and hums:
//! `cargo test --release -p qbh-models --lib -- --ignored --nocapture fit_song_model` (or `fit_hum_model`).
//!
//! The studio records melodies that no embedder is trained on (`melodies/dev.jsonl.gz`); the extractor's contour is compared
//! with the true one step by step, and so is what the model makes of the same true contours. Real songs are harder than the studio's:
//! the last table of the songs, model against score, is the one to hold against them (see `ranges.rs`).

use std::fmt;

use qbh_models::Device;

use super::ranges;
use super::record::perform;
use super::singer::hummed_notes;
use super::song::{leak, song};
use crate::melody::MelodySource;
use crate::random::stream;
use crate::studio::{Studio, StudioConfig};
use crate::voice::Kind;
use qbh_models::extractor::Extractor;
use qbh_models::{Contour, PitchTrack, extractor};

const SONGS: u64 = 40;
const SECONDS: f32 = 30.0;
const HUMS: u32 = 60;

/// What became of a step.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Right,
    Octave,
    Elsewhere,
    Lost,
    Silent,
    Filled,
}

impl Fate {
    fn of(truth: f32, heard: f32) -> Self {
        let apart = heard - truth;
        match (truth > 0.0, heard > 0.0) {
            (true, true) if apart.abs() < 0.7 => Fate::Right,
            (true, true) if (apart - 12.0 * (apart / 12.0).round()).abs() < 0.7 => Fate::Octave,
            (true, true) => Fate::Elsewhere,
            (true, false) => Fate::Lost,
            (false, false) => Fate::Silent,
            (false, true) => Fate::Filled,
        }
    }
}

/// Steps and runs of each fate, over all songs and by song.
#[derive(Default)]
struct Tally {
    steps: [f32; 6],
    runs: [f32; 6],
    songs: Vec<[f32; 6]>,
    /// Rests of up to three steps, and longer ones: how many, and how much of them is filled.
    rests: [(f32, f32); 2],
    deviation: Vec<f32>,
}

impl Tally {
    fn add(&mut self, truth: &[f32], heard: &[f32]) {
        let fates: Vec<Fate> = truth.iter().zip(heard).map(|(&t, &h)| Fate::of(t, h)).collect();
        let mut own = [0.0; 6];
        for (i, &fate) in fates.iter().enumerate() {
            own[fate as usize] += 1.0;
            self.runs[fate as usize] += f32::from(i == 0 || fates[i - 1] != fate);
            if fate == Fate::Right {
                self.deviation.push((heard[i] - truth[i]).abs());
            }
        }
        (0..6).for_each(|k| self.steps[k] += own[k]);
        self.songs.push(own);
        let mut at = 0;
        for run in truth.chunk_by(|a, b| (*a > 0.0) == (*b > 0.0)) {
            if run[0] == 0.0 {
                let filled = heard[at..at + run.len()].iter().filter(|p| **p > 0.0).count() as f32 / run.len() as f32;
                let kind = &mut self.rests[usize::from(run.len() > 3)];
                *kind = (kind.0 + 1.0, kind.1 + filled);
            }
            at += run.len();
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["right", "octave", "elsewhere", "lost", "silent", "filled"];
        for (k, name) in names.iter().enumerate() {
            let of = |s: &[f32; 6]| if k < 4 { s[..4].iter().sum::<f32>() } else { s[4..].iter().sum() };
            let mut shares: Vec<f32> = self.songs.iter().filter(|s| of(s) > 20.0).map(|s| s[k] / of(s)).collect();
            shares.sort_by(f32::total_cmp);
            let at = |q: f32| shares.get((q * shares.len() as f32) as usize).copied().unwrap_or(f32::NAN);
            let share = self.steps[k] / of(&self.steps);
            let run = self.steps[k] / self.runs[k];
            writeln!(
                f,
                "  {name:9} {share:.3}  of songs 25 % {:.3} 50 % {:.3} 75 % {:.3} 90 % {:.3}  run {run:.1} steps",
                at(0.25),
                at(0.5),
                at(0.75),
                at(0.9)
            )?;
        }
        let [short, long] = self.rests.map(|(count, filled)| filled / count);
        let mut deviation = self.deviation.clone();
        deviation.sort_by(f32::total_cmp);
        let at = |q: f32| deviation[(q * deviation.len() as f32) as usize];
        writeln!(f, "  rests filled: short {short:.3}, long {long:.3}; off by 50 % {:.3}, 84 % {:.3}", at(0.5), at(0.84))
    }
}

/// Melodies that no embedder is trained on; without them, says that the measurement is skipped.
fn held_out() -> Option<MelodySource> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/melodies/dev.jsonl.gz");
    let melodies = MelodySource::open(&[path.into()]).ok();
    if melodies.is_none() {
        println!("SKIPPED: no melodies in {path}");
    }
    melodies
}

/// The contour of an exactly known f0.
fn true_contour(f0: Vec<f32>) -> Vec<f32> {
    Contour::from_pitch_track(&PitchTrack::from_f0(f0)).pitch
}

/// The contour that the extractor hears.
fn heard_contour(extractor: &dyn Extractor, samples: &[f32]) -> Vec<f32> {
    Contour::from_pitch_track(&extractor.extract(samples).unwrap()).pitch
}

/// What the extractor makes of recorded hums: `cargo test ... fit_hum_model`. The model's counterparts are `HUM_DROPOUT`, `HUM_OCTAVE`
/// and `HUM_SPURIOUS`.
#[test]
#[ignore = "a measurement that takes minutes"]
fn fit_hum_model() {
    let Some(melodies) = held_out() else { return };
    let extractor = extractor::open(extractor::DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
    for kind in [Kind::Hummed, Kind::Sung, Kind::Whistled] {
        let mut heard = Tally::default();
        for item in 0..HUMS {
            let draw = &mut stream(11, 0, item);
            let notes = melodies.passage(40.0, draw).notes;
            let start = draw.range(0.0, 20.0);
            let strength = draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end);
            let notes = hummed_notes(&notes, start..start + 12.0, draw.range(0.7, 1.4), strength, draw);
            if notes.len() >= 5 {
                let hum = perform(notes, kind, draw);
                heard.add(&true_contour(hum.f0), &heard_contour(extractor.as_ref(), &hum.samples));
            }
        }
        println!("{kind:?}\n{heard}");
    }
}

#[test]
#[ignore = "a measurement that takes minutes"]
fn fit_song_model() {
    let Some(melodies) = held_out() else { return };
    let studio = Studio::new(StudioConfig { melodies: melodies.clone(), ..StudioConfig::default() });
    let extractor = extractor::open(extractor::DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
    let (mut heard, mut modelled) = (Tally::default(), Tally::default());
    let songs = (0..).map(|seed| studio.example(seed, SECONDS)).filter(|e| {
        let sounds = |x: &[f32]| x.iter().map(|s| s * s).sum::<f32>() > 0.0;
        sounds(&e.voice) && sounds(&e.accompaniment) && e.pitch.f0.iter().filter(|f| **f > 0.0).count() > 300
    });
    for (i, example) in songs.take(SONGS as usize).enumerate() {
        let truth = true_contour(example.pitch.f0);
        heard.add(&truth, &heard_contour(extractor.as_ref(), &example.mix));
        for item in 0..10 {
            let mut draw = stream(7, i as u64, item);
            let noise = draw.range(ranges::NOISE.start, ranges::NOISE.end);
            modelled.add(&truth, &leak(truth.clone(), noise, &mut draw));
        }
    }
    println!("the extractor\n{heard}the model\n{modelled}");
    let mut scored = Tally::default();
    for item in 0..10 * SONGS as u32 {
        let draw = &mut stream(13, 0, item);
        let notes = melodies.passage(SECONDS, draw).notes;
        let noise = draw.range(ranges::NOISE.start, ranges::NOISE.end);
        scored.add(&song(&notes, 0.0..SECONDS, 0.0, draw), &song(&notes, 0.0..SECONDS, noise, draw));
    }
    println!("the model against the score, singer included\n{scored}");
}
