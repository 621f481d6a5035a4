use super::*;
use crate::symbolic;
use proptest::prelude::*;
use qbh_models::pitch::midi_to_hz;
use std::io::Write;

const PV: PitchFormat = PitchFormat::Pv(PvFrames::MIR_QBSH);

fn f0(format: PitchFormat, text: &str) -> Vec<f32> {
    let track = parse(format, text.as_bytes()).unwrap_or_else(|e| panic!("{text:?}: {e}"));
    assert_eq!(track.f0.len(), track.voicing.len());
    track.f0
}

fn complaint(format: PitchFormat, text: &str) -> String {
    let error = parse(format, text.as_bytes()).unwrap_err();
    assert!(!error.remedy().is_empty());
    error.to_string()
}

fn written(write: fn(&PitchTrack, &mut dyn Write) -> std::io::Result<()>, track: &PitchTrack) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(track, &mut bytes).unwrap();
    bytes
}

#[test]
fn rows_in_many_dresses() {
    let expected = [0.0, 220.5, 0.0];
    for text in [
        "0.00 0.0000\n0.01 220.5\n0.02 -221.0\n",
        "# comment\r\n0\t0\r\n0.01\t220.5\r\n\r\n0.02\tnan",
        "time,f0\n0.0,0.0\n0.01,220.5\n0.02,",
        "\u{feff}\"Time (s)\",x\n0,0",
        "0,00;0,0\n0,01;220,5\n0,02;0",
        "f0,note,time\n0,a,0\n220.5,b,0.01\n0,c,0.02",
        "0 0 7\n0.01 220.5 7\n0.02 --undefined-- 7",
    ] {
        if text.contains("Time (s)") {
            assert!(complaint(PitchFormat::Rows, text).contains("line 1"));
            continue;
        }
        assert_eq!(f0(PitchFormat::Rows, text), expected, "{text:?}");
    }
}

#[test]
fn confidence_and_voicing_columns() {
    let track = parse(PitchFormat::Rows, b"time,frequency,confidence\n0.00,100,0.2\n0.01,200,0.9").unwrap();
    assert_eq!((track.f0, track.guess, track.voicing), (vec![0.0, 200.0], vec![100.0, 200.0], vec![0.2, 0.9]));
    let track = parse(PitchFormat::Rows, b"time,f0,voicing\n0.00,100,0.2\n0.01,0,0.9").unwrap();
    assert_eq!((track.f0, track.voicing), (vec![100.0, 0.0], vec![0.2, 0.9]));
}

#[test]
fn resampling_takes_voicing_from_the_nearest_and_blends_voiced_pitch() {
    // Octave over 40 ms: the frames between lie on the log scale; then unvoiced after half way.
    let track = f0(PitchFormat::Rows, "0.00 100\n0.04 200\n0.08 0\n");
    let expected =
        [100.0, 100.0 * 2f32.powf(0.25), 100.0 * 2f32.powf(0.5), 100.0 * 2f32.powf(0.75), 200.0, 200.0, 200.0, 0.0, 0.0];
    assert_eq!(track.len(), expected.len());
    for (a, b) in track.iter().zip(expected) {
        assert!((a - b).abs() < 1e-3, "{track:?}");
    }
    // Rows left out are unvoiced, also before the first.
    let track = f0(PitchFormat::Rows, "0.03 100\n0.04 100\n0.05 100\n0.12 300\n");
    assert_eq!(track, [0.0, 0.0, 100.0, 100.0, 100.0, 100.0, 100.0, 0.0, 0.0, 0.0, 0.0, 300.0, 300.0]);
}

