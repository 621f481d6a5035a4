//! Hums made by the project's own model of the human hum, sound and all.

use std::ops::Range;
use std::sync::Arc;

use qbh_models::Note;
use qbh_synthesis::SAMPLE_RATE;
use qbh_synthesis::hum::{ranges, record};
use qbh_synthesis::random::Draw;
use qbh_synthesis::random::stream;

/// A stretch of melody is worth humming when notes fill this share of it ...
const MIN_SUNG: f32 = 0.5;
/// ... and it has at least so many, or one a second if that is less.
const MIN_NOTES: usize = 8;
/// Stretches looked at for a hum before the song is passed by.
const ATTEMPTS: usize = 50;

/// Which hums to make.
#[derive(Debug, Clone, PartialEq)]
pub struct HumPlan {
    /// How many, going round the songs in random order.
    pub hums: usize,
    /// Equal seeds, equal hums.
    pub seed: u64,
    /// How much faster than the song; drawn uniformly in its logarithm.
    pub tempo: Range<f32>,
    /// Seconds of a hum.
    pub seconds: Range<f32>,
}

/// A hum that is made when it is asked for.
#[derive(Debug, Clone)]
pub struct SimulatedHum {
    notes: Arc<Vec<Note>>,
    section: Range<f32>,
    tempo: f32,
    strength: f32,
    seed: u64,
    item: u32,
}

impl SimulatedHum {
    /// The recording, mono, and its samples per second.
    pub fn record(&self) -> (Vec<f32>, u32) {
        let draw = &mut stream(self.seed, 1, self.item);
        (record(&self.notes, self.section.clone(), self.tempo, self.strength, draw), SAMPLE_RATE as u32)
    }
}

/// Hums of `songs` (notes in order of time, one at a time), each with the ordinal of its song. From anywhere in the song
/// where there is melody, by singers of every strength that the model of the hum knows.
pub(super) fn hums(songs: &[Arc<Vec<Note>>], plan: &HumPlan) -> Vec<(usize, SimulatedHum)> {
    let draw = &mut stream(plan.seed, 0, 0);
    let mut order: Vec<usize> = (0..songs.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, draw.index(i + 1));
    }
    let items = order.into_iter().cycle().take(if songs.is_empty() { 0 } else { plan.hums });
    let hum = |(item, song): (usize, usize)| {
        let draw = &mut stream(plan.seed, 2, item as u32);
        let tempo = draw.log_range(plan.tempo.start, plan.tempo.end);
        let seconds = draw.range(plan.seconds.start, plan.seconds.end);
        let section = section(&songs[song], tempo * seconds, MIN_NOTES.min(seconds as usize), draw)?;
        let strength = draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end);
        let hum = SimulatedHum { notes: songs[song].clone(), section, tempo, strength, seed: plan.seed, item: item as u32 };
        Some((song, hum))
    };
    items.enumerate().filter_map(hum).collect()
}

/// A random section of the song of that many seconds and at least so many notes that begins with a note; shorter where the song is.
fn section(notes: &[Note], seconds: f32, least: usize, draw: &mut Draw) -> Option<Range<f32>> {
    let end = notes.last()?.offset();
    (0..ATTEMPTS).find_map(|_| {
        let from = notes[draw.index(notes.len())].onset.min((end - seconds).max(notes[0].onset));
        let section = from..(from + seconds).min(end);
        let inside = notes.iter().filter(|n| section.contains(&n.onset));
        let (count, sung) = inside.fold((0, 0.0), |(count, sung), n| (count + 1, sung + n.duration));
        (count >= least && sung >= MIN_SUNG * (section.end - section.start)).then_some(section)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn songs() -> Vec<Arc<Vec<Note>>> {
        let song = |k: usize| {
            (0..200).map(|i| Note { onset: 0.4 * i as f32, duration: 0.3, pitch: 55.0 + (i * (k + 3) % 11) as f32 }).collect()
        };
        (0..3).map(|k| Arc::new(song(k))).collect()
    }

    #[test]
    fn hums_go_round_the_songs_and_are_as_long_as_planned() {
        let plan = HumPlan { hums: 7, seed: 1, tempo: 0.7..1.4, seconds: 8.0..16.0 };
        let made = hums(&songs(), &plan);
        let count = |song| made.iter().filter(|(of, _)| *of == song).count();
        let mut counts = [count(0), count(1), count(2)];
        counts.sort_unstable();
        assert_eq!(counts, [2, 2, 3]);
        for (_, hum) in &made {
            let seconds = (hum.section.end - hum.section.start) / hum.tempo;
            assert!((7.9..16.1).contains(&seconds), "{seconds}");
        }
        let (samples, rate) = made[0].1.record();
        assert_eq!(samples, hums(&songs(), &plan)[0].1.record().0);
        assert!((4.0..30.0).contains(&(samples.len() as f32 / rate as f32)));
    }

    #[test]
    fn short_hums_need_fewer_notes() {
        let slow: Vec<Note> =
            (0..60).map(|i| Note { onset: 0.9 * i as f32, duration: 0.8, pitch: 60.0 + (i % 5) as f32 }).collect();
        let made = |seconds| hums(&[Arc::new(slow.clone())], &HumPlan { hums: 3, seed: 1, tempo: 1.0..1.0, seconds });
        assert_eq!((made(4.0..5.0).len(), made(6.0..7.0).len()), (3, 3));
        for (_, hum) in made(4.0..5.0) {
            assert!((3.9..5.1).contains(&(hum.section.end - hum.section.start)));
        }
    }

    #[test]
    fn a_song_with_little_melody_is_not_hummed() {
        let sparse =
            Arc::new(vec![Note { onset: 0.0, duration: 1.0, pitch: 60.0 }, Note { onset: 50.0, duration: 1.0, pitch: 62.0 }]);
        assert!(hums(&[sparse], &HumPlan { hums: 3, seed: 1, tempo: 1.0..1.0, seconds: 8.0..16.0 }).is_empty());
        assert!(hums(&[], &HumPlan { hums: 3, seed: 1, tempo: 1.0..1.0, seconds: 8.0..16.0 }).is_empty());
    }
}
