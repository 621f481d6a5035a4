//! Melody metrics, exactly as `mir_eval.melody` 0.8 computes them (Poliner et al. 2007; Raffel et al. 2014).
//!
//! Conventions: times in seconds; f0 in Hz, 0 = unvoiced, negative = unvoiced with a pitch guess. The estimate is resampled to
//! the reference's times: frequency linearly in cents with gaps held, voicing by the preceding frame. A pitch is right within
//! 50 cents (exclusive).
//!
//! - VR, voicing recall: share of voiced reference frames that the estimate calls voiced.
//! - VFA, voicing false alarm: share of unvoiced reference frames that the estimate calls voiced.
//! - RPA, raw pitch accuracy: share of voiced reference frames with the right pitch, voicing of the estimate ignored.
//! - RCA, raw chroma accuracy: as RPA, octaves ignored.
//! - OA, overall accuracy: share of all frames with the right voicing and, where voiced, the right pitch.

use serde::Serialize;

/// A melody as a series of (time, frequency) points, times ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Seconds.
    pub times: Vec<f64>,
    /// Hz; 0 = unvoiced, negative = unvoiced with a pitch guess.
    pub f0: Vec<f64>,
}

/// The five scores, 0..=1 each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MelodyScores {
    /// Voicing recall.
    pub vr: f64,
    /// Voicing false alarm.
    pub vfa: f64,
    /// Raw pitch accuracy.
    pub rpa: f64,
    /// Raw chroma accuracy.
    pub rca: f64,
    /// Overall accuracy.
    pub oa: f64,
}

/// Cents above 10 Hz that count as the right pitch, exclusive.
pub const TOLERANCE_CENTS: f64 = 50.0;

/// Scores an estimate against a reference. Two empty series score 0.
pub fn evaluate(reference: &Series, estimate: &Series) -> MelodyScores {
    let reference = from_time_zero(reference);
    let estimate = from_time_zero(estimate);
    let (ref_cents, ref_voiced) = cents_and_voicing(&reference.f0);
    let (est_cents, est_voiced) = cents_and_voicing(&estimate.f0);
    let (est_cents, est_voiced) = resample(&estimate.times, &est_cents, &est_voiced, &reference.times);
    score_frames(&ref_cents, &ref_voiced, &est_cents, &est_voiced, TOLERANCE_CENTS)
}

/// Scores aligned frames: cents (0 = no pitch) and voicing of reference and estimate, all of one length.
pub fn score_frames(
    ref_cents: &[f64],
    ref_voiced: &[bool],
    est_cents: &[f64],
    est_voiced: &[bool],
    tolerance: f64,
) -> MelodyScores {
    let frames = ref_cents.len();
    if frames == 0 || est_cents.is_empty() {
        return MelodyScores { vr: 0.0, vfa: 0.0, rpa: 0.0, rca: 0.0, oa: 0.0 };
    }
    let (mut voiced, mut unvoiced, mut recalled, mut alarms) = (0usize, 0usize, 0usize, 0usize);
    let (mut pitch, mut chroma, mut overall) = (0usize, 0usize, 0usize);
    for i in 0..frames {
        let both = ref_cents[i] != 0.0 && est_cents[i] != 0.0;
        let difference = (ref_cents[i] - est_cents[i]).abs();
        let octaves = 1200.0 * (difference / 1200.0 + 0.5).floor();
        if ref_voiced[i] {
            voiced += 1;
            recalled += usize::from(est_voiced[i]);
            let right = both && difference < tolerance;
            pitch += usize::from(right);
            chroma += usize::from(both && (difference - octaves).abs() < tolerance);
            overall += usize::from(right && est_voiced[i]);
        } else {
            unvoiced += 1;
            alarms += usize::from(est_voiced[i]);
            overall += usize::from(!est_voiced[i]);
        }
    }
    let share = |count: usize, of: usize, empty: f64| if of == 0 { empty } else { count as f64 / of as f64 };
    MelodyScores {
        vr: share(recalled, voiced, 1.0),
        vfa: share(alarms, unvoiced, 0.0),
        rpa: share(pitch, voiced, 0.0),
        rca: share(chroma, voiced, 0.0),
        oa: overall as f64 / frames as f64,
    }
}

/// A series that begins later than 0 gets its first frequency at time 0 too.
fn from_time_zero(series: &Series) -> Series {
    let mut series = series.clone();
    if series.times.first().is_some_and(|&t| t > 0.0) {
        series.times.insert(0, 0.0);
        series.f0.insert(0, series.f0[0]);
    }
    series
}

