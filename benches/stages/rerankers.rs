//! Hums beside passages of songs.

use std::hint::black_box;

use qbh_models::Device;
use qbh_models::reranker::{DEFAULT_RERANKER, Pair, Reranker};

use crate::material::Material;
use crate::measure::{median, row, section};

/// Passages beside a hum; of a search there are up to 240.
const PASSAGES: usize = 160;

/// The passages of one search, together and apart.
pub fn compare(material: &Material) {
    section(&format!("Reranker: a hum beside {PASSAGES} passages"), "one passage after the other");
    let hum = &material.hums[0].pitch;
    let path: Vec<(u32, u32)> = (0..hum.len() as u32 / 2).map(|i| (2 * i, 2 * i + 10)).collect();
    let songs = material.songs.iter().filter(|song| song.len() > hum.len() + 20).cycle().take(PASSAGES);
    let pairs: Vec<Pair> = songs.filter_map(|song| Pair::new(hum, song, &path, 0.0)).collect();
    let reranker = Reranker::open(DEFAULT_RERANKER, Device::Cpu).expect("the reranker opens");
    let apart = median(|| {
        for pair in &pairs {
            black_box(reranker.score(std::slice::from_ref(pair)).expect("pairs are scored"));
        }
    });
    let together = median(|| drop(black_box(reranker.score(&pairs).expect("pairs are scored"))));
    row("one by one", 1e3 * apart, "ms", 1.0);
    row("together, on all cores", 1e3 * together, "ms", apart / together);
}
