//! Reference melodies: f0 series and note charts, and how an estimate is scored against each.

use std::path::Path;

use qbh_models::PitchTrack;
use qbh_models::pitch::{PITCH_HOP, midi_to_hz};

use super::estimate::{Estimate, voicing_auc};
use super::melody::{MelodyScores, Series, TOLERANCE_CENTS, cents_and_voicing, evaluate, score_frames};
use crate::pitchfile::{PitchFileError, Samples, read_samples_of, table};

/// Frames nearer than this to a note of a chart, but outside it, are not scored: charts are good to about 50 ms, and voices linger.
const CHART_MARGIN: f64 = 0.3;

/// What is known to be right about a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Reference {
    /// f0 over time, scored as `mir_eval.melody` does.
    Series(Series),
    /// Sung notes, scored on 10 ms frames (see [`Reference::score`]).
    Chart(Vec<ChartNote>),
}

/// A note of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChartNote {
    /// Seconds.
    pub onset: f64,
    /// Seconds.
    pub offset: f64,
    /// MIDI pitch; `None` where the voice has no pitch (spoken).
    pub pitch: Option<f64>,
}

/// Why a reference could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The file could not be read as text.
    #[error("cannot read the reference {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A `.pv` file is none, or does not fit its recording.
    #[error("{path}: {source}; {}", source.remedy())]
    Pv {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: PitchFileError,
    },
    /// A row is neither `time f0` nor `onset offset pitch`.
    #[error(
        "{path}, line {line}: {text:?} is neither `time f0` (seconds, Hz) nor `onset offset pitch` (seconds, MIDI or `free`)"
    )]
    Row {
        /// The file.
        path: String,
        /// 1-based line.
        line: usize,
        /// The row.
        text: String,
    },
    /// The file holds no row.
    #[error("{path} holds no reference: no row of numbers in it")]
    Empty {
        /// The file.
        path: String,
    },
}

impl Reference {
    /// Reads rows of two columns (`time f0`, as of MIREX05, ADC2004 and MedleyDB) or three (`onset offset pitch`), separated by
    /// blanks, tabs or commas; one header row may precede. A `.pv` file has one semitone value per frame (MIR-1K, iKala, MIR-QBSH), every `hop`
    /// seconds; without it, the length of the recording tells.
    pub fn read(path: &Path, recording: &Path, hop: Option<f64>) -> Result<Self, ReferenceError> {
        let name = path.display().to_string();
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("pv")) {
            let Samples { times, f0, .. } =
                read_samples_of(recording, path, hop).map_err(|source| ReferenceError::Pv { path: name, source })?;
            return Ok(Reference::Series(Series { times, f0 }));
        }
        let text = std::fs::read_to_string(path).map_err(|source| ReferenceError::Io { path: name.clone(), source })?;
        let mut series = Series::default();
        let mut chart = Vec::new();
        for (i, (line, fields)) in table::rows(&text).enumerate() {
            let number = |k: usize| fields.get(k).and_then(|f| f.parse::<f64>().ok()).filter(|x| x.is_finite());
            match (fields.len(), number(0), number(1)) {
                (2, Some(time), Some(f0)) => {
                    series.times.push(time);
                    series.f0.push(f0);
                }
                (3, Some(onset), Some(offset)) if number(2).is_some() || fields[2] == "free" => {
                    chart.push(ChartNote { onset, offset, pitch: number(2) });
                }
                (_, None, _) if i == 0 => {} // a header
                _ => return Err(ReferenceError::Row { path: name, line, text: fields.join(" ").chars().take(60).collect() }),
            }
        }
        match (series.times.is_empty(), chart.is_empty()) {
            (false, true) => Ok(Reference::Series(series)),
            (true, false) => Ok(Reference::Chart(chart)),
            _ => Err(ReferenceError::Empty { path: name }),
        }
    }

    /// The same reference, `semitones` higher.
    pub fn transposed(mut self, semitones: f64) -> Self {
        match &mut self {
            Reference::Series(series) => series.f0.iter_mut().for_each(|f| *f *= (semitones / 12.0).exp2()),
            Reference::Chart(notes) => notes.iter_mut().for_each(|n| n.pitch = n.pitch.map(|p| p + semitones)),
        }
        self
    }

    /// Scores an estimate.
    ///
    /// Against a series: `mir_eval.melody` with 50 cents. Against a chart, on frames of 10 ms: VR over frames inside notes (spoken
    /// ones included); VFA over frames at least 0.3 s from every note; RPA and RCA over frames inside pitched notes within
    /// `tolerance` cents; OA the share of all of these frames (spoken ones left out) whose voicing and chroma are right, the
    /// octave of charts being unreliable. RPA and RCA count guesses where the estimate is unvoiced.
    pub fn score(&self, estimate: &Estimate, tolerance: Option<f64>) -> MelodyScores {
        match self {
            Reference::Series(series) => evaluate(series, &estimate.series),
            Reference::Chart(notes) => score_chart(notes, &estimate.track, tolerance.unwrap_or(TOLERANCE_CENTS)),
        }
    }

    /// How well the estimate's voicing probability tells voiced from unvoiced frames (those that VR and VFA count), whatever
    /// the threshold ([`voicing_auc`]).
    pub fn voicing_auc(&self, estimate: &Estimate) -> Option<f64> {
        match self {
            Reference::Series(series) => {
                let voiced: Vec<bool> = series.f0.iter().map(|f| *f > 0.0).collect();
                voicing_auc(&estimate.voicing_at(&series.times), &voiced)
            }
            Reference::Chart(notes) => {
                let frames = chart_frames(notes, estimate.track.len());
                let counted = frames.iter().zip(&estimate.track.voicing).filter(|(frame, _)| **frame != Frame::Skip);
                let (voicing, voiced): (Vec<f64>, Vec<bool>) =
                    counted.map(|(frame, voicing)| (f64::from(*voicing), *frame != Frame::Silent)).unzip();
                voicing_auc(&voicing, &voiced)
            }
        }
    }
}

