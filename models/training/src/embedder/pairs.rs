//! Draws pairs anew for every step: hums simulated of tunes, and real ones.

use std::collections::HashMap;
use std::ops::Range;

use super::pair::{HUM_SECONDS, HumPair, LEAST_VOICED, MISALIGNMENT, cut};
use super::real_hum::RealHum;
use super::rivals::{self, Place, Rivals};
use super::tunes::Tune;
use super::versions::counterpart;
use qbh_models::contour::{CONTOUR_STEP, voiced_fraction};
use qbh_models::embedder::Architecture;
use qbh_synthesis::hum::{self, ranges};
use qbh_synthesis::random::{Draw, stream};

/// Notes that the hummed section must at least have.
const FEWEST_NOTES: usize = 5;
/// Attempts at one melody before another is drawn.
const ATTEMPTS: usize = 8;
/// Melodies tried before giving up.
const MELODIES: usize = 1000;
/// Chance to take the song window from another version of the tune, where there is one.
const VERSION: f32 = 0.5;
/// Share of the pairs that are real hums, where there are both these and melodies: files of pairs hold few tunes.
const HUMMED: f32 = 0.25;
/// Of the pairs of a batch, the share that comes in clusters of rivals, when these are known.
const CLUSTERED: f32 = 0.5;
/// Sets the streams of clusters apart from those of pairs.
const CLUSTERS: u64 = 0x636c_7573_7465_7273;
/// Pairs of a cluster: one anywhere, and the places of other tunes that are most like it.
const CLUSTER: usize = 4;
/// Seconds of the song windows of clusters: rivals are alike over [`rivals::SECONDS`].
const CLUSTER_SECONDS: Range<f32> = 5.0..14.0;

/// Draws pairs from a set of melodies, long ones more often (square root of their notes).
pub(super) struct PairSource<'a> {
    melodies: &'a [Tune],
    cumulative: Vec<f32>,
    seconds: Range<f32>,
    versions: HashMap<i64, Vec<usize>>,
    rivals: Rivals,
    real: &'a [RealHum],
}

impl<'a> PairSource<'a> {
    /// For the windows of an architecture.
    pub(super) fn new(melodies: &'a [Tune], architecture: Architecture) -> Self {
        let mut sum = 0.0;
        let cumulative = melodies
            .iter()
            .map(|m| {
                sum += (m.notes.len().min(200) as f32).sqrt();
                sum
            })
            .collect();
        let seconds = match architecture {
            Architecture::Contextual => 4.0..20.5,
            Architecture::Reference => 19.9..20.1,
        };
        let mut versions: HashMap<i64, Vec<usize>> = HashMap::new();
        for (index, melody) in melodies.iter().enumerate() {
            versions.entry(melody.group).or_default().push(index);
        }
        PairSource { melodies, cumulative, seconds, versions, rivals: Rivals::default(), real: &[] }
    }

    /// From now on a quarter of the pairs are real hums; all of them where there is no melody.
    pub(super) fn set_real_hums(&mut self, real: &'a [RealHum]) {
        self.real = real;
    }

    /// From now on half of the pairs come in clusters of `rivals` (of the same melodies).
    pub(super) fn set_rivals(&mut self, rivals: Rivals) {
        self.rivals = rivals;
    }

    /// One pair; `None` when the melodies are too short or sparse to give any.
    pub(super) fn draw(&self, draw: &mut Draw) -> Option<HumPair> {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        for _ in 0..MELODIES {
            if !self.real.is_empty() && (self.melodies.is_empty() || draw.chance(HUMMED)) {
                match self.real[draw.index(self.real.len())].draw(draw) {
                    Some(pair) => return Some(pair),
                    None => continue,
                }
            }
            if self.melodies.is_empty() {
                return None;
            }
            let ticket = draw.range(0.0, total);
            let index = self.cumulative.partition_point(|&c| c <= ticket).min(self.melodies.len() - 1);
            if let Some(pair) = self.draw_of(index, None, draw) {
                return Some(pair);
            }
        }
        None
    }

    /// One pair of this melody (at this place), if a few attempts find enough notes.
    fn draw_of(&self, index: usize, place: Option<f32>, draw: &mut Draw) -> Option<HumPair> {
        let melody = &self.melodies[index];
        // Given tempi are varied a little, free ones by a third, those of recordings not at all.
        let spread = match &melody.heard {
            Some(_) => 0.0,
            None if melody.free_tempo => 0.35f32,
            None => 0.15,
        };
        let scale = draw.range(-spread, spread).exp();
        let duration = melody.duration() * scale;
        for _ in 0..ATTEMPTS {
            let seconds = if place.is_some() { &CLUSTER_SECONDS } else { &self.seconds };
            let length = log_uniform(seconds, draw).min(duration);
            let latest = (duration - length).max(0.0);
            let from = match place {
                // Around the middle of the place.
                Some(at) => ((at + 0.5 * rivals::SECONDS) * scale - length * draw.range(0.4, 0.6)).clamp(0.0, latest),
                None => draw.range(0.0, latest),
            };
            let hum_from = from + length * draw.range(-MISALIGNMENT, MISALIGNMENT);
            let hum_to = from + length + length * draw.range(-MISALIGNMENT, MISALIGNMENT);
            let hummed = hum_from.max(0.0)..hum_to.min(duration);
            let tempo = log_uniform(&ranges::TEMPO, draw);
            if !HUM_SECONDS.contains(&((hummed.end - hummed.start) / tempo)) {
                continue;
            }
            let notes = stretch(melody, scale, hummed.clone());
            if notes.iter().filter(|n| n.onset >= hummed.start).count() < FEWEST_NOTES {
                continue;
            }
            let hum = hum::anybody(&notes, hummed, tempo, draw).pitch;
            let song = self.song(index, scale, from..from + length, draw);
            let long_enough = hum.len() as f32 * CONTOUR_STEP as f32 >= HUM_SECONDS.start;
            if long_enough && voiced_fraction(&hum) > LEAST_VOICED && voiced_fraction(&song) > LEAST_VOICED {
                return Some(HumPair { hum, song, group: melody.group });
            }
        }
        None
    }

