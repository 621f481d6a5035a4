//! Pairs of a real hum and the section of a song that was hummed.

use std::ops::Range;

use super::pair::{HUM_SECONDS, HumPair, LEAST_VOICED, MISALIGNMENT, cut};
use qbh_models::contour::{CONTOUR_STEP, voiced_fraction};
use qbh_synthesis::hum::{self, ranges};
use qbh_synthesis::random::Draw;

/// Least share of a hum that becomes a window.
const SHARE: f32 = 0.4;
/// Chance to add mistakes of the extractor to a hum: as copies of it made worse.
const DISTORTED: f32 = 0.5;
/// How often hum and song are turned upside down, and backwards: that makes four tunes of one, where there are few.
const INVERTED: f32 = 0.5;
const REVERSED: f32 = 0.25;
/// What two pitches add up to that are each other's upside down.
const TURNED: f32 = 128.0;
/// Attempts at one pair before another is drawn.
const ATTEMPTS: usize = 4;

/// What a person hummed, and of what.
#[derive(Debug, Clone, PartialEq)]
pub struct RealHum {
    /// Contour of the hum (MIDI pitch per 100 ms, 0 = unvoiced).
    pub hum: Vec<f32>,
    /// Contour of the song.
    pub song: Vec<f32>,
    /// Where in the song the hum begins and ends, seconds.
    pub section: Range<f32>,
    /// Hums of equal group are of one tune.
    pub group: i64,
}

impl RealHum {
    /// Part of the hum and the part of the song that it is of, as an extractor may hear both, perhaps turned over, taking the hum's tempo to be steady. `None` where too little is voiced.
    pub(super) fn draw(&self, draw: &mut Draw) -> Option<HumPair> {
        let hummed = self.hum.len() as f32 * CONTOUR_STEP as f32;
        let length = self.section.end - self.section.start;
        for _ in 0..ATTEMPTS {
            let share = draw.range(SHARE, 1.0).max(HUM_SECONDS.start / hummed).min(HUM_SECONDS.end / hummed).min(1.0);
            let at = draw.range(0.0, 1.0 - share);
            let mut early_or_late = || length * share * draw.range(-MISALIGNMENT, MISALIGNMENT);
            let from = self.section.start + length * at + early_or_late();
            let to = self.section.start + length * (at + share) + early_or_late();
            let mut hum = cut(&self.hum, hummed * at, hummed * (at + share)).to_vec();
            let mut song = cut(&self.song, from, to).to_vec();
            if draw.chance(DISTORTED) {
                hum::mistrack(&mut hum, draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end), draw);
            }
            if !draw.chance(ranges::CLEAN_SONGS) {
                song = hum::leak(song, draw.range(ranges::NOISE.start, ranges::NOISE.end), draw);
            }
            let (inverted, reversed) = (draw.chance(INVERTED), draw.chance(REVERSED));
            for contour in [&mut hum, &mut song] {
                if inverted {
                    contour.iter_mut().filter(|p| **p > 0.0).for_each(|p| *p = TURNED - *p);
                }
                if reversed {
                    contour.reverse();
                }
            }
            if voiced_fraction(&hum) > LEAST_VOICED && voiced_fraction(&song) > LEAST_VOICED {
                let turns = i64::from(inverted) + 2 * i64::from(reversed);
                return Some(HumPair { hum, song, group: self.group * 4 + turns });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn parts_of_hum_and_song_belong_together() {
        // The song rises by a semitone a second from second 10 on; the hum is the same a fifth higher, twice as fast.
        let song: Vec<f32> = (0..400).map(|i| 50.0 + (i as f32 * 0.1 - 10.0).max(0.0)).collect();
        let hum: Vec<f32> = (0..100).map(|i| 57.0 + i as f32 * 0.2).collect();
        let hummed = RealHum { hum, song, section: 10.0..30.0, group: 3 };
        let mut turned = BTreeSet::new();
        for seed in 0..50 {
            let pair = hummed.draw(&mut Draw::new(seed)).unwrap();
            let median = |contour: &[f32]| {
                let mut voiced: Vec<f32> = contour.iter().copied().filter(|p| *p > 0.0).collect();
                voiced.sort_by(f32::total_cmp);
                voiced[voiced.len() / 2]
            };
            assert!((25..=100).contains(&pair.hum.len()) && pair.group.div_euclid(4) == 3);
            // A fifth higher, or turned over a fifth lower.
            let key = if pair.group % 2 == 0 { 7.0 } else { -7.0 };
            assert!((median(&pair.hum) - key - median(&pair.song)).abs() < 6.0, "{seed}");
            let rises = |contour: &[f32]| contour.windows(2).map(|two| (two[1] - two[0]).clamp(-0.3, 0.3)).sum::<f32>() > 0.0;
            let upwards = matches!(pair.group.rem_euclid(4), 0 | 3);
            assert!(rises(&pair.hum) == upwards, "{seed}");
            turned.insert(pair.group);
        }
        assert_eq!(turned.len(), 4);
        assert_eq!(RealHum { hum: vec![0.0; 50], ..hummed.clone() }.draw(&mut Draw::new(1)), None);
        assert_eq!(RealHum { song: Vec::new(), ..hummed }.draw(&mut Draw::new(1)), None);
    }
}