#[test]
fn pv_frames() {
    let track = f0(PV, "0\n69\n69\n0.0000\n");
    // Centres 16, 48, 80, 112 ms: voiced from 32 to 96 ms.
    let expected: Vec<f32> = (0..12).map(|i| if (4..=9).contains(&i) { 440.0 } else { 0.0 }).collect();
    assert_eq!(track.iter().map(|f| f.round()).collect::<Vec<_>>(), expected);
    assert_eq!(f0(PitchFormat::Pv(PvFrames::MIR_1K), "0\n57\n"), [0.0, 0.0, 0.0, 0.0, 220.0]);
    assert_eq!((PvFrames::every(0.02), PvFrames::every(0.032)), (PvFrames::MIR_1K, PvFrames::MIR_QBSH));
}

#[test]
fn the_recording_tells_how_far_pv_frames_are_apart() {
    // Neither folder has the name of a data set.
    let dir = tempfile::tempdir().unwrap();
    let recording = |name: &str, seconds: f64| {
        let path = dir.path().join(name);
        let spec =
            hound::WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut wav = hound::WavWriter::create(&path, spec).unwrap();
        (0..(seconds * 8000.0) as i32).for_each(|i| wav.write_sample((i % 80 * 100) as i16).unwrap());
        wav.finalize().unwrap();
        path
    };
    let pitch = dir.path().join("m60.pv");
    std::fs::write(&pitch, "0\n69\n".repeat(100)).unwrap();
    let begins = |samples: Samples| (1e3 * samples.times[0]).round() as i32 * 1000 + (1e3 * samples.times[1]).round() as i32;
    assert_eq!(begins(read_samples(&pitch).unwrap()), 16_048, "without a recording: MIR-QBSH");

    let (clip, hum) = (recording("clip.wav", 4.04), recording("hum.wav", 6.4));
    assert_eq!(begins(read_samples_of(&clip, &pitch, None).unwrap()), 20_040);
    assert_eq!(begins(read_samples_of(&hum, &pitch, None).unwrap()), 16_048);
    assert_eq!(begins(read_samples_of(&hum, &pitch, Some(0.01)).unwrap()), 5_015, "what is said counts");
    std::fs::rename(&clip, dir.path().join("m60.wav")).unwrap();
    assert_eq!(begins(read_samples(&pitch).unwrap()), 20_040, "a recording of its name is beside it");

    let long = recording("long.wav", 10.0);
    let error = read_samples_of(&long, &pitch, None).unwrap_err();
    assert!(error.to_string().contains("200 rows for the 10.0 s of") && error.remedy().contains("--hop"), "{error}");
    let absent = read_samples_of(&dir.path().join("absent.wav"), &pitch, None).unwrap_err();
    assert!(matches!(absent, PitchFileError::Recording { .. }), "{absent}");
}

#[test]
fn complaints_say_where() {
    assert_eq!(complaint(PitchFormat::Rows, "0 1\n0.01 440\n\n0.02 x\n"), "line 4: \"x\" is not an f0 in Hz");
    assert_eq!(complaint(PitchFormat::Rows, "0.5 1\n0.4 1\n"), "line 2: time goes back to 0.4 s");
    assert!(complaint(PitchFormat::Rows, "Dear reader,\nhello\n").contains("line 1: neither numbers nor a header"));
    assert!(complaint(PitchFormat::Rows, "60.1\n60.2\n").contains("line 1: \"60.1\": time and f0 are expected"));
    assert!(complaint(PitchFormat::Rows, "0 1\n-1 1\n").contains("line 2"));
    assert!(complaint(PitchFormat::Rows, "0 1\nnan 1\n").contains("line 2"));
    assert!(complaint(PitchFormat::Rows, "0 inf\n").contains("line 1"));
    assert!(complaint(PitchFormat::Rows, "0 99999\n").contains("line 1"));
    assert!(complaint(PitchFormat::Rows, "0 1\n1e300 1\n").contains("hours"));
    assert!(complaint(PitchFormat::Rows, "0.66 143.7 0.29\n1.01 158.4 0.3\n1.32 174.8 0.85\n").contains("notes"));
    assert!(complaint(PitchFormat::Rows, "0.1 0.2 60\n0.2 0.4 62\n").contains("second column"));
    assert!(complaint(PitchFormat::Rows, "time,f0,voicing\n0,100,7\n").contains("line 2"));
    assert_eq!(complaint(PitchFormat::Rows, ""), "it holds no frame");
    assert!(complaint(PV, "60\n0.01 440\n").contains("line 2"));
    assert!(complaint(PV, "1000\n").contains("line 1"));
    assert!(complaint(PitchFormat::Json, "{}").contains("line 1"));
    let document = |hop: &str, version: u8| {
        format!("{{\"format\":\"qbh-pitch\",\"version\":{version},\"hop\":{hop},\"f0\":[1.0],\"voicing\":[1.0]}}")
    };
    assert!(complaint(PitchFormat::Json, &document("0.01", 9)).contains("version 9"));
    assert!(complaint(PitchFormat::Json, &document("0", 1)).contains("hop"));
    assert!(parse(PitchFormat::Rows, b"0 1\n0.01 \xff\n").unwrap_err().to_string().contains("line 2: it is not text"));
}

