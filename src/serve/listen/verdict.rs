//! When a hum has been heard long enough: the rule by which listening stops by itself.
//!
//! A provisional answer is believed when it is nearly certain, or when it is surer than an answer at the end would have to be and another one
//! a second later says the same. Which numbers do no more harm than waiting for the end is measured by `benches/early_stop`.

use crate::search::CONFIDENT;

/// The first provisional answer comes after so many seconds.
pub const FIRST_ANSWER: f64 = 4.0;

/// Seconds between provisional answers.
pub const INTERVAL: f64 = 1.0;

/// From this confidence on an answer is believed at once ...
const CERTAIN: f32 = 0.98;

/// ... and from this one on, if the one before said the same with this confidence too.
const SURE: f32 = 0.85;

/// After so many seconds without an answer that is more likely right than wrong, the song is not in the library.
const PATIENCE: f64 = 20.0;

/// Who has not been understood after so many seconds will not be.
pub const LONGEST: f64 = 30.0;

/// What a hum has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// This is the song.
    Found,
    /// One of these may be the song.
    Unsure,
    /// No song of this library.
    Unknown,
}

/// Follows the provisional answers of one hum.
#[derive(Debug, Default)]
pub struct Judge {
    last: Option<(u64, f32)>,
}

impl Judge {
    /// Whether to stop after so many seconds with this answer: the first song and its confidence, if there is one.
    pub fn hear(&mut self, seconds: f64, first: Option<(u64, f32)>) -> Option<Verdict> {
        let confidence = first.map_or(0.0, |(_, confidence)| confidence);
        let repeated = first.zip(self.last).is_some_and(|((song, sure), (before, was))| song == before && sure.min(was) >= SURE);
        self.last = first;
        if confidence >= CERTAIN || repeated {
            return Some(Verdict::Found);
        }
        if seconds >= LONGEST || (seconds >= PATIENCE && confidence < CONFIDENT) {
            return Some(at_the_end(confidence));
        }
        None
    }
}

/// What an answer of this confidence means when no more is heard.
pub fn at_the_end(confidence: f32) -> Verdict {
    /// Below this, not even a guess is worth a word.
    const GUESS: f32 = 0.1;
    match confidence {
        confidence if confidence >= CONFIDENT => Verdict::Found,
        confidence if confidence >= GUESS => Verdict::Unsure,
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stops(answers: &[(f64, u64, f32)]) -> Option<(f64, Verdict)> {
        let mut judge = Judge::default();
        answers.iter().find_map(|&(seconds, song, sure)| Some((seconds, judge.hear(seconds, Some((song, sure)))?)))
    }

    #[test]
    fn it_stops_when_it_is_sure_and_says_so_when_it_never_is() {
        assert_eq!(stops(&[(4.0, 1, 0.5), (5.0, 1, 0.99)]), Some((5.0, Verdict::Found)));
        assert_eq!(stops(&[(4.0, 1, 0.9), (5.0, 2, 0.9), (6.0, 2, 0.9)]), Some((6.0, Verdict::Found)));
        assert_eq!(stops(&[(4.0, 1, 0.6), (5.0, 1, 0.6), (6.0, 1, 0.6)]), None);
        let lost = |sure| (4..40).map(|s| (f64::from(s), u64::from(s as u32 % 3), sure)).collect::<Vec<_>>();
        assert_eq!(stops(&lost(0.02)), Some((20.0, Verdict::Unknown)));
        assert_eq!(stops(&lost(0.3)), Some((20.0, Verdict::Unsure)));
        assert_eq!(stops(&lost(0.6)), Some((30.0, Verdict::Found)));
        assert_eq!(Judge::default().hear(30.0, None), Some(Verdict::Unknown));
    }
}
