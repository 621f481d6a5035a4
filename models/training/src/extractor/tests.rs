use super::*;
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

fn settings(architecture: &'static Architecture, steps: u64, out: &std::path::Path) -> Settings {
    Settings {
        architecture,
        budget: Budget { steps: Some(steps), hours: None },
        batch: 2,
        threads: 1,
        seed: 5,
        from: None,
        resume: false,
        rate: None,
        device: Device::Cpu,
        out: out.to_path_buf(),
        name: "net".into(),
        metadata: BTreeMap::new(),
    }
}

/// Some steps on one batch lower the loss, and find far more of the pitches than one guess per frame would by chance (within
/// half a semitone).
fn learns(name: &str, steps: u64, chance: f64, from: Option<String>) {
    let dir = tempfile::tempdir().unwrap();
    tch::manual_seed(1);
    let settings = Settings { from, ..settings(architecture(name), steps, dir.path()) };
    let student = students::enroller(settings.architecture.name).unwrap()(&settings, &tones).unwrap();
    let listener = student.listener();
    let batch = [crops::make_crop(&tones, &*listener, &mut Draw::new(3))];
    let mut optimiser = AdamW::new(student.variables(), student.optimiser());
    let mut curve = Vec::new();
    for _ in 0..=steps {
        let (loss, scores) = student.loss(&batch);
        curve.push((scores.pitch_loss + scores.voicing_loss, scores.pitch_accuracy));
        optimiser.zero_grad();
        loss.backward();
        optimiser.clip_gradients(CLIP);
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
    let first = settings(architecture("multidnn"), 1, dir.path());
    let refusal = train(&Settings { architecture: architecture("multidnn-rnn"), ..first.clone() }, &tones, &mut |_| ());
    assert!(refusal.unwrap_err().to_string().contains("two stages"));
    let stage_one = train(&first, &tones, &mut |_| ()).unwrap().to_str().unwrap().to_string();
    let rnn =
        Settings { from: Some(stage_one.clone()), name: "rnn".into(), ..settings(architecture("multidnn-rnn"), 2, dir.path()) };
    let stage_two = train(&rnn, &tones, &mut |_| ()).unwrap();
    let open = |path: &str| weights::Weights::open(path, &[]).unwrap();
    let (one, two) = (open(&stage_one), open(stage_two.to_str().unwrap()));
    assert_eq!(one.tensor("dnn.1.weight").unwrap(), two.tensor("dnn.1.weight").unwrap());
    learns("multidnn-rnn", 8, 9.0 / 540.0, Some(stage_one));
}

#[test]
fn what_was_trained_can_be_opened_and_a_resume_changes_nothing() {
    crate::run_alone("training::extractor::tests::open_and_resume_alone");
}

#[test]
#[ignore = "run in a process of its own by the test above"]
fn open_and_resume_alone() {
    let dir = tempfile::tempdir().unwrap();
    let architecture = architecture("harmonic-s");
    let straight = train(&settings(architecture, 4, &dir.path().join("straight")), &tones, &mut |_| ()).unwrap();

    let halfway = settings(architecture, 4, &dir.path().join("halfway"));
    train_until(&halfway, students::enroller(halfway.architecture.name).unwrap(), &tones, &mut |_| (), 2).unwrap();
    let resumed = train(&Settings { resume: true, ..halfway }, &tones, &mut |_| ()).unwrap();
    let read = |path: &Path| {
        let mut vs = tch::nn::VarStore::new(Device::Cpu);
        let _net = extractor::harmonic::HarmonicNet::new(&vs.root(), Size::S);
        weights::Weights::open(path.to_str().unwrap(), &[]).unwrap().fill(&mut vs).unwrap();
        vs.variables()
    };
    let (straight, again) = (read(&straight), read(&resumed));
    assert!(straight.iter().all(|(name, tensor)| *tensor == again[name]));

    let opened = extractor::open(resumed.to_str().unwrap(), Device::Cpu).unwrap();
    assert_eq!(opened.info().metadata["size"], "s");
    assert_eq!(opened.info().metadata["steps"], "4");
    assert_eq!(opened.extract(&tones(1, 1.0).mix).unwrap().len(), 100);
}

#[test]
fn a_resume_without_a_checkpoint_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { resume: true, ..settings(architecture("harmonic-s"), 1, dir.path()) };
    let refusal = train(&settings, &tones, &mut |_| ()).unwrap_err().to_string();
    assert!(refusal.contains("checkpoint.safetensors"), "{refusal}");
}