#[test]
fn text_rows_are_those_of_the_published_extractors() {
    let track = PitchTrack::from_f0(vec![0.0, 261.6256]);
    assert_eq!(written(write_text, &track), b"0.00 0.0000\n0.01 261.6256\n");
    assert_eq!(written(write_csv, &track), b"time,f0,voicing\n0.00,0.0000,0.0000\n0.01,261.6256,1.0000\n");
}

#[test]
fn notes_of_a_track() {
    // Half a second of a trembling A4, a pause, then B4 straight into C5, with a slip too short to be a note.
    let vibrato = |i: usize| 69.0 + 0.4 * (i as f32 * 0.4).sin();
    let mut midi: Vec<f32> = (0..50).map(vibrato).collect();
    midi.extend([0.0; 20]);
    midi.extend([71.1; 30]);
    midi.extend([75.0; 3]);
    midi.extend([72.1; 30]);
    let track = PitchTrack::from_f0(midi.iter().map(|&m| if m > 0.0 { midi_to_hz(m) } else { 0.0 }).collect());
    let notes: Vec<_> = segment(&track).iter().map(|n| (n.onset, n.duration, n.pitch.round())).collect();
    assert_eq!(notes, [(0.0, 0.5, 69.0), (0.7, 0.3, 71.0), (1.03, 0.3, 72.0)]);

    let midi = written(write_midi, &track);
    let read = symbolic::parse(symbolic::Format::Midi, &midi).unwrap();
    let back: Vec<_> = read[0].notes.iter().map(|n| ((n.onset * 100.0).round(), (n.duration * 100.0).round(), n.pitch)).collect();
    assert_eq!(back, [(0.0, 50.0, 69.0), (70.0, 30.0, 71.0), (103.0, 30.0, 72.0)]);
    assert!(segment(&PitchTrack::default()).is_empty());
}

fn track() -> impl Strategy<Value = PitchTrack> {
    let signed = prop_oneof![Just(0.0f32), 30.0..2000.0f32, -2000.0..-30.0f32];
    prop::collection::vec((signed, 0.0..=1.0f32), 1..300).prop_map(|frames| PitchTrack {
        f0: frames.iter().map(|(f, _)| f.max(0.0)).collect(),
        voicing: frames.iter().map(|(_, v)| *v).collect(),
        guess: frames.iter().map(|(f, _)| f.abs()).collect(),
    })
}

