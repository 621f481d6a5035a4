//! What a tracker says about a recording: ours as a pitch track, another program's as a pitch file.

use std::path::Path;

use qbh_models::PitchTrack;
use qbh_models::pitch::PITCH_HOP;

use super::melody::Series;
use crate::pitchfile::{self, PitchFileError, Samples};

/// An estimate, ready to be scored against either kind of reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// At the times of its source, guesses negative.
    pub(super) series: Series,
    /// Probability of voicing, one per time of `series`.
    pub(super) voicing: Vec<f64>,
    /// The same at 10 ms.
    pub(super) track: PitchTrack,
}

impl From<PitchTrack> for Estimate {
    fn from(track: PitchTrack) -> Self {
        Estimate {
            series: Series {
                times: (0..track.len()).map(|i| i as f64 * PITCH_HOP).collect(),
                f0: track.signed_f0().map(f64::from).collect(),
            },
            voicing: track.voicing.iter().map(|&v| f64::from(v)).collect(),
            track,
        }
    }
}

impl Estimate {
    /// Reads the pitch file of a recording; a series is scored at the file's own times, as `mir_eval` would. `hop` is the seconds from one row
    /// to the next of `.pv` files; without it, the length of the recording tells.
    pub fn read(path: &Path, recording: &Path, hop: Option<f64>) -> Result<Self, PitchFileError> {
        let samples = pitchfile::read_samples_of(recording, path, hop)?;
        let track = pitchfile::to_track(&samples)?;
        let Samples { times, f0, voicing } = samples;
        let voicing = voicing.unwrap_or_else(|| f0.iter().map(|f| f64::from(u8::from(*f > 0.0))).collect());
        Ok(Estimate { series: Series { times, f0 }, voicing, track })
    }

    /// The same, voiced where the probability of voicing is at least `threshold` and there is a pitch or a guess.
    pub fn with_voicing_threshold(mut self, threshold: f64) -> Self {
        for (f0, voicing) in self.series.f0.iter_mut().zip(&self.voicing) {
            *f0 = if *voicing >= threshold { f0.abs() } else { -f0.abs() };
        }
        let PitchTrack { f0, voicing, guess } = &mut self.track;
        for ((f0, guess), voicing) in f0.iter_mut().zip(guess).zip(voicing) {
            *f0 = if f64::from(*voicing) >= threshold { *guess } else { 0.0 };
        }
        self
    }

    /// Probability of voicing at the given times (s, ascending), each that of the frame before it.
    pub(super) fn voicing_at(&self, times: &[f64]) -> Vec<f64> {
        let at = |time: &f64| self.series.times.partition_point(|t| *t <= *time + 1e-9).saturating_sub(1);
        times.iter().map(|time| self.voicing.get(at(time)).copied().unwrap_or(0.0)).collect()
    }
}

/// Area under the ROC curve of a voicing probability: how often a voiced frame has a higher one than an unvoiced frame, ties
/// counted half. `None` without frames of both kinds. Of a yes or no it is the mean of VR and 1 - VFA.
pub fn voicing_auc(voicing: &[f64], voiced: &[bool]) -> Option<f64> {
    let mut frames: Vec<(f64, bool)> = voicing.iter().copied().zip(voiced.iter().copied()).collect();
    frames.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut unvoiced_below, mut wins, mut all_voiced) = (0.0, 0.0, 0.0);
    for tie in frames.chunk_by(|a, b| a.0 == b.0) {
        let voiced = tie.iter().filter(|(_, voiced)| *voiced).count() as f64;
        let unvoiced = tie.len() as f64 - voiced;
        wins += voiced * (unvoiced_below + 0.5 * unvoiced);
        unvoiced_below += unvoiced;
        all_voiced += voiced;
    }
    let pairs = all_voiced * unvoiced_below;
    (pairs > 0.0).then(|| wins / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs_in_the_right_order() {
        let auc = |pairs: &[(f64, bool)]| {
            let (voicing, voiced): (Vec<f64>, Vec<bool>) = pairs.iter().copied().unzip();
            voicing_auc(&voicing, &voiced)
        };
        assert_eq!(auc(&[(0.9, true), (0.1, false), (0.8, true), (0.2, false)]), Some(1.0));
        assert_eq!(auc(&[(0.1, true), (0.9, false)]), Some(0.0));
        // Of four pairs two are right, one is wrong, one a tie.
        assert_eq!(auc(&[(0.9, true), (0.3, true), (0.3, false), (0.5, false)]), Some(0.625));
        // Yes or no: VR 2/3, VFA 1/4.
        let yes_no = [(1.0, true), (1.0, true), (0.0, true), (1.0, false), (0.0, false), (0.0, false), (0.0, false)];
        assert!((auc(&yes_no).unwrap() - 0.5 * (2.0 / 3.0 + 0.75)).abs() < 1e-12);
        assert_eq!(auc(&[(0.5, true)]), None);
        assert_eq!(auc(&[]), None);
    }

    #[test]
    fn a_threshold_voices_guesses_and_mutes_pitches() {
        let mut track = PitchTrack::from_f0(vec![220.0, 0.0, 0.0]);
        track.guess = vec![220.0, 330.0, 0.0];
        track.voicing = vec![0.4, 0.3, 0.9];
        let voiced = |threshold| {
            let estimate = Estimate::from(track.clone()).with_voicing_threshold(threshold);
            assert!(estimate.series.f0.iter().zip(&estimate.track.f0).all(|(s, f)| s.max(0.0) == f64::from(*f)));
            estimate.track.f0
        };
        assert_eq!(voiced(0.35), [220.0, 0.0, 0.0]);
        assert_eq!(voiced(0.3), [220.0, 330.0, 0.0]);
        assert_eq!(voiced(0.5), [0.0, 0.0, 0.0]);
    }
}
