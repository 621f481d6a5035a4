//! The model of the human hum, and of what extractors make of songs: pairs of contours to train embedders on.
//!
//! ```text
//! notes --remember--> --retime--> --intone--> --render (voice)--> --mistrack--> contour of a hum
//!                                        `---> sing, room, telephone --> recording of a hum
//! notes --perform-------------------------->  --render (voice)--> --leak----->  contour of a song
//! ```
//! People forget, merge and invent notes, hum at their own unsteady tempo, cut rests short, drift out of key, miss
//! intervals, lose the thread. Extractors drop frames, jump octaves, and follow the accompaniment where the voice rests.
//! How much of each is in [`ranges`]. Contours are MIDI pitch per 100 ms, 0 = unvoiced, as everywhere.

#[cfg(test)]
mod fit;
mod person;
pub mod ranges;
mod record;
mod render;
mod singer;
mod song;

use std::ops::Range;

use crate::random::Draw;
use qbh_models::{Contour, Note};

pub use person::Singer;
pub use record::record;
pub use singer::{hum, mistrack};
pub use song::{leak, song};

/// Share of the hums to learn from that are [`Singer`]s'; the others are of [`hum`], with faults that real hums are too few to show.
const SINGERS: f32 = 0.5;

/// A hum to learn from, of anybody: the arguments are those of [`hum`].
pub fn anybody(notes: &[Note], section: Range<f32>, tempo: f32, draw: &mut Draw) -> Contour {
    let strength = uniform(ranges::STRENGTH, draw);
    if draw.chance(SINGERS) {
        return Singer::draw(draw).hum(notes, section, tempo, strength, draw);
    }
    hum(notes, section, tempo, strength, draw)
}

/// The parts of `notes` (in order of time) inside `section`, in seconds from its start.
fn clip(notes: &[Note], section: &Range<f32>) -> Vec<Note> {
    let first = notes.partition_point(|n| n.offset() <= section.start);
    notes[first..]
        .iter()
        .take_while(|n| n.onset < section.end)
        .map(|n| {
            let (onset, offset) = (n.onset.max(section.start), n.offset().min(section.end));
            Note { onset: onset - section.start, duration: offset - onset, pitch: n.pitch }
        })
        .filter(|n| n.duration >= ranges::SHORTEST_NOTE)
        .collect()
}

fn uniform(range: Range<f32>, draw: &mut Draw) -> f32 {
    draw.range(range.start, range.end)
}

/// Uniform draw, scaled: how a range of a singer's faults becomes one singer's fault.
fn fault(range: Range<f32>, strength: f32, draw: &mut Draw) -> f32 {
    uniform(range, draw) * strength
}

