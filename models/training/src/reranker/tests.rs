use std::path::Path;

use qbh_models::Device;

use super::drawn::varied;
use super::*;
use qbh_models::reranker::Reranker;
use qbh_synthesis::random::Draw;

/// Hums of random notes beside the passage they are of, and beside others.
fn cases(seed: u64, count: usize) -> Vec<Case> {
    let tune = |draw: &mut Draw| -> Vec<f32> {
        (0..20).flat_map(|_| vec![60.0 + draw.integer(-6, 6) as f32; draw.integer(2, 5) as usize]).collect()
    };
    let case = |i| {
        let draw = &mut Draw::stream(seed, i as u64);
        let hum = tune(draw);
        let mut pairs = Vec::new();
        for other in 0..6 {
            let mut song = if other == 0 { hum.clone() } else { tune(draw) };
            song.iter_mut().for_each(|p| *p += 0.3 * draw.normal());
            let path: Vec<(u32, u32)> = (0..hum.len().min(song.len()) as u32).map(|i| (i, i)).collect();
            pairs.extend(Pair::new(&hum, &song, &path, 0.0).map(|pair| vec![pair; 1 + other % 2]));
        }
        Case { right: (0..pairs.len()).map(|i| i == 0).collect(), scores: vec![0.0; pairs.len()], pairs }
    };
    (0..count).map(case).collect()
}

fn settings(out: &Path, steps: u64) -> Settings {
    Settings::for_test(out, steps, BATCH)
}

#[test]
fn a_trained_reranker_opens_and_knows_tunes_it_has_not_seen() {
    let dir = tempfile::tempdir().unwrap();
    let mut alone = None;
    let keep = &mut |report: &TrainingReport| alone = report.score("network");
    let model = train(&settings(dir.path(), 60), &cases(1, 60), &cases(2, 40), keep).unwrap();
    assert!(alone.is_some_and(|alone| alone > 0.5), "one of six is chance: {alone:?}");
    let reranker = Reranker::open(model.to_str().unwrap(), Device::Cpu).unwrap();
    let case = &cases(5, 1)[0];
    let scores = reranker.score(&case.pairs.concat()).unwrap();
    assert!(scores.len() == 9 && scores.iter().all(|s| s.is_finite()));
    assert_eq!(reranker.info().metadata["data"], "tests");
}

#[test]
fn a_training_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let (cases, mut steps) = (cases(1, 10), Vec::new());
    for budget in [3, 3, 5] {
        train(&settings(dir.path(), budget), &cases, &[], &mut |report| steps.push(report.progress.step)).unwrap();
    }
    assert_eq!(steps, [3, 3, 5]);
    let refusal = |settings: &Settings| train(settings, &cases, &[], &mut |_| {}).unwrap_err().to_string();
    assert!(refusal(&Settings { seed: 6, ..settings(dir.path(), 6) }).contains("other settings"));
    let from = Some(qbh_models::reranker::DEFAULT_RERANKER.into());
    assert!(refusal(&Settings { from, ..settings(dir.path(), 6) }).contains("other settings"));
}

#[test]
fn pairs_of_a_hum_are_varied_alike() {
    let case = &cases(4, 1)[0];
    let pairs: Vec<&Pair> = case.pairs.iter().flatten().collect();
    for seed in 0..20 {
        let varied = varied(&pairs, &mut Draw::new(seed));
        assert!(varied.windows(2).all(|two| two[0].clone().hum_mut() == two[1].clone().hum_mut()), "seed {seed}");
    }
}

#[test]
fn nothing_to_learn_from_is_told() {
    let dir = tempfile::tempdir().unwrap();
    assert!(train(&settings(dir.path(), 1), &[], &[], &mut |_| {}).unwrap_err().to_string().contains("nothing to learn"));
}
