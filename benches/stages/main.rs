//! `cargo bench --bench stages`: how fast each stage is, on one thread, each as a ratio to the best alternative measured in the same run.
//!
//! What is measured is what ships (networks, vectors of 128 values), on real hums and songs where `../shared/data` holds them; without it on
//! hums and songs that are made up, which the output says. Absolute times depend on the machine; the ratios are what to watch.
#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]

mod alignment;
mod audio;
mod embedders;
mod first_stage;
mod material;
mod measure;
mod rerankers;

use material::Material;

fn main() {
    tch::set_num_threads(1);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let material = Material::load();
    println!("{}", material.description);
    one.install(|| {
        audio::front_ends(&material);
        audio::extractors(&material);
        embedders::compare(&material);
        first_stage::compare(&material);
        alignment::compare(&material);
    });
    // This one is about all cores.
    rerankers::compare(&material);
}