    /// The song window at `section` (scaled seconds) of a melody, or the same passage of another version of the tune.
    fn song(&self, index: usize, scale: f32, section: Range<f32>, draw: &mut Draw) -> Vec<f32> {
        let melody = &self.melodies[index];
        let versions = &self.versions[&melody.group];
        let mut own = (melody, scale, section);
        if versions.len() > 1 && draw.chance(VERSION) {
            let other = &self.melodies[draw.pick(versions)];
            let unscaled = own.2.start / scale..own.2.end / scale;
            let found = counterpart(&melody.notes, &unscaled, &other.notes);
            if let Some(found) = found.filter(|f| f.end <= other.duration() + 1.0) {
                // As long as a window is, at whatever tempo the other version has.
                let scale = scale * (unscaled.end - unscaled.start) / (found.end - found.start);
                own = (other, scale, found.start * scale..found.end * scale);
            }
        }
        let (melody, scale, section) = own;
        if let Some(heard) = &melody.heard {
            return cut(heard, section.start, section.end).to_vec();
        }
        let notes = stretch(melody, scale, section.clone());
        let noise = if draw.chance(ranges::CLEAN_SONGS) { 0.0 } else { draw.range(ranges::NOISE.start, ranges::NOISE.end) };
        hum::song(&notes, section, noise, draw)
    }

    /// Pair `item` of step `step`, from a random stream of its own. Pairs of one cluster choose the same first place.
    pub(super) fn draw_item(&self, pairs: usize, seed: u64, step: u64, item: usize) -> Option<HumPair> {
        let draw = &mut stream(seed, step, item as u32);
        let places = self.rivals.places();
        if !places.is_empty() && item < (CLUSTERED * pairs as f32) as usize {
            let common = &mut stream(seed ^ CLUSTERS, step, (item / CLUSTER) as u32);
            let centre = common.index(places.len());
            let place = match item % CLUSTER {
                0 => Some(places[centre]),
                _ => choose(self.rivals.of(centre), draw),
            };
            if let Some(pair) = place.and_then(|p| self.draw_of(p.melody, Some(p.from), draw)) {
                return Some(pair);
            }
        }
        self.draw(draw)
    }
}

/// One of the places, if there are any.
fn choose(mut places: impl ExactSizeIterator<Item = Place>, draw: &mut Draw) -> Option<Place> {
    let count = places.len();
    if count == 0 { None } else { places.nth(draw.index(count)) }
}

/// The notes of a melody that sound within `section` (seconds after scaling), with times scaled.
fn stretch(melody: &Tune, scale: f32, section: Range<f32>) -> Vec<qbh_models::Note> {
    let first = melody.notes.partition_point(|n| n.offset() * scale <= section.start);
    melody.notes[first..]
        .iter()
        .take_while(|n| n.onset * scale < section.end)
        .map(|n| qbh_models::Note { onset: n.onset * scale, duration: n.duration * scale, pitch: n.pitch })
        .collect()
}

fn log_uniform(range: &Range<f32>, draw: &mut Draw) -> f32 {
    draw.log_range(range.start, range.end)
}

#[cfg(test)]
mod tests {
    use super::super::tests::tunes;
    use super::*;
    use qbh_models::Note;

    #[test]
    fn pairs_have_the_lengths_that_queries_have() {
        let melodies = tunes();
        for (architecture, songs) in [(Architecture::Contextual, 40..=205), (Architecture::Reference, 199..=201)] {
            let source = PairSource::new(&melodies, architecture);
            for item in 0..300 {
                let pair = source.draw(&mut stream(3, 0, item)).unwrap();
                assert!(songs.contains(&pair.song.len()), "{}", pair.song.len());
                assert!((25..=ranges::LONGEST_HUM).contains(&pair.hum.len()), "{}", pair.hum.len());
            }
        }
    }

    #[test]
    fn melodies_without_enough_notes_give_nothing() {
        let short =
            [Tune { group: 1, free_tempo: false, heard: None, notes: vec![Note { onset: 0.0, duration: 1.0, pitch: 60.0 }] }];
        assert_eq!(PairSource::new(&short, Architecture::Contextual).draw(&mut stream(1, 0, 0)), None);
        assert_eq!(PairSource::new(&[], Architecture::Contextual).draw(&mut stream(1, 0, 0)), None);
    }
}
