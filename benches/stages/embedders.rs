//! From windows to vectors.

use std::hint::black_box;

use qbh_models::Device;
use qbh_models::embedder::{self, DEFAULT_EMBEDDER, Embedder};

use crate::material::Material;
use crate::measure::{median, row, section};

/// Windows embedded at once.
const WINDOWS: usize = 256;

/// The shipped embedder at two lengths of window, beside the published encoder.
pub fn compare(material: &Material) {
    section("Embedders", "reference, the published encoder, on windows of 20 s");
    let speed = |embedder: &dyn Embedder, steps: usize| {
        let windows: Vec<&[f32]> = material.songs.iter().flat_map(|song| song.windows(steps).step_by(5)).take(WINDOWS).collect();
        windows.len() as f64 / median(|| drop(black_box(embedder.embed(&windows))))
    };
    let base = speed(&*embedder::untrained(embedder::Architecture::Reference), 200);
    row("reference", base, "windows/s", 1.0);
    let shipped = embedder::open(DEFAULT_EMBEDDER, Device::Cpu).expect("the default embedder opens");
    for steps in [50, 200] {
        let own = speed(shipped.as_ref(), steps);
        row(&format!("{DEFAULT_EMBEDDER}, windows of {} s", steps / 10), own, "windows/s", own / base);
    }
}
