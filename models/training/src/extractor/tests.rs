use std::path::Path;

use tch::Device;

use super::*;
use crate::adamw::AdamW;
use crate::settings::Resume;
use qbh_models::PitchTrack;
use qbh_models::extractor;
use qbh_models::extractor::harmonic::Size;
use qbh_synthesis::random::Draw;

/// Harmonic tones with pauses, at pitches that the seed decides.
fn tones(seed: u64, seconds: f32) -> Example {
    let mut draw = Draw::new(seed);
    let samples = (seconds * 16_000.0) as usize;
    let mut example = Example { mix: vec![0.0; samples], ..Example::default() };
    let mut f0 = vec![0.0; samples.div_ceil(160)];
    let mut start = 0;
    while start < samples {
        let end = (start + draw.index(12_000) + 4_000).min(samples);
        let hz = draw.log_range(150.0, 600.0);
        if draw.chance(0.75) {
            for n in start..end {
                let t = n as f32 / 16_000.0;
                example.mix[n] = (1..6).map(|k| (std::f32::consts::TAU * hz * k as f32 * t).sin() * 0.2 / k as f32).sum();
            }
            f0[start.div_ceil(160)..end.div_ceil(160)].fill(hz);
        }
        start = end;
    }
    example.voice = example.mix.clone();
    example.pitch = PitchTrack::from_f0(f0);
    example
}

fn architecture(name: &str) -> &'static Architecture {
    extractor::architecture(name).unwrap()
}

fn settings(steps: u64, out: &Path) -> Settings {
    Settings { resume: Resume::Never, ..Settings::for_test(out, steps, 2) }
}

/// Some steps on one batch lower the loss, and find far more of the pitches than one guess per frame would by chance (within
/// half a semitone).
fn learns(name: &str, steps: u64, chance: f64, from: Option<String>) {
    let dir = tempfile::tempdir().unwrap();
    tch::manual_seed(1);
    let settings = Settings { from, ..settings(steps, dir.path()) };
    let student = students::enroller(name).unwrap()(&settings, &tones).unwrap();
    let listener = student.listener();
    let batch = [crops::make_crop(&tones, &*listener, &mut Draw::new(3)).unwrap()];
    let mut optimiser = AdamW::new(student.variables(), student.optimiser());
    let mut curve = Vec::new();
    for _ in 0..=steps {
        let (loss, scores) = student.loss(&batch);
        curve.push((scores.pitch_loss + scores.voicing_loss, scores.pitch_accuracy));
        optimiser.zero_grad();
        loss.backward();
        optimiser.clip_gradients(5.0);
        optimiser.step(1e-3);
    }
    let ((before, _), (after, accuracy)) = (curve[0], curve[steps as usize]);
    assert!(after < 0.9 * before && accuracy > 3.0 * chance, "{name}: {curve:?}");
}

#[test]
fn harmonic_learns() {
    learns("harmonic-s", 12, 3.0 / 181.0, None);
}

#[test]
fn ssl_learns() {
    learns("ssl", 8, 9.0 / 441.0, None);
}

#[test]
fn jdc_learns() {
    learns("jdc", 8, 17.0 / 721.0, None);
}

#[test]
fn multidnn_learns() {
    learns("multidnn", 8, 9.0 / 540.0, None);
}

#[test]
fn ah1_learns() {
    learns("ah1", 8, 1.0 / 48.0, None);
}

#[test]
fn the_lstms_of_multidnn_learn_on_layers_that_stay() {
    let dir = tempfile::tempdir().unwrap();
    let train = |settings: &Settings, name| train(settings, architecture(name), &tones, &mut |_| ());
    let first = settings(1, dir.path());
    assert!(train(&first, "multidnn-rnn").unwrap_err().to_string().contains("two stages"));
    let stage_one = train(&first, "multidnn").unwrap().to_str().unwrap().to_string();
    let rnn = Settings { from: Some(stage_one.clone()), name: "rnn".into(), ..settings(2, dir.path()) };
    let stage_two = train(&rnn, "multidnn-rnn").unwrap();
    let open = |path: &str| Weights::open(path, &[]).unwrap();
    let (one, two) = (open(&stage_one), open(stage_two.to_str().unwrap()));
    assert_eq!(one.tensor("dnn.1.weight").unwrap(), two.tensor("dnn.1.weight").unwrap());
    learns("multidnn-rnn", 8, 9.0 / 540.0, Some(stage_one));
}

#[test]
fn what_was_trained_can_be_opened_and_a_resume_changes_nothing() {
    crate::run_alone("extractor::tests::open_and_resume_alone");
}

#[test]
#[ignore = "run in a process of its own by the test above"]
fn open_and_resume_alone() {
    let dir = tempfile::tempdir().unwrap();
    let run = |settings: &Settings, stop: u64| {
        // Stops by panicking out of the report, as a kill would: whatever was saved by then is what is left.
        let outcome = std::panic::catch_unwind(|| {
            let report = &mut |report: &TrainingReport| assert!(report.progress.step != stop, "killed");
            train(settings, architecture("harmonic-s"), &tones, report).unwrap()
        });
        outcome.ok()
    };
    let straight = run(&settings(4, &dir.path().join("straight")), u64::MAX).unwrap();
    let halfway = Settings { checkpoint_seconds: 0.0, ..settings(4, &dir.path().join("halfway")) };
    assert_eq!(run(&halfway, 2), None);
    let resumed = run(&Settings { resume: Resume::Required, ..halfway }, u64::MAX).unwrap();
    let read = |path: &Path| {
        let mut vs = tch::nn::VarStore::new(Device::Cpu);
        let _net = extractor::harmonic::HarmonicNet::new(&vs.root(), Size::S);
        Weights::open(path.to_str().unwrap(), &[]).unwrap().fill(&mut vs).unwrap();
        vs.variables()
    };
    let (straight, again) = (read(&straight), read(&resumed));
    assert!(straight.iter().all(|(name, tensor)| *tensor == again[name]));

    let opened = extractor::open(resumed.to_str().unwrap(), Device::Cpu.into()).unwrap();
    assert_eq!(opened.info().metadata["size"], "s");
    assert_eq!(opened.info().metadata["steps"], "4");
    assert_eq!(opened.extract(&tones(1, 1.0).mix).unwrap().len(), 100);
}

#[test]
fn a_resume_without_a_checkpoint_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { resume: Resume::Required, ..settings(1, dir.path()) };
    let refusal = train(&settings, architecture("harmonic-s"), &tones, &mut |_| ()).unwrap_err().to_string();
    assert!(refusal.contains("checkpoint.safetensors"), "{refusal}");
}