proptest! {
    #[test]
    fn formats_round_trip(track in track()) {
        prop_assert_eq!(&parse(PitchFormat::Json, &written(write_json, &track)).unwrap(), &track);
        let near = |a: &[f32], b: &[f32]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-4);
        let csv = parse(PitchFormat::Rows, &written(write_csv, &track)).unwrap();
        prop_assert!(near(&csv.f0, &track.f0) && near(&csv.voicing, &track.voicing) && near(&csv.guess, &track.guess));
        prop_assert!(near(&parse(PitchFormat::Rows, &written(write_text, &track)).unwrap().f0, &track.f0));
    }

    #[test]
    fn any_track_becomes_midi(track in track()) {
        let notes = segment(&track);
        for pair in notes.windows(2) {
            prop_assert!(pair[0].offset() <= pair[1].onset + 1e-4);
        }
        let read = symbolic::parse(symbolic::Format::Midi, &written(write_midi, &track));
        prop_assert_eq!(read.map_or(0, |m| m[0].notes.len()), notes.len());
    }

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in [PitchFormat::Rows, PV, PitchFormat::Json] {
            let _ = parse(format, &bytes);
        }
    }

    #[test]
    fn random_rows(text in "[-0-9.e,; \t\nina+]{0,120}") {
        for format in [PitchFormat::Rows, PV] {
            if let Ok(track) = parse(format, text.as_bytes()) {
                prop_assert!(track.f0.len() == track.voicing.len() && track.f0.len() == track.guess.len());
                prop_assert!(track.f0.iter().all(|f| f.is_finite() && *f >= 0.0));
            }
        }
    }

    #[test]
    fn random_json(hop in any::<f64>(), f0 in prop::collection::vec(any::<f32>(), 0..20), voicing in prop::collection::vec(-0.1..1.1f32, 0..20)) {
        let text = format!("{{\"format\":\"qbh-pitch\",\"version\":1,\"hop\":{hop},\"f0\":{f0:?},\"voicing\":{voicing:?}}}");
        let _ = parse(PitchFormat::Json, text.as_bytes());
    }
}

#[test]
fn finding_pitch_files_among_others() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let rows: String = (0..2000).map(|i| format!("{:.2} 220.0\n", f64::from(i) * 0.01)).collect();
    let json = written(write_json, &PitchTrack::from_f0(vec![100.0; 3000]));
    for path in [put("a.txt", rows.as_bytes()), put("b.csv", b"time,f0\n0,0"), put("c.json", &json), put("d.pv", b"0\n60\n")] {
        assert!(is_pitch_file(&path) && holds_pitch(&path), "{}", path.display());
        read(&path).unwrap();
    }
    for path in [put("README.txt", b"Hello, world"), put("e.json", b"{\"a\":1}"), put("f.csv", b"name,size\n"), put("g.txt", b"")]
    {
        assert!(is_pitch_file(&path) && !holds_pitch(&path), "{}", path.display());
        read(&path).unwrap_err();
    }
    assert!(!is_pitch_file("a.mp3".as_ref()) && !is_pitch_file("a".as_ref()));
    assert!(!holds_pitch(&folder.path().join("absent.txt")));
    assert!(matches!(read(&folder.path().join("absent.txt")), Err(PitchFileError::Io(_))));
}

#[test]
fn published_pitch_files() {
    let Some(data) = crate::skipped::shared_data("pitch") else { return };
    // 10 ms rows: nothing may change on the way in and out.
    let text = std::fs::read_to_string(data.join("ssl_reference/test_audio2.pitch.txt")).unwrap();
    let track = parse(PitchFormat::Rows, text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(written(write_text, &track)).unwrap().trim(), text.trim());
    // 5.8 ms rows of a solo voice of 33 s.
    let voice = read(&data.join("vocadito/vocadito_1_f0.csv")).unwrap();
    let voiced = voice.f0.iter().filter(|f| **f > 0.0).count() as f64 / voice.len() as f64;
    assert!((30.0..36.0).contains(&voice.duration()) && (0.3..0.95).contains(&voiced), "{} s", voice.duration());
    // Lists of notes are no pitch files.
    for path in ["vocadito/vocadito_1_notesA1.csv", "songs/Jonathan_Coulton_Not_About_You.txt"] {
        assert!(!holds_pitch(&data.join(path)), "{path}");
    }
}
