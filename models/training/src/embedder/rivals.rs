//! Hard negatives: places of different tunes that an embedder hardly tells apart.

use tch::{Device, Tensor};

use super::tunes::Tune;
use qbh_models::embedder::Embedder;
use qbh_models::{EMBEDDING_DIM, Embedding, ModelError};
use qbh_synthesis::hum::song;
use qbh_synthesis::random::stream;

/// Seconds of the windows that are compared.
pub(super) const SECONDS: f32 = 8.0;
/// Windows of each melody.
const PLACES: usize = 4;
/// Notes that a window must hold.
const FEWEST_NOTES: usize = 6;
/// Rivals kept of each window.
const RIVALS: usize = 12;
/// Windows more alike than this are of one tune, whatever their groups say.
const SAME: f32 = 0.97;
/// Seed of the choice of windows.
const SEED: u64 = 0x7269_7661_6c73;
/// Windows compared at a time.
const CHUNK: i64 = 512;

/// A place in a melody, in seconds of the melody's own time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// Which melody.
    pub melody: usize,
    /// Where the window begins.
    pub from: f32,
}

/// Places, and for each the places of other tunes that are nearest to it.
#[derive(Debug, Clone, Default)]
pub struct Rivals {
    places: Vec<Place>,
    nearest: Vec<Vec<u32>>,
}

impl Rivals {
    /// Compares windows of all melodies with one another by `embedder`, on `device`.
    pub fn mine(melodies: &[Tune], embedder: &dyn Embedder, device: Device) -> Result<Self, ModelError> {
        let (mut places, mut contours) = (Vec::new(), Vec::new());
        for (melody, tune) in melodies.iter().enumerate() {
            let (found, windows) = windows(melody, tune);
            contours.extend(windows);
            places.extend(found);
        }
        let vectors = embedder.embed(&contours.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        let groups: Vec<i64> = places.iter().map(|p: &Place| melodies[p.melody].group).collect();
        let nearest = nearest(&vectors, &groups, device)?;
        Ok(Rivals { places, nearest })
    }

    /// The places; there may be none.
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The places of other tunes nearest to place `index`, nearest first; at most a dozen.
    pub(super) fn of(&self, index: usize) -> impl ExactSizeIterator<Item = Place> {
        self.nearest[index].iter().map(|&i| self.places[i as usize])
    }
}

/// Up to [`PLACES`] windows of a melody, as its score has them.
fn windows(melody: usize, tune: &Tune) -> (Vec<Place>, Vec<Vec<f32>>) {
    let mut draw = stream(SEED, 0, melody as u32);
    let latest = (tune.duration() - SECONDS).max(0.0);
    let places = (0..PLACES).map(|_| Place { melody, from: draw.range(0.0, latest) });
    let held = |p: &Place| {
        let first = tune.notes.partition_point(|n| n.onset < p.from);
        tune.notes[first..].iter().take_while(|n| n.onset < p.from + SECONDS).count() >= FEWEST_NOTES
    };
    let places: Vec<Place> = places.filter(held).collect();
    let contour = |p: &Place| song(&tune.notes, p.from..p.from + SECONDS, 0.0, &mut stream(SEED, 1, 0));
    let windows = places.iter().map(contour).collect();
    (places, windows)
}

fn nearest(vectors: &[Embedding], groups: &[i64], device: Device) -> Result<Vec<Vec<u32>>, ModelError> {
    let _guard = tch::no_grad_guard();
    if vectors.is_empty() {
        return Ok(Vec::new());
    }
    let count = vectors.len() as i64;
    let all = Tensor::f_from_slice(vectors.as_flattened())?.f_view([count, EMBEDDING_DIM as i64])?.f_to_device(device)?;
    let turned = all.transpose(0, 1).contiguous();
    let owner = Tensor::f_from_slice(groups)?.f_to_device(device)?;
    let kept = count.min(RIVALS as i64);
    let mut rivals = Vec::with_capacity(vectors.len());
    for begin in (0..count).step_by(CHUNK as usize) {
        let length = CHUNK.min(count - begin);
        let scores = all.narrow(0, begin, length).f_matmul(&turned)?;
        let own = owner.narrow(0, begin, length).unsqueeze(1).eq_tensor(&owner.unsqueeze(0));
        let barred = own.logical_or(&scores.gt(f64::from(SAME)));
        let (best, index) = scores.masked_fill(&barred, -2.0).topk(kept, 1, true, true);
        let best = Vec::<Vec<f32>>::try_from(best.f_to_device(Device::Cpu)?)?;
        let index = Vec::<Vec<i64>>::try_from(index.f_to_device(Device::Cpu)?)?;
        for (best, index) in best.iter().zip(&index) {
            rivals.push(best.iter().zip(index).filter(|(s, _)| **s > -1.5).map(|(_, &i)| i as u32).collect());
        }
    }
    Ok(rivals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::Note;
    use qbh_models::embedder::{DEFAULT_EMBEDDER, open};

    #[test]
    fn rivals_are_alike_and_of_other_tunes() {
        let embedder = open(DEFAULT_EMBEDDER, qbh_models::Device::Cpu).unwrap();
        // Tunes 0 and 1 differ by every fifth note; 2 is another tune; 3 is 0 again, under the same group.
        let tune = |group, step: i32, change: f32| Tune {
            group,
            free_tempo: false,
            heard: None,
            notes: (0..21)
                .map(|i| Note {
                    onset: i as f32 * 0.4,
                    duration: 0.4,
                    pitch: 60.0 + ((i * i + step * i) % 12) as f32 + if i % 5 == 0 { change } else { 0.0 },
                })
                .collect(),
        };
        let melodies = [tune(1, 3, 0.0), tune(2, 3, 2.0), tune(3, 8, 1.0), tune(1, 3, 0.0)];
        let rivals = Rivals::mine(&melodies, embedder.as_ref(), Device::Cpu).unwrap();
        assert_eq!(rivals.places().len(), 16);
        for (i, place) in rivals.places().iter().enumerate() {
            let near: Vec<usize> = rivals.of(i).map(|p| p.melody).collect();
            let group = melodies[place.melody].group;
            assert!(!near.is_empty() && near.iter().all(|&m| melodies[m].group != group));
            if place.melody == 1 {
                assert!(near[0] == 0 || near[0] == 3, "{near:?}");
            }
        }
    }
}
