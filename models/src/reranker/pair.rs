//! A hum and a passage of a song, side by side: what a reranker looks at.

use std::ops::Range;

/// Steps of the song that are seen on either side of the one beside a step of the hum.
const REACH: usize = 6;
/// Steps of the song seen beside each step of the hum: 1.3 s.
const BAND: usize = 2 * REACH + 1;
/// Of which the voicing is shown of every third.
const VOICING_EVERY: usize = 3;
/// Values per step of the hum: see [`Pair::features`].
pub const CHANNELS: usize = 13 + BAND + BAND.div_ceil(VOICING_EVERY);

/// Longest hum that is looked at, in contour steps (30 s): of a longer one the middle of what was aligned.
const LONGEST: usize = 300;

/// Marks steps of the passage that lie before the song or after it.
const OUTSIDE: f32 = -1.0;
/// Beyond the ends of the path, hum and song are taken to go on at the tempo of the path, within these bounds.
const SLOPE: (f32, f32) = (0.5, 2.0);
/// Differences within a semitone tell the key more finely than the alignment does.
const SAME_NOTE: f32 = 1.0;
/// Widths in semitones within which two pitches are seen as the same, at each step of the band and beside each other.
const NEAR: f32 = 0.7;
const WIDE: f32 = 1.5;
/// Steps over which intervals are seen.
const LAGS: [usize; 2] = [1, 3];

/// A hum laid beside a passage of a song. Contours are MIDI pitch per 100 ms, 0 = unvoiced.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    hum: Vec<f32>,
    /// The song from [`REACH`] steps before the first step of the hum to as many after the last.
    song: Vec<f32>,
    /// The step of `song` beside each step of `hum`.
    beside: Vec<u16>,
    /// Semitones by which the hum is to be moved up, octaves apart.
    key: f32,
    /// Steps of the hum that the alignment covers.
    aligned: Range<usize>,
}

impl Pair {
    /// Lays `hum` beside `song` along an alignment: `path` are contour steps of hum and song that belong together, both
    /// ascending and within the contours, `key` the semitones by which the hum has to be moved up, octaves apart. `None` when
    /// the path has fewer than two points.
    pub fn new(hum: &[f32], song: &[f32], path: &[(u32, u32)], key: f32) -> Option<Pair> {
        let (&first, &last) = (path.first()?, path.last()?);
        if first.0 >= last.0 || last.0 as usize >= hum.len() {
            return None;
        }
        let middle = (first.0 + last.0) as usize / 2;
        let from = middle.saturating_sub(LONGEST / 2).min(hum.len().saturating_sub(LONGEST));
        let seen = from..(from + LONGEST).min(hum.len());

        let slope = ((last.1 as f32 - first.1 as f32) / (last.0 - first.0) as f32).clamp(SLOPE.0, SLOPE.1);
        let mut segment = 0;
        let places: Vec<i64> = seen
            .clone()
            .map(|step| {
                let t = step as f32;
                if t <= first.0 as f32 {
                    return first.1 as f32 - slope * (first.0 as f32 - t);
                }
                if t >= last.0 as f32 {
                    return last.1 as f32 + slope * (t - last.0 as f32);
                }
                while (path[segment + 1].0 as f32) < t {
                    segment += 1;
                }
                let [(a, x), (b, y)] = [path[segment], path[segment + 1]].map(|(i, j)| (i as f32, j as f32));
                x + (t - a) / (b - a) * (y - x)
            })
            .map(|place| place.round() as i64)
            .collect();
        let begin = places[0] - REACH as i64;
        let end = places[places.len() - 1] + REACH as i64;
        let at = |step: i64| usize::try_from(step).ok().and_then(|step| song.get(step)).copied().unwrap_or(OUTSIDE);
        Some(Pair {
            hum: hum[seen.clone()].to_vec(),
            song: (begin..=end).map(at).collect(),
            beside: places.iter().map(|place| (place - begin) as u16).collect(),
            key,
            aligned: (first.0 as usize).saturating_sub(from)..(last.0 as usize + 1 - from).min(seen.len()),
        })
    }

    /// Steps of the hum.
    pub fn steps(&self) -> usize {
        self.hum.len()
    }

    /// Only these steps of the hum, with what is beside them.
    pub fn cut(&self, steps: Range<usize>) -> Pair {
        let within = |step: usize| step.clamp(steps.start, steps.end) - steps.start;
        Pair {
            hum: self.hum[steps.clone()].to_vec(),
            song: self.song.clone(),
            beside: self.beside[steps.clone()].to_vec(),
            key: self.key,
            aligned: within(self.aligned.start)..within(self.aligned.end),
        }
    }

