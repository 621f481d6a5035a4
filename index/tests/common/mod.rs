//! Songs made of random but clustered vectors, for the tests.
#![allow(dead_code)]

use qbh_index::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub const DIMENSION: usize = 64;

pub fn fingerprint() -> Fingerprint {
    let model = |name: &str| ModelId { name: name.to_string(), fingerprint: format!("{name}-0123") };
    Fingerprint {
        extractor: model("extractor"),
        embedder: model("embedder"),
        dimension: DIMENSION as u32,
        levels: [50, 100, 200].map(|steps| Level { steps, windows_per_length: 4 }).to_vec(),
    }
}

pub fn identity(path: &str) -> FileIdentity {
    FileIdentity { path: path.to_string(), size: 1000, modified_ns: 77 }
}

/// A unit vector near one of 40 centres.
pub fn vector(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut centre = ChaCha8Rng::seed_from_u64(rng.random_range(0..40));
    let v: Vec<f32> = (0..DIMENSION).map(|_| centre.random_range(-1.0f32..1.0) + 0.4 * rng.random_range(-1.0f32..1.0)).collect();
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.iter().map(|x| x / norm).collect()
}

/// A song; everything about it follows from its key and `seed`.
pub fn song(key: &str, seed: u64) -> NewSong {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let steps = rng.random_range(30..400usize);
    let contour =
        (0..steps).map(|_| if rng.random_bool(0.3) { 0.0 } else { (rng.random_range(40.0f32..80.0) * 256.0).round() / 256.0 });
    let contour = contour.collect();
    let levels = [50usize, 100, 200]
        .into_iter()
        .filter(|&length| length <= steps)
        .map(|length| {
            let count = (steps - length) * 4 / length + 1;
            LevelWindows {
                steps: length as u16,
                positions: (0..count as u16).collect(),
                vectors: (0..count).flat_map(|_| vector(&mut rng)).collect(),
            }
        })
        .collect();
    let tags = Tags { title: Some(format!("title of {key}")), duration: Some(steps as f64 / 10.0), ..Tags::default() };
    NewSong { key: key.to_string(), tags, contour, levels }
}

/// Puts `count` files of one song each.
pub fn fill(index: &Index, count: u64) {
    for i in 0..count {
        let name = format!("song{i:04}");
        index.put_file(&identity(&name), vec![song(&name, i)]).unwrap();
    }
}

/// Three hum windows of each of some lengths.
pub fn hum(seed: u64) -> Vec<(u16, u16, Vec<f32>)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    [100u16, 40, 63, 200, 24]
        .into_iter()
        .flat_map(|steps| (0..3).map(move |position| (steps, position)))
        .map(|(steps, position)| (steps, position, vector(&mut rng)))
        .collect()
}

pub fn windows(hum: &[(u16, u16, Vec<f32>)]) -> Vec<QueryWindow<'_>> {
    hum.iter().map(|(steps, position, vector)| QueryWindow { steps: *steps, position: *position, vector }).collect()
}