/// The median; 0 of nothing.
fn median(values: impl Iterator<Item = f32>) -> f32 {
    qbh_models::median(&mut values.collect::<Vec<f32>>(), f32::total_cmp).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;
    use proptest::prelude::*;
    use qbh_models::contour::{CONTOUR_STEP, slowed_step, voiced_fraction};

    fn scale(notes: usize) -> Vec<Note> {
        let pitches = [60.0, 62.0, 64.0, 67.0, 65.0, 64.0, 72.0, 69.0];
        (0..notes).map(|i| Note { onset: i as f32 * 0.4, duration: 0.33, pitch: pitches[i % 8] }).collect()
    }

    fn any_melody() -> impl Strategy<Value = Vec<Note>> {
        prop::collection::vec((0.0f32..3.0, 0.01f32..4.0, 0.0f32..=127.0), 0..60).prop_map(|rows| {
            let mut onset = 0.0;
            let mut notes = Vec::new();
            for (rest, duration, pitch) in rows {
                onset += rest;
                notes.push(Note { onset, duration, pitch });
                onset += duration;
            }
            notes
        })
    }

    fn assert_contour(contour: &[f32]) {
        for &p in contour {
            assert!(p == 0.0 || (ranges::LOWEST..=ranges::HIGHEST).contains(&p), "pitch {p}");
        }
    }

    proptest! {
        #[test]
        fn hums_are_contours(notes in any_melody(), from in 0.0f32..60.0, length in 0.0f32..40.0,
                             tempo in 0.5f32..2.0, strength in 0.0f32..1.5, seed in any::<u64>()) {
            let contour = hum(&notes, from..from + length, tempo, strength, &mut stream(seed, 0, 0));
            assert_contour(&contour.pitch);
            assert_contour(&contour.slowed);
            prop_assert!(contour.len() <= ranges::LONGEST_HUM);
            prop_assert_eq!(contour.slowed.len(), slowed_step(contour.len()));
        }

        #[test]
        fn songs_are_contours_of_the_section(notes in any_melody(), from in 0.0f32..60.0, length in 0.0f32..40.0,
                                             noise in 0.0f32..1.0, seed in any::<u64>()) {
            let contour = song(&notes, from..from + length, noise, &mut stream(seed, 0, 0));
            assert_contour(&contour);
            prop_assert_eq!(contour.len(), (length / CONTOUR_STEP as f32).round() as usize);
        }
    }

    #[test]
    fn a_clean_song_is_the_contour_of_its_notes() {
        let contour = song(&scale(20), 0.8..4.8, 0.0, &mut stream(1, 0, 0));
        let whole = qbh_models::Contour::from_notes(&scale(20));
        assert_eq!(contour, whole.pitch[8..48]);
    }

    #[test]
    fn a_faultless_hum_is_the_melody_at_its_tempo() {
        let notes = scale(40);
        let melody = [60.0, 62.0, 64.0, 65.0, 67.0, 69.0, 72.0];
        // The singer's key is free: the share of steps on notes of the melody, in the best key.
        let on_melody = |contour: &[f32]| {
            let voiced: Vec<f32> = contour.iter().copied().filter(|&p| p > 0.0).collect();
            let share = |key: f32| {
                let on = voiced.iter().filter(|&&p| melody.iter().any(|m| (p - m - key).abs() < 0.3)).count();
                on as f32 / voiced.len() as f32
            };
            (-180..=180).map(|k| share(k as f32 * 0.05)).fold(0.0, f32::max)
        };
        let contours: Vec<_> = (0..20).map(|i| hum(&notes, 0.0..16.0, 1.0, 0.0, &mut stream(3, 0, i)).pitch).collect();
        for contour in &contours {
            assert!((150..=160).contains(&contour.len()), "{} steps", contour.len());
        }
        let mean = contours.iter().map(|c| on_melody(c)).sum::<f32>() / 20.0;
        assert!(mean > 0.8, "{mean}");
    }

    #[test]
    fn a_fast_hum_keeps_its_notes_slowed_down() {
        // Notes of 80 ms on alternating pitches: steps of 100 ms lose more of them than steps of 67 ms, glides and gaps apart.
        let notes: Vec<Note> =
            (0..60).map(|i| Note { onset: i as f32 * 0.12, duration: 0.12, pitch: 60.0 + 7.0 * (i % 2) as f32 }).collect();
        let turns = |line: &[f32]| {
            let voiced: Vec<f32> = line.iter().copied().filter(|&p| p > 0.0).collect();
            voiced.windows(2).filter(|two| (two[0] - two[1]).abs() > 3.0).count()
        };
        let hums = (0..20).map(|item| hum(&notes, 0.0..7.2, 1.5, 0.0, &mut stream(9, 0, item)));
        let (pitch, slowed) = hums.fold((0, 0), |(pitch, slowed), hum| (pitch + turns(&hum.pitch), slowed + turns(&hum.slowed)));
        assert!(4 * slowed > 5 * pitch, "{pitch} and {slowed} of {} turns", 20 * 59);
    }

    #[test]
    fn hums_keep_most_of_a_melody() {
        let notes = scale(60);
        let voiced: f32 =
            (0..200).map(|item| voiced_fraction(&hum(&notes, 2.0..14.0, 1.0, 1.0, &mut stream(5, 0, item)).pitch)).sum::<f32>()
                / 200.0;
        assert!((0.55..0.98).contains(&voiced), "{voiced}");
    }

    /// The simulated development hums are these: what is measured on them is compared over time.
    #[test]
    fn hums_are_those_they_have_always_been() {
        let (mut steps, mut sum, mut weighted) = (0, 0.0, 0.0);
        for item in 0..200u32 {
            let draw = &mut stream(17, 3, item);
            let (tempo, strength) = (draw.range(0.6, 1.6), draw.range(0.0, 1.2));
            let contour = hum(&scale(60), 2.0..14.0, tempo, strength, draw);
            steps += contour.len();
            for (i, &pitch) in contour.pitch.iter().chain(&contour.slowed).enumerate() {
                sum += f64::from(pitch);
                weighted += f64::from(pitch) * (i % 97) as f64;
            }
        }
        let golden = [24283.0, 3_458_943.766_880_035_4, 157_428_145.040_374_76];
        let apart = |(value, golden): (f64, f64)| (value - golden).abs() / golden;
        // What the last digits of `exp` and `sin` do elsewhere is less than the tolerance, and one other draw is more.
        let all = [f64::from(steps as u32), sum, weighted];
        assert!(all.into_iter().zip(golden).map(apart).all(|apart| apart < 1e-6), "{all:?} for {golden:?}");
    }

    #[test]
    fn hums_to_learn_from_are_of_singers_and_of_others() {
        let notes = scale(60);
        let draw = |item| anybody(&notes, 2.0..14.0, 1.0, &mut stream(5, 1, item));
        assert_eq!(draw(3), draw(3));
        let plain = |item| {
            let draw = &mut stream(5, 1, item);
            let strength = uniform(ranges::STRENGTH, draw);
            draw.chance(SINGERS);
            hum(&notes, 2.0..14.0, 1.0, strength, draw)
        };
        let same = (0..200).filter(|&item| draw(item) == plain(item)).count();
        assert!((70..130).contains(&same), "{same} of 200 hums are not a singer's");
    }

    #[test]
    fn every_step_and_item_draws_its_own_hum() {
        let notes = scale(60);
        let draw = |seed, step, item| hum(&notes, 2.0..14.0, 1.0, 1.0, &mut stream(seed, step, item));
        assert_eq!(draw(1, 2, 3), draw(1, 2, 3));
        let mut seen = Vec::new();
        for key in [(1, 2, 3), (1, 2, 4), (1, 3, 3), (2, 2, 3), (1, 0, 0), (1, 1, 0)] {
            seen.push(draw(key.0, key.1, key.2));
        }
        for i in 0..seen.len() {
            for j in 0..i {
                assert_ne!(seen[i], seen[j]);
            }
        }
    }
}