/// What a chart says about a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Frame {
    /// Too near to a note to tell.
    Skip,
    /// No voice.
    Silent,
    /// A voice without pitch.
    Spoken,
    /// Hz.
    Pitch(f64),
}

/// The first `len` frames of 10 ms.
fn chart_frames(notes: &[ChartNote], len: usize) -> Vec<Frame> {
    let frame = |seconds: f64| ((seconds / PITCH_HOP).round().max(0.0) as usize).min(len);
    let mut frames = vec![Frame::Silent; len];
    let mut fill = |from: usize, to: usize, kind: Frame| {
        if from < to {
            frames[from..to].fill(kind);
        }
    };
    for note in notes {
        fill(frame(note.onset - CHART_MARGIN), frame(note.offset + CHART_MARGIN), Frame::Skip);
    }
    for note in notes {
        let kind = note.pitch.map_or(Frame::Spoken, |p| Frame::Pitch(f64::from(midi_to_hz(p as f32))));
        fill(frame(note.onset), frame(note.offset), kind);
    }
    frames
}

fn score_chart(notes: &[ChartNote], track: &PitchTrack, tolerance: f64) -> MelodyScores {
    let frames = chart_frames(notes, track.len());
    let pick = |keep: &dyn Fn(Frame) -> bool| -> (Vec<f64>, Vec<f64>) {
        let kept = frames.iter().zip(track.signed_f0()).filter(|(frame, _)| keep(**frame));
        kept.map(|(frame, f0)| (if let Frame::Pitch(hz) = frame { *hz } else { 0.0 }, f64::from(f0))).unzip()
    };
    let score = |(reference, estimate): (Vec<f64>, Vec<f64>)| {
        let (ref_cents, ref_voiced) = cents_and_voicing(&reference);
        let (est_cents, est_voiced) = cents_and_voicing(&estimate);
        let scores = score_frames(&ref_cents, &ref_voiced, &est_cents, &est_voiced, tolerance);
        // OA by chroma: fold the estimate's octave onto the reference.
        let folded: Vec<f64> = ref_cents
            .iter()
            .zip(&est_cents)
            .map(|(r, e)| if *r == 0.0 || *e == 0.0 { *e } else { e - 1200.0 * ((e - r) / 1200.0).round() })
            .collect();
        MelodyScores { oa: score_frames(&ref_cents, &ref_voiced, &folded, &est_voiced, tolerance).oa, ..scores }
    };
    let scores = score(pick(&|f| matches!(f, Frame::Silent | Frame::Pitch(_))));
    let (_, inside) = pick(&|f| matches!(f, Frame::Spoken | Frame::Pitch(_)));
    let recalled = inside.iter().filter(|&&f| f > 0.0).count();
    MelodyScores { vr: if inside.is_empty() { 1.0 } else { recalled as f64 / inside.len() as f64 }, ..scores }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Reference, ReferenceError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reference.txt");
        std::fs::write(&path, text).unwrap();
        Reference::read(&path, Path::new("recording.wav"), None)
    }

    #[test]
    fn two_columns_are_a_series_three_a_chart() {
        let series = read("time,frequency\n0.0,0.0\n0.0058,220.5\n").unwrap();
        assert_eq!(series, Reference::Series(Series { times: vec![0.0, 0.0058], f0: vec![0.0, 220.5] }));
        let chart = read("1.5\t2.0\t60.5\n2.0\t2.5\tfree\n").unwrap();
        let note = |onset, offset, pitch| ChartNote { onset, offset, pitch };
        assert_eq!(chart, Reference::Chart(vec![note(1.5, 2.0, Some(60.5)), note(2.0, 2.5, None)]));
        assert!(read("0.0 220\n0.1 oops\n").unwrap_err().to_string().contains("line 2"));
        assert!(matches!(read(""), Err(ReferenceError::Empty { .. })));
        // Notes that end before they begin are nothing.
        let backwards = read("5.0 1.0 60\n").unwrap();
        assert_eq!(backwards.score(&PitchTrack::from_f0(vec![0.0; 100]).into(), None).oa, 1.0);
    }

    #[test]
    fn pv_files_have_the_frames_that_are_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pv");
        std::fs::write(&path, "0\n69.0000\n").unwrap();
        for (hop, times) in [(0.02, [0.02, 0.04]), (0.032, [0.016, 0.048])] {
            let Reference::Series(series) = Reference::read(&path, Path::new("a.wav"), Some(hop)).unwrap() else { panic!() };
            assert!(series.times.iter().zip(times).all(|(a, b)| (a - b).abs() < 1e-9), "{:?}", series.times);
            assert_eq!(series.f0, [0.0, 440.0]);
        }
        let error = Reference::read(&path, Path::new("a.wav"), None).unwrap_err().to_string();
        assert!(error.contains("a.wav cannot be read") && error.contains("--hop"), "{error}");
        std::fs::write(&path, "0 1\n").unwrap();
        assert!(Reference::read(&path, Path::new("a.wav"), Some(0.02)).unwrap_err().to_string().contains("line 1"));
    }

    #[test]
    fn charts_ignore_octave_and_the_neighbourhood_of_notes() {
        let chart = Reference::Chart(vec![
            ChartNote { onset: 1.0, offset: 2.0, pitch: Some(69.0) },
            ChartNote { onset: 2.0, offset: 3.0, pitch: None },
        ]);
        let mut f0 = vec![0.0; 500];
        f0[80..150].fill(220.0); // 0.2 s too early: not scored; an octave low: right chroma
        f0[200..250].fill(300.0); // half of the spoken note
        f0[450..500].fill(300.0); // a false alarm
        let scores = chart.score(&PitchTrack::from_f0(f0.clone()).into(), None);
        assert!((scores.vr - 0.5).abs() < 1e-9 && (scores.rca - 0.5).abs() < 1e-9 && scores.rpa == 0.0);
        assert!((scores.vfa - 50.0 / 240.0).abs() < 1e-9, "{}", scores.vfa); // silent: 0-0.7 s and 3.3-5 s
        assert!((scores.oa - (50.0 + 190.0) / 340.0).abs() < 1e-9, "{}", scores.oa);

        // Guesses for the second half of the note count as pitch, not as voice.
        let mut track = PitchTrack::from_f0(f0);
        track.guess[150..190].fill(440.0);
        let guessed = chart.score(&track.clone().into(), None);
        assert!((guessed.rca - 0.9).abs() < 1e-9 && (guessed.rpa - 0.4).abs() < 1e-9, "{guessed:?}");
        assert_eq!((guessed.vr, guessed.vfa, guessed.oa), (scores.vr, scores.vfa, scores.oa));
        let auc = chart.voicing_auc(&track.into()).unwrap();
        assert!((auc - 0.5 * (scores.vr + 1.0 - scores.vfa)).abs() < 1e-9, "{auc}");
    }
}
