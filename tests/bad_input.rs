//! Files that are not what they should be never end a run: they are named, with the reason and a remedy.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use util::{Dir, Ran, arg, hum, melody, midi, pitch_text, wav};

/// Indexes a library of one good song and one bad file, which must be reported and not retried until it changes.
fn index_with(name: &str, bytes: &[u8]) -> Ran {
    let dir = Dir::new();
    dir.add("good.mid", midi(&melody(1, 40)));
    dir.add(name, bytes);
    let ran = dir.ok(&["index", "library"]);
    assert!(ran.stdout.contains("1 indexed") && ran.stdout.contains("1 failed"), "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains(name), "{}", ran.stdout);

    let again = dir.ok(&["index", "library"]);
    assert!(again.stdout.contains("1 unchanged") && again.stdout.contains("0 indexed"), "{}", again.stdout);
    assert!(again.stdout.contains(name), "still failing files are named again: {}", again.stdout);

    dir.add(name, midi(&melody(2, 50)));
    let mended = dir.ok(&["index", "library"]);
    assert!(mended.stdout.contains("1 indexed") && !mended.stdout.contains("1 failed"), "{}", mended.stdout);
    dir.ok(&["verify"]);
    ran
}

#[test]
fn empty() {
    let ran = index_with("empty.mp3", b"");
    assert!(ran.stdout.contains("empty"), "{}", ran.stdout);
}

#[test]
fn text_named_mp3() {
    let ran = index_with("letter.mp3", "Dear Sir, this is not music.\n".repeat(200).as_bytes());
    assert!(ran.stdout.contains("text"), "{}", ran.stdout);
}

#[test]
fn noise_named_flac() {
    let bytes: Vec<u8> = (0u32..50_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    index_with("noise.flac", &bytes);
}

#[test]
fn silent() {
    let ran = index_with("silent.wav", &wav(&vec![0.0; 16_000 * 8], 16_000, 1));
    assert!(ran.stdout.contains("silen") || ran.stdout.contains("melody"), "{}", ran.stdout);
}

#[test]
fn header_without_sound() {
    let whole = wav(&hum(&melody(1, 20), 0.0, 1.0), 16_000, 1);
    index_with("header.wav", &whole[..44]);
}

#[test]
fn midi_without_notes() {
    let ran = index_with("mute.mid", &midi(&[]));
    assert!(ran.stdout.contains("note"), "{}", ran.stdout);
}

#[test]
fn midi_cut_short_within_its_header() {
    index_with("cut.mid", &midi(&melody(1, 40))[..11]);
}

#[test]
fn truncated_sound_is_used_as_far_as_it_goes() {
    let dir = Dir::new();
    let whole = wav(&hum(&melody(4, 40), 0.0, 1.0), 16_000, 1);
    dir.add("cut.wav", &whole[..whole.len() * 2 / 3]);
    dir.add("other.mid", midi(&melody(1, 40)));
    let ran = dir.ok(&["index", "library"]);
    assert!(ran.stdout.contains("2 indexed"), "{}", ran.stdout);
}

#[cfg(unix)]
#[test]
fn unreadable() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    dir.add("good.mid", midi(&melody(1, 40)));
    let locked = dir.add("locked.mid", midi(&melody(2, 40)));
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&locked).is_ok() {
        util::skipped::skipped("root can read every file");
        return;
    }
    let ran = dir.ok(&["index", "library"]);
    assert!(ran.stdout.contains("1 indexed") && ran.stdout.contains("1 failed"), "{}", ran.stdout);
    assert!(ran.stdout.contains("locked.mid") && ran.stdout.contains("ermission"), "{}", ran.stdout);
}

#[test]
fn dangling_links_and_odd_names() {
    let dir = Dir::new();
    dir.add("with space & 'quote' \u{1F3B5}.mid", midi(&melody(1, 40)));
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        std::os::unix::fs::symlink("nowhere.mp3", dir.library().join("dangling.mp3")).unwrap();
        std::os::unix::fs::symlink("..", dir.library().join("loop")).unwrap();
        let latin1 = std::ffi::OsStr::from_bytes(b"caf\xe9.mid");
        std::fs::write(dir.library().join(latin1), midi(&melody(2, 40))).unwrap();
        let ran = dir.ok(&["index", "library"]);
        assert!(ran.stdout.contains("2 indexed"), "{}{}", ran.stdout, ran.stderr);
        assert!(dir.ok(&["index", "library"]).stdout.contains("2 unchanged"));
    }
}

