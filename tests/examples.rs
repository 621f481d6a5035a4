//! The programs of examples/, run on made-up music: what they show works.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

#[path = "../examples/index_folder.rs"]
mod index_folder;
#[path = "../examples/query_samples.rs"]
mod query_samples;
#[path = "../examples/score_extractor.rs"]
mod score_extractor;

use util::{Dir, hum, melody, midi, pitch_text, wav};

#[test]
fn a_folder_is_indexed_and_a_hum_found_in_it() {
    let dir = Dir::new();
    for seed in 1..=8 {
        dir.add(&format!("song{seed}.mid"), midi(&melody(seed, 80)));
    }
    dir.add("broken.mid", b"MThd and no more");
    let report = index_folder::index_folder(&dir.library(), &dir.index()).unwrap();
    assert_eq!((report.songs, report.failed.len()), (8, 1));
    let again = index_folder::index_folder(&dir.library(), &dir.index()).unwrap();
    assert_eq!((again.songs, again.unchanged), (0, 8));

    let samples = hum(&melody(5, 80)[..24], 3.0, 1.1);
    let found = query_samples::find(&dir.index(), &samples, qbh_synthesis::SAMPLE_RATE as u32).unwrap();
    assert!(found[0].0.key.ends_with("song5.mid"), "{found:?}");
    assert!(found.len() == 3 && found[0].1 > found[1].1, "{found:?}");
    let silence = query_samples::find(&dir.index(), &[0.0; 80_000], 16_000);
    assert!(silence.unwrap_err().to_string().contains("silent"));
}

#[test]
fn an_extractor_is_scored() {
    let dir = Dir::new();
    let notes = melody(3, 24);
    dir.add("a.wav", wav(&hum(&notes, 0.0, 1.0), qbh_synthesis::SAMPLE_RATE as u32, 1));
    dir.add("a.txt", pitch_text(&notes, 0.0, 1.0));
    let right = score_extractor::score(&dir.library(), "harmonic-s").unwrap();
    assert!(right.mean > 0.7, "{right:?}");
    // Against a melody that was not sung, the score is bad.
    dir.add("a.txt", pitch_text(&notes, 1.0, 1.0));
    assert!(score_extractor::score(&dir.library(), "harmonic-s").unwrap().mean < 0.4);
    std::fs::remove_file(dir.library().join("a.txt")).unwrap();
    assert!(score_extractor::score(&dir.library(), "harmonic-s").unwrap_err().to_string().contains("no recording"));
}