    /// Both upside down: what rose now falls.
    pub fn inverted(mut self) -> Pair {
        self.hum.iter_mut().chain(&mut self.song).filter(|p| **p > 0.0).for_each(|p| *p = 128.0 - *p);
        self.key = -self.key;
        self
    }

    /// Both backwards.
    pub fn reversed(mut self) -> Pair {
        self.hum.reverse();
        self.song.reverse();
        self.beside.reverse();
        let last = self.song.len() as u16 - 1;
        self.beside.iter_mut().for_each(|place| *place = last - *place);
        self.aligned = self.hum.len() - self.aligned.end..self.hum.len() - self.aligned.start;
        self
    }

    /// The pitches of the hum, to be disturbed.
    pub fn hum_mut(&mut self) -> &mut [f32] {
        &mut self.hum
    }

    /// Fills `out`, [`CHANNELS`] rows of [`Pair::steps`] values: voicing of hum and song, whether the step was aligned and whether
    /// it lies outside of the song; the difference of their pitch classes in the best key, signed, and as a closeness; whether
    /// both are voiced; their pitches against their means; their intervals to the steps before; the closeness of the hum to each
    /// step of the band, and its voicing. Nothing depends on key or octave.
    pub fn features(&self, out: &mut [f32]) {
        let steps = self.steps();
        debug_assert_eq!(out.len(), CHANNELS * steps);
        let beside: Vec<f32> = self.beside.iter().map(|&place| self.song[usize::from(place)]).collect();
        let key = self.key + self.finer_key(&beside);
        let difference = |hum: f32, song: f32| wrapped(hum + key - song);
        let mut rows = out.chunks_exact_mut(steps);
        let mut row = |value: &dyn Fn(usize) -> f32| {
            if let Some(row) = rows.next() {
                row.iter_mut().enumerate().for_each(|(t, out)| *out = value(t));
            }
        };
        let hum = &self.hum;
        let both = |t: usize| hum[t] > 0.0 && beside[t] > 0.0;
        let flag = |yes: bool| f32::from(u8::from(yes));
        let of = |t: usize, value: f32| if both(t) { value } else { 0.0 };
        row(&|t| flag(hum[t] > 0.0));
        row(&|t| flag(beside[t] > 0.0));
        row(&|t| flag(self.aligned.contains(&t)));
        row(&|t| flag(beside[t] == OUTSIDE));
        row(&|t| of(t, difference(hum[t], beside[t]).clamp(-3.0, 3.0) / 3.0));
        row(&|t| of(t, closeness(difference(hum[t], beside[t]), WIDE)));
        row(&|t| flag(both(t)));
        for line in [hum, &beside] {
            let mean = mean_pitch(line);
            row(&|t| if line[t] > 0.0 { ((line[t] - mean) / 6.0).clamp(-2.0, 2.0) } else { 0.0 });
        }
        for line in [hum, &beside] {
            for lag in LAGS {
                row(&|t| match t.checked_sub(lag).map(|before| line[before]) {
                    Some(before) if before > 0.0 && line[t] > 0.0 => (line[t] - before).clamp(-7.0, 7.0) / 7.0,
                    _ => 0.0,
                });
            }
        }
        let band = |t: usize, offset: usize| self.song[usize::from(self.beside[t]) + offset - REACH];
        for offset in 0..BAND {
            row(&|t| {
                let song = band(t, offset);
                if hum[t] > 0.0 && song > 0.0 { closeness(difference(hum[t], song), NEAR) } else { 0.0 }
            });
        }
        for offset in (0..BAND).step_by(VOICING_EVERY) {
            row(&|t| flag(band(t, offset) > 0.0));
        }
    }

    /// What is left of the key where hum and song are on the same note: the mean difference.
    fn finer_key(&self, beside: &[f32]) -> f32 {
        let voiced = self.hum.iter().zip(beside).filter(|(hum, song)| **hum > 0.0 && **song > 0.0);
        let differences = voiced.map(|(hum, song)| wrapped(hum + self.key - song)).filter(|d| d.abs() < SAME_NOTE);
        let (sum, count) = differences.fold((0.0, 0), |(sum, count), d| (sum + d, count + 1));
        -sum / count.max(1) as f32
    }
}

/// Indices of the pairs, by their steps.
pub(super) fn by_steps(pairs: &[&Pair]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_by_key(|&pair| pairs[pair].steps());
    order
}

/// A difference of pitches, octaves apart: -6..=6 semitones.
fn wrapped(difference: f32) -> f32 {
    difference - 12.0 * (difference / 12.0).round()
}

fn closeness(difference: f32, width: f32) -> f32 {
    (-(difference / width).powi(2)).exp()
}