#[test]
fn a_192_khz_recording_of_8_channels() {
    let dir = Dir::new();
    let slow = hum(&melody(7, 16), 0.0, 1.0);
    let surround: Vec<f32> = slow.iter().flat_map(|&s| [[s * 0.5; 8]; 12].concat()).collect();
    dir.add("surround.wav", wav(&surround, 192_000, 8));
    dir.add("other.mid", midi(&melody(1, 40)));
    let ran = dir.ok(&["index", "library"]);
    assert!(ran.stdout.contains("2 indexed"), "{}", ran.stdout);
    std::fs::write(dir.path("hum.txt"), pitch_text(&melody(7, 16), 2.0, 1.0)).unwrap();
    let answer = dir.run(&["query", "hum.txt", "--json", "-k", "1"]).stdout;
    assert!(answer.contains("surround.wav"), "{answer}");
}

#[test]
fn a_very_long_file() {
    let dir = Dir::new();
    // A quarter of an hour of melody, and the end of it after three hours.
    let mut notes: Vec<(u8, f32)> = melody(9, 1800).into_iter().map(|(pitch, _)| (pitch, 0.5)).collect();
    notes.extend([(0, 9890.0), (60, 10.0)]);
    dir.add("long.mid", midi(&notes));
    let ran = dir.ok(&["index", "library"]);
    assert!(ran.stdout.contains("1 indexed"), "{}", ran.stdout);
    assert!(dir.ok(&["list"]).stdout.contains("3:00:00"));
}

#[test]
fn a_hum_without_a_voice_says_so() {
    let dir = Dir::new();
    dir.add("good.mid", midi(&melody(1, 40)));
    dir.ok(&["index", "library"]);
    std::fs::write(dir.path("silence.wav"), wav(&vec![0.0; 80_000], 16_000, 1)).unwrap();
    std::fs::write(dir.path("empty.wav"), b"").unwrap();
    std::fs::write(dir.path("blank.txt"), pitch_text(&[(60, 0.3)], 0.0, 1.0).replace("261.6256", "0.0000")).unwrap();
    for (file, word) in
        [("silence.wav", "silent"), ("empty.wav", "empty"), ("blank.txt", "voice"), ("missing.wav", "missing.wav")]
    {
        let ran = dir.run(&["query", file]);
        assert_eq!(ran.status, 2, "{file}: {}", ran.stdout);
        assert!(ran.stderr.contains(word), "{file}: {}", ran.stderr);
    }
}

#[test]
fn one_bad_hum_among_good_ones() {
    let dir = Dir::new();
    dir.add("good.mid", midi(&melody(1, 40)));
    dir.ok(&["index", "library"]);
    std::fs::write(dir.path("hum.txt"), pitch_text(&melody(1, 40)[5..30], 0.0, 1.0)).unwrap();
    let ran = dir.run(&["query", "missing.wav", "hum.txt"]);
    assert_eq!(ran.status, 2);
    assert!(ran.stdout.contains("good"), "{}", ran.stdout);
}

#[test]
fn a_folder_that_is_no_index_says_so() {
    let dir = Dir::new();
    std::fs::create_dir(dir.index()).unwrap();
    std::fs::write(dir.index().join("notes.txt"), "not an index").unwrap();
    let ran = dir.run(&["list"]);
    assert_eq!(ran.status, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains(arg(&dir.index())), "{}", ran.stderr);
}

#[test]
fn an_index_of_other_models_says_which_and_what_to_do() {
    let dir = Dir::new();
    dir.add("good.mid", midi(&melody(1, 40)));
    dir.ok(&["index", "library"]);
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/models/weights/contextual.safetensors");
    std::fs::copy(shipped, dir.path("other.safetensors")).unwrap();
    dir.add("more.mid", midi(&melody(2, 40)));
    let ran = dir.run(&["index", "library", "--embedder", "other.safetensors"]);
    assert_eq!(ran.status, 2, "{}", ran.stdout);
    for word in ["contextual", "other", "index the library again"] {
        assert!(ran.stderr.contains(word), "{word} is missing in {}", ran.stderr);
    }

    // Made with weights that have since gone: the index cannot be asked, and says why.
    dir.ok(&["models", "import", "other.safetensors"]);
    dir.ok(&["--index", "second", "index", "library", "--embedder", "other"]);
    std::fs::write(dir.path("hum.txt"), pitch_text(&melody(1, 40)[5..30], 0.0, 1.0)).unwrap();
    assert!(dir.run(&["--index", "second", "query", "hum.txt"]).status < 2);
    std::fs::remove_file(dir.path("data/qbh/models/other.safetensors")).unwrap();
    let ran = dir.run(&["--index", "second", "query", "hum.txt"]);
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("other") && ran.stderr.contains("second"), "{}", ran.stderr);
}
