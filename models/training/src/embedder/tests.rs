use super::*;
use qbh_models::embedder::PROJECTION;
use qbh_models::nn::weights::Weights;
use qbh_models::{EMBEDDING_DIM, Note};
use std::collections::BTreeMap;
use std::path::Path;
use tch::Device;
use tch::nn::VarStore;

pub(super) fn tunes() -> Vec<Tune> {
    (0..20)
        .map(|m| Tune {
            group: m,
            free_tempo: m % 2 == 0,
            heard: None,
            notes: (0..120)
                .map(|i| Note { onset: i as f32 * 0.3, duration: 0.3, pitch: 60.0 + ((i * (m + 3) + i * i * m) % 11) as f32 })
                .collect(),
        })
        .collect()
}

fn settings(out: &Path, steps: u64) -> Settings {
    Settings { f32: true, ..Settings::for_test(out, steps, 8) }
}

fn kind(architecture: Architecture) -> EmbedderSettings {
    EmbedderSettings { architecture, loss: Loss::InfoNce, dimension: EMBEDDING_DIM }
}

fn data<'a>(tunes: &'a [Tune], dev: &'a [Tune]) -> Data<'a> {
    Data { tunes, real_hums: &[], dev }
}

#[test]
fn trained_models_open_and_know_their_melodies() {
    let (tunes, dir) = (tunes(), tempfile::tempdir().unwrap());
    let settings = Settings { rate: Some(3e-3), ..settings(dir.path(), 60) };
    let mut reports = Vec::new();
    let model =
        train(&settings, kind(Architecture::Contextual), data(&tunes, &tunes), &mut |report| reports.push(report.clone()));
    let (model, last) = (model.unwrap(), reports.last().unwrap());
    assert_eq!(last.progress.step, 60);
    let losses: Vec<f64> = reports.iter().map(|report| report.score("loss").unwrap()).collect();
    assert!(losses[1] < losses[0], "{losses:?}");
    let recall = last.score("recall_10").unwrap();
    assert!(recall > 0.6, "recall@10 of 20 songs is {recall}");
    let embedder = qbh_models::embedder::open(model.to_str().unwrap(), Device::Cpu.into()).unwrap();
    assert_eq!(embedder.info().metadata["steps"], "60");
    assert_eq!(std::fs::read_to_string(dir.path().join("curve.csv")).unwrap().lines().count(), 3);
}

#[test]
fn without_a_step_a_model_stays_as_it_is_and_gets_a_projection() {
    let (tunes, dir) = (tunes(), tempfile::tempdir().unwrap());
    let from = Some(embedder::DEFAULT_EMBEDDER.to_string());
    let settings = Settings { from, ..settings(dir.path(), 0) };
    let kind = EmbedderSettings { dimension: 32, ..kind(Architecture::Contextual) };
    let path = train(&settings, kind, data(&tunes, &[]), &mut |_| {}).unwrap().display().to_string();
    let before = Weights::open(embedder::DEFAULT_EMBEDDER, embedder::SHIPPED).unwrap();
    let after = Weights::open(&path, &[]).unwrap();
    let vs = VarStore::new(Device::Cpu);
    let _network = Architecture::Contextual.build(&vs.root());
    for name in vs.variables().into_keys() {
        assert_eq!(before.tensor(&name).unwrap(), after.tensor(&name).unwrap(), "{name}");
    }
    for (key, value) in before.metadata.iter().filter(|(key, _)| *key != PROJECTION) {
        assert_eq!(after.metadata.get(key), Some(value));
    }
    assert!(after.metadata[PROJECTION].starts_with("the first 32 principal directions"));

    let opened = embedder::open(&path, Device::Cpu.into()).unwrap();
    assert_eq!((opened.dimension(), opened.fork().dimension()), (32, 32));
    let windows: Vec<Vec<f32>> = (0..300).map(|i| (0..80).map(|s| 60.0 + ((s / 4 * (i + 3)) % 11) as f32).collect()).collect();
    let windows: Vec<&[f32]> = windows.iter().map(Vec::as_slice).collect();
    let (whole, stored) = (opened.embed(&windows).unwrap(), opened.vectors(&windows).unwrap());
    assert_eq!(stored.len(), 300 * 32);
    assert_eq!(stored, opened.fork().vectors(&windows).unwrap());
    for (whole, stored) in whole.iter().zip(stored.chunks_exact(32)) {
        let length = stored.iter().map(|x| x * x).sum::<f32>();
        assert!(length < 1.001 && length > 0.3, "{length} of {} values", whole.len());
    }
    let kind = EmbedderSettings { dimension: 30, ..kind };
    assert!(train(&settings, kind, data(&tunes, &[]), &mut |_| {}).is_err());
}

#[test]
fn the_reference_trains_on_triplets() {
    let (tunes, dir) = (tunes(), tempfile::tempdir().unwrap());
    let kind = EmbedderSettings { loss: Loss::Triplet, ..kind(Architecture::Reference) };
    let mut loss = None;
    let keep = &mut |report: &TrainingReport| loss = report.score("loss");
    let model = train(&settings(dir.path(), 4), kind, data(&tunes, &[]), keep).unwrap();
    assert!(loss.is_some_and(|loss| loss > 0.0 && loss < 1.5), "{loss:?}");
    assert_eq!(qbh_models::embedder::open(model.to_str().unwrap(), Device::Cpu.into()).unwrap().info().architecture, "reference");
}

#[test]
fn a_resumed_training_ends_where_an_unbroken_one_does() {
    crate::run_alone("embedder::tests::resume_alone");
}

#[test]
#[ignore = "run in a process of its own by the test above"]
fn resume_alone() {
    let tunes = tunes();
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = |dir: &Path, stop: Option<u64>| {
        let settings = Settings { checkpoint_seconds: 0.0, ..settings(dir, 6) };
        // Stops by panicking out of the report, as a kill would: whatever was saved by then is what is left.
        let outcome = std::panic::catch_unwind(|| {
            let report = &mut |report: &TrainingReport| assert!(Some(report.progress.step) != stop, "killed");
            train(&settings, kind(Architecture::Contextual), data(&tunes, &[]), report).unwrap()
        });
        assert_eq!(outcome.is_err(), stop.is_some());
        std::fs::read(dir.join("checkpoint.safetensors")).unwrap()
    };
    run(broken.path(), Some(3));
    let resumed = run(broken.path(), None);
    run(whole.path(), None);
    let tensors = |bytes: &[u8]| {
        let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
        file.tensors().into_iter().map(|(k, v)| (k, v.data().to_vec())).collect::<BTreeMap<_, _>>()
    };
    let unbroken = std::fs::read(whole.path().join("checkpoint.safetensors")).unwrap();
    assert!(tensors(&resumed) == tensors(&unbroken), "the resumed training went another way");
}