/// Cents above 10 Hz of every |f0| (0 where there is none), and whether it is voiced.
pub fn cents_and_voicing(f0: &[f64]) -> (Vec<f64>, Vec<bool>) {
    let cents = f0.iter().map(|&f| if f == 0.0 { 0.0 } else { 1200.0 * (f.abs() / 10.0).log2() }).collect();
    (cents, f0.iter().map(|&f| f > 0.0).collect())
}

/// Values of a series at new times, as `mir_eval.melody.resample_melody_series` with `kind="linear"`.
fn resample(times: &[f64], cents: &[f64], voiced: &[bool], new_times: &[f64]) -> (Vec<f64>, Vec<bool>) {
    let same = times.len() == new_times.len() && times.iter().zip(new_times).all(|(a, b)| (a - b).abs() <= 1e-8 + 1e-5 * b.abs());
    if same {
        return (cents.to_vec(), voiced.to_vec());
    }
    let round = |t: &f64| (t * 1e10).round() / 1e10;
    let mut times: Vec<f64> = times.iter().map(round).collect();
    let (mut cents, mut voiced) = (cents.to_vec(), voiced.to_vec());
    let end = new_times.iter().map(round).fold(f64::MIN, f64::max);
    if times.last().is_none_or(|&last| end > last) {
        times.push(end);
        cents.push(0.0);
        voiced.push(false);
    }
    // Gaps hold the pitch before them, so that the interpolation never runs down to 0.
    let mut held = cents.clone();
    for i in 1..held.len() {
        if held[i] == 0.0 {
            held[i] = held[i - 1];
        }
    }
    let mut out = (Vec::with_capacity(new_times.len()), Vec::with_capacity(new_times.len()));
    for t in new_times.iter().map(round) {
        let after = times.partition_point(|&x| x <= t);
        let before = after.saturating_sub(1);
        let value = if after == 0 || after == times.len() || times[after] == times[before] {
            held[before]
        } else {
            held[before] + (held[after] - held[before]) * (t - times[before]) / (times[after] - times[before])
        };
        out.0.push(if cents[before] == 0.0 { 0.0 } else { value });
        out.1.push(voiced[before]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(f64, f64)]) -> Series {
        Series { times: points.iter().map(|p| p.0).collect(), f0: points.iter().map(|p| p.1).collect() }
    }

    #[test]
    fn a_perfect_estimate_scores_one() {
        let melody = series(&[(0.0, 0.0), (0.01, 440.0), (0.02, 441.0), (0.03, 0.0)]);
        assert_eq!(evaluate(&melody, &melody), MelodyScores { vr: 1.0, vfa: 0.0, rpa: 1.0, rca: 1.0, oa: 1.0 });
    }

    #[test]
    fn an_octave_error_keeps_the_chroma() {
        let reference = series(&[(0.0, 220.0), (0.01, 220.0)]);
        let estimate = series(&[(0.0, 440.0), (0.01, -220.0)]);
        let scores = evaluate(&reference, &estimate);
        assert_eq!((scores.vr, scores.rpa, scores.rca, scores.oa), (0.5, 0.5, 1.0, 0.0));
    }

    #[test]
    fn silence_and_nothing_are_defined() {
        let silence = series(&[(0.0, 0.0), (0.01, 0.0)]);
        let scores = evaluate(&silence, &series(&[(0.0, 100.0), (0.01, 0.0)]));
        assert_eq!((scores.vr, scores.vfa, scores.rpa, scores.oa), (1.0, 0.5, 0.0, 0.5));
        assert_eq!(evaluate(&Series::default(), &Series::default()).oa, 0.0);
    }

    /// Scores of `mir_eval` 0.8.2 on generated pairs; `tests/data/melody/generate.py` makes the file.
    #[test]
    fn scores_equal_those_of_the_reference_implementation() {
        #[derive(serde::Deserialize)]
        struct Case {
            ref_time: Vec<f64>,
            ref_freq: Vec<f64>,
            est_time: Vec<f64>,
            est_freq: Vec<f64>,
            scores: [f64; 5],
        }
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/data/melody/golden.json")).unwrap();
        assert!(cases.len() >= 12);
        for (i, case) in cases.into_iter().enumerate() {
            let scores = evaluate(
                &Series { times: case.ref_time, f0: case.ref_freq },
                &Series { times: case.est_time, f0: case.est_freq },
            );
            let ours = [scores.vr, scores.vfa, scores.rpa, scores.rca, scores.oa];
            for (a, b) in ours.iter().zip(case.scores) {
                assert!((a - b).abs() < 1e-9, "case {i}: {ours:?} against {:?}", case.scores);
            }
        }
    }
}
