//! One hum in every kind of file that people have, made by `scripts/zoo.sh`: each is heard whole, under its title, and holds the hum's melody; what is
//! not read says how to convert it. `QBH_ZOO_TABLE=FILE` writes what was found as a table.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use qbh::audio::AudioError;
use qbh::library::ListenError;
use qbh::library::listen::{Heard, listen};
use qbh_models::Device;
use qbh_models::extractor::{self, Extractor};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use util::{Dir, hum, melody, skipped, wav};

/// Seconds by which lengths may differ from those of ffmpeg, and those of files that were cut, of which ffmpeg guesses the rest of the last frame.
const TOLERANCE: f64 = 0.020;
const TOLERANCE_OF_CUT: f64 = 0.030;

/// A row of the zoo's list.
struct Animal<'a> {
    name: &'a str,
    kind: &'a str,
    title: Option<&'a str>,
    /// `None` for what is refused.
    seconds: Option<f64>,
    cut: bool,
}

impl<'a> Animal<'a> {
    fn parse(row: &'a str) -> Self {
        let fields: Vec<&str> = row.split('\t').collect();
        let [name, kind, title, seconds] = fields[..] else { panic!("{row}") };
        let whole = seconds.trim_start_matches("cut ");
        Animal { name, kind, title: Some(title).filter(|t| *t != "-"), seconds: whole.parse().ok(), cut: whole != seconds }
    }
}

/// Whether a program is there.
fn there(program: &str) -> bool {
    Command::new(program).arg("-version").output().is_ok()
}

/// Share of the shorter contour's steps that have the same pitch, within half a semitone.
fn alike(a: &[f32], b: &[f32]) -> f64 {
    let same = a.iter().zip(b).filter(|(a, b)| (**a - **b).abs() < 0.5).count();
    same as f64 / a.len().min(b.len()).max(1) as f64
}

/// What is wrong with how a file was heard.
fn faults(animal: &Animal, heard: &Result<Heard, ListenError>, whole: &[f32]) -> Vec<String> {
    let mut faults = Vec::new();
    match (animal.seconds, heard) {
        (None, Err(error @ ListenError::Audio(AudioError::Unsupported(_)))) if error.remedy().contains("convert") => {}
        (None, other) => faults.push(format!("not refused with a word on converting it: {:?}", other.as_ref().map(|_| "heard"))),
        (Some(_), Err(error)) => faults.push(error.to_string()),
        (Some(seconds), Ok(heard)) => {
            let piece = &heard.pieces[0];
            let duration = piece.tags.duration.unwrap_or_default();
            let tolerance = if animal.name.starts_with("cut.") { TOLERANCE_OF_CUT } else { TOLERANCE };
            if (duration - seconds).abs() > tolerance {
                faults.push(format!("{duration:.4} s instead of {seconds:.4}"));
            }
            let expected =
                animal.title.unwrap_or_else(|| Path::new(animal.name).file_stem().and_then(|stem| stem.to_str()).unwrap());
            if piece.tags.title.as_deref() != Some(expected) {
                faults.push(format!("title {:?}", piece.tags.title));
            }
            let same = alike(&piece.contour.pitch, whole);
            if same < 0.8 {
                faults.push(format!("{same:.2} of its melody"));
            }
            if animal.cut != heard.remark.is_some() {
                faults.push(format!("remark {:?}", heard.remark));
            }
        }
    }
    faults
}

#[test]
fn every_animal_is_heard() {
    if let Some(missing) = ["ffmpeg", "sox", "opusenc", "lame"].into_iter().find(|program| !there(program)) {
        skipped::skipped(&format!("{missing} is not there"));
        return;
    }
    let dir = Dir::new();
    let recording = dir.path("hum.wav");
    let stereo: Vec<f32> = hum(&melody(11, 14), 0.0, 1.0).into_iter().flat_map(|s| [s, s]).collect();
    std::fs::write(&recording, wav(&stereo, 16_000, 2)).unwrap();
    let resampled = dir.path("hum44.wav");
    let sox = Command::new("sox").arg(&recording).args(["-r", "44100"]).arg(&resampled).status().unwrap();
    assert!(sox.success());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/zoo.sh");
    let made = Command::new("bash").arg(script).arg(&resampled).arg(dir.library()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let list = std::fs::read_to_string(dir.library().join("zoo.tsv")).unwrap();

    let extractor: Box<dyn Extractor> = extractor::open(extractor::DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
    let whole = listen(&resampled, &*extractor).unwrap().pieces.remove(0).contour.pitch;
    let (mut wrong, mut table) = (String::new(), String::from("| file | kind | ffmpeg (s) | qbh (s) |\n|---|---|---|---|\n"));
    let mut count = 0;
    for animal in list.lines().map(Animal::parse) {
        count += 1;
        let heard = listen(&dir.library().join(animal.name), &*extractor);
        for fault in faults(&animal, &heard, &whole) {
            writeln!(wrong, "{} ({}): {fault}", animal.name, animal.kind).unwrap();
        }
        let ours = heard.map_or_else(
            |error| format!("\"{error}\""),
            |heard| format!("{:.3}", heard.pieces[0].tags.duration.unwrap_or_default()),
        );
        let theirs =
            animal.seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.3}{}", if animal.cut { ", cut" } else { "" }));
        writeln!(table, "| {} | {} | {theirs} | {ours} |", animal.name, animal.kind).unwrap();
    }
    if let Some(file) = std::env::var_os("QBH_ZOO_TABLE") {
        std::fs::write(file, table).unwrap();
    }
    assert!(count > 70, "{count} files");
    assert!(wrong.is_empty(), "\n{wrong}");
}