fn mean_pitch(line: &[f32]) -> f32 {
    let (sum, count) = line.iter().filter(|p| **p > 0.0).fold((0.0, 0), |(sum, count), p| (sum + p, count + 1));
    sum / count.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn features(pair: &Pair) -> Vec<f32> {
        let mut out = vec![7.0; CHANNELS * pair.steps()];
        pair.features(&mut out);
        out
    }

    /// A melody of notes of three steps, a rest now and then.
    fn tune(steps: usize) -> Vec<f32> {
        (0..steps).map(|i| if i % 17 == 5 { 0.0 } else { 60.0 + ((i / 3 * 7) % 12) as f32 }).collect()
    }

    fn diagonal(steps: Range<u32>, offset: u32) -> Vec<(u32, u32)> {
        steps.step_by(2).map(|i| (i, i + offset)).collect()
    }

    #[test]
    fn a_hum_beside_its_own_passage_agrees_everywhere() {
        let song = tune(200);
        let hum: Vec<f32> = song[50..130].iter().map(|&p| if p > 0.0 { p + 14.3 } else { 0.0 }).collect();
        // The alignment lost the ends of the hum and knows the key to half a semitone.
        let pair = Pair::new(&hum, &song, &diagonal(10..70, 50), -2.0).unwrap();
        let values = features(&pair);
        let row = |index: usize| &values[index * 80..(index + 1) * 80];
        assert_eq!(row(0), row(1));
        assert_eq!(row(2).iter().filter(|&&x| x == 1.0).count(), 59);
        assert!(row(3).iter().all(|&x| x == 0.0));
        for t in 0..80 {
            assert!(row(4)[t].abs() < 1e-4 && (row(5)[t] - row(6)[t]).abs() < 1e-4, "step {t}");
            // The centre of the band.
            assert!((row(13 + REACH)[t] - row(6)[t]).abs() < 1e-4);
        }
    }

    #[test]
    fn what_lies_outside_of_the_song_is_told() {
        let song = tune(40);
        let pair = Pair::new(&tune(60), &song, &diagonal(20..40, 0), 0.0).unwrap();
        let values = features(&pair);
        let outside = &values[3 * 60..4 * 60];
        assert!(outside[..40].iter().all(|&x| x == 0.0) && outside[40..].iter().all(|&x| x == 1.0));
        assert!(Pair::new(&tune(60), &song, &[(3, 3)], 0.0).is_none() && Pair::new(&[], &song, &[], 0.0).is_none());
    }

    #[test]
    fn of_a_long_hum_the_aligned_part_is_seen() {
        let song = tune(900);
        let pair = Pair::new(&song[..700], &song, &diagonal(600..690, 0), 0.0).unwrap();
        assert_eq!((pair.steps(), pair.aligned.clone()), (LONGEST, 200..289));
        assert_eq!(pair.hum, song[400..700]);
    }

    proptest! {
        #[test]
        fn key_and_octave_change_nothing(shift in -30.0f32..30.0, from in 0u32..60) {
            let (song, hum) = (tune(200), tune(90));
            let path = diagonal(5..80, from);
            // A quarter of a semitone away from where differences wrap around.
            let here = Pair::new(&hum, &song, &path, 1.25).unwrap();
            let moved: Vec<f32> = hum.iter().map(|&p| if p > 0.0 { p + shift } else { 0.0 }).collect();
            let there = Pair::new(&moved, &song, &path, 1.25 - shift).unwrap();
            for (a, b) in features(&here).iter().zip(features(&there)) {
                prop_assert!((a - b).abs() < 1e-3);
            }
        }

        #[test]
        fn turning_twice_and_cutting_nothing_change_nothing(from in 0u32..150) {
            let pair = Pair::new(&tune(90), &tune(200), &diagonal(5..80, from), 3.0).unwrap();
            prop_assert_eq!(&pair.clone().reversed().reversed(), &pair);
            prop_assert_eq!(&pair.clone().inverted().inverted(), &pair);
            prop_assert_eq!(&pair.cut(0..90), &pair);
            let [a, b] = [features(&pair.cut(10..60).reversed()), features(&pair.clone().reversed().cut(30..80))];
            prop_assert_eq!(a, b);
        }

        #[test]
        fn features_are_bounded(hum in prop::collection::vec(prop_oneof![Just(0.0f32), 20.0f32..100.0], 2..320),
                                song in prop::collection::vec(prop_oneof![Just(0.0f32), 20.0f32..100.0], 2..400), key in -12.0f32..12.0) {
            let path: Vec<(u32, u32)> = (0..hum.len().min(song.len()) as u32).map(|i| (i, i)).collect();
            let pair = Pair::new(&hum, &song, &path, key).unwrap();
            prop_assert!(features(&pair).iter().all(|x| x.abs() <= 2.0));
        }
    }
}
