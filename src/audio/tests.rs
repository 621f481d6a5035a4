//! Every container and codec, and everything that can be wrong with a file.

use std::path::PathBuf;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// What the fixtures hold.
const TONE: f64 = 440.0;
const SECONDS: f64 = 0.8;
const RATE: u32 = 16_000;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/audio")).join(name)
}

fn drain(mut stream: AudioStream) -> Result<Vec<f32>, AudioError> {
    let mut samples = Vec::new();
    while let Some(chunk) = stream.next_chunk()? {
        samples.extend_from_slice(chunk);
    }
    Ok(samples)
}

fn error_of(result: Result<AudioStream, AudioError>) -> AudioError {
    result.and_then(drain).expect_err("must be refused")
}

/// Share of the energy that lies at `hz`: the projection on a sine and a cosine.
fn purity(samples: &[f32], rate: u32, hz: f64) -> f64 {
    let step = std::f64::consts::TAU * hz / f64::from(rate);
    let (mut sin, mut cos, mut energy) = (0.0, 0.0, 0.0);
    for (i, &s) in samples.iter().enumerate() {
        let (s, phase) = (f64::from(s), step * i as f64);
        sin += s * phase.sin();
        cos += s * phase.cos();
        energy += s * s;
    }
    2.0 * (sin * sin + cos * cos) / (energy * samples.len() as f64)
}

fn assert_tone(name: &str, samples: &[f32], rate: u32, seconds: f64, slack: f64) {
    let duration = samples.len() as f64 / f64::from(rate);
    assert!((duration - seconds).abs() <= slack, "{name}: {duration} s instead of {seconds}");
    let edge = rate as usize / 10;
    let share = purity(&samples[edge..samples.len() - edge], rate, TONE);
    assert!(share > 0.98, "{name}: only {share} of the energy at {TONE} Hz");
}

/// A WAV in memory with the tone in all channels.
fn wav(spec: hound::WavSpec, seconds: f64) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for i in 0..(f64::from(spec.sample_rate) * seconds) as usize {
        let value = 0.5 * (std::f64::consts::TAU * TONE * i as f64 / f64::from(spec.sample_rate)).sin();
        for _ in 0..spec.channels {
            match spec.sample_format {
                hound::SampleFormat::Float => writer.write_sample(value as f32).unwrap(),
                hound::SampleFormat::Int => {
                    writer.write_sample((value * f64::from(1u32 << (spec.bits_per_sample - 1))) as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16, sample_format: hound::SampleFormat) -> hound::WavSpec {
    hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format }
}

fn plain_wav() -> Vec<u8> {
    wav(spec(1, RATE, 16, hound::SampleFormat::Int), SECONDS)
}

#[test]
fn every_format_gives_the_tone() {
    // Raw AAC and MP2 keep the encoder's delay, and what fills the last frame is kept: up to 50 ms more.
    let exact = ["tone.mp3", "tone.flac", "tone.ogg", "tone_alac.m4a", "tone.aiff", "tone.caf", "tone_mulaw.wav"];
    let padded = ["tone.m4a", "tone.aac", "tone.mp2", "tone.opus", "tone.webm", "tone.mka", "tone_fragmented.m4a", "streams.mp4"];
    for (names, slack) in [(&exact[..], 0.001), (&padded[..], 0.06)] {
        for name in names {
            let samples = open(&fixture(name), RATE).and_then(drain).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_tone(name, &samples, RATE, SECONDS, slack);
        }
    }
    // ADPCM comes in blocks: the last one is filled up.
    let samples = open(&fixture("tone_adpcm.wav"), RATE).and_then(drain).unwrap();
    assert_tone("tone_adpcm.wav", &samples[..(SECONDS * f64::from(RATE)) as usize], RATE, SECONDS, 0.001);
}

#[test]
fn every_wav_gives_the_tone() {
    use hound::SampleFormat::{Float, Int};
    for (channels, rate, bits, format) in [
        (1, 8_000, 8, Int),
        (2, 44_100, 16, Int),
        (2, 48_000, 24, Int),
        (1, 16_000, 32, Int),
        (2, 22_050, 32, Float),
        (8, 192_000, 24, Int),
        (3, 37_123, 16, Int),
    ] {
        let name = format!("{channels} channels, {rate} Hz, {bits} bit {format:?}");
        let samples = open_bytes(wav(spec(channels, rate, bits, format), SECONDS), RATE).and_then(drain).unwrap();
        assert_tone(&name, &samples, RATE, SECONDS, 0.001);
        let loudest = samples.iter().fold(0.0f32, |m, s| m.max(s.abs()));
        assert!((loudest - 0.5).abs() < 0.02, "{name}: peak {loudest}");
    }
}

#[test]
fn tags_are_read() {
    let expected = Tags { title: Some("Tone".into()), artist: Some("Sine".into()), album: Some("Fixtures".into()) };
    for name in ["tone.mp3", "tone.m4a", "tone.flac", "tone.ogg", "tone.opus", "tone_alac.m4a", "tone.aiff"] {
        assert_eq!(open(&fixture(name), RATE).unwrap().tags(), expected, "{name}");
    }
    // Its title is where symphonia does not look: in the segment's information.
    assert_eq!(open(&fixture("tone.webm"), RATE).unwrap().tags(), expected);
    assert_eq!(open(&fixture("tone.aac"), RATE).unwrap().tags(), Tags::default());
}

#[test]
fn a_stream_gives_what_the_file_gives() {
    let path = fixture("tone.mp3");
    let file = open(&path, RATE).and_then(drain).unwrap();
    let stream = open_reader(File::open(&path).unwrap(), RATE).and_then(drain).unwrap();
    assert_eq!(file, stream);
}

#[test]
fn sections_add_up_to_the_whole() {
    let whole = open(&fixture("tone.ogg"), RATE).and_then(drain).unwrap();
    let mut stream = open(&fixture("tone.ogg"), RATE).unwrap();
    let (mut sections, mut section) = (Vec::new(), Vec::new());
    loop {
        stream.read(1000, &mut section).unwrap();
        sections.extend_from_slice(&section);
        if section.len() < 1000 {
            break;
        }
    }
    assert_eq!(sections, whole);
    stream.read(1000, &mut section).unwrap();
    assert!(section.is_empty());
}

#[test]
fn he_aac_is_decoded_to_its_core() {
    // The configuration of an AAC-LC file, 44.1 kHz, two channels, rewritten as SBR over a core of that kind.
    let mut bytes = std::fs::read(fixture("tone.m4a")).unwrap();
    let lc = [0x12, 0x10, 0x56, 0xe5, 0x00];
    let at = bytes.windows(5).position(|w| w == lc).expect("the fixture's AudioSpecificConfig");
    // 5 (SBR), 4 (44.1 kHz), 2 channels, extension 3 (48 kHz), 2 (LC)
    bytes[at..at + 5].copy_from_slice(&[0b0010_1010, 0b0001_0001, 0b1000_1000, 0, 0]);
    let samples = open_bytes(bytes, RATE).and_then(drain).unwrap();
    assert_tone("HE-AAC", &samples, RATE, SECONDS, 0.06);
}

#[test]
fn chained_streams_follow_one_another_at_one_rate() {
    let samples = open(&fixture("chained.ogg"), RATE).and_then(drain).unwrap();
    assert_tone("chained.ogg", &samples[..(SECONDS * f64::from(RATE)) as usize], RATE, SECONDS, 0.001);
    assert_tone("chained.ogg, second", &samples[(SECONDS * f64::from(RATE)) as usize..], RATE, SECONDS, 0.001);
}

#[test]
fn joined_mp3_files_are_heard_to_the_end() {
    let bytes = std::fs::read(fixture("tone.mp3")).unwrap().repeat(3);
    let samples = open_bytes(bytes, RATE).and_then(drain).unwrap();
    let seconds = samples.len() as f64 / f64::from(RATE);
    assert!((seconds - 3.0 * SECONDS).abs() < 0.1, "{seconds} s");
}

#[test]
fn opposite_channels_cancel_and_no_number_is_silence() {
    let bytes = {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec(2, RATE, 32, hound::SampleFormat::Float)).unwrap();
        for pair in [[0.5, -0.5], [0.25, 0.75], [f32::NAN, 0.5], [f32::INFINITY, 0.0], [1e30, 1e30]] {
            pair.into_iter().for_each(|s| writer.write_sample(s).unwrap());
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    };
    assert_eq!(open_bytes(bytes, RATE).and_then(drain).unwrap(), [0.0, 0.5, 0.0, 0.0, 1e6]);
}

#[test]
fn an_empty_file_is_refused() {
    assert!(matches!(error_of(open_bytes(Vec::new(), RATE)), AudioError::Empty));
}

#[test]
fn text_named_mp3_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("song.mp3");
    std::fs::write(&path, "la la la\n".repeat(1000)).unwrap();
    let error = error_of(open(&path, RATE));
    assert!(matches!(error, AudioError::NotAudio("text")), "{error}");
}

#[test]
fn a_wav_named_mp3_just_works() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("song.mp3");
    std::fs::write(&path, plain_wav()).unwrap();
    assert_tone("song.mp3", &open(&path, RATE).and_then(drain).unwrap(), RATE, SECONDS, 0.001);
}

#[test]
fn what_is_missing_or_no_file_is_refused() {
    assert!(matches!(error_of(open(&fixture("absent.mp3"), RATE)), AudioError::Io(_)));
    assert!(matches!(error_of(open(&fixture(""), RATE)), AudioError::Io(_)));
}

#[test]
fn video_and_unknown_codecs_are_named() {
    let error = error_of(open(&fixture("video_only.mp4"), RATE));
    assert!(matches!(error, AudioError::NoAudioTrack), "{error}");
    let error = error_of(open(&fixture("ac3_only.mp4"), RATE));
    assert!(matches!(&error, AudioError::Unsupported(what) if what.contains("mp4")), "{error}");
}

#[test]
fn a_header_without_sound_is_refused() {
    let empty = wav(spec(2, 44_100, 16, hound::SampleFormat::Int), 0.0);
    let error = error_of(open_bytes(empty, RATE));
    assert!(matches!(error, AudioError::NothingDecoded { damaged: 0, last: None }), "{error}");
}

#[test]
fn an_impossible_rate_is_refused() {
    for rate in [0u32, 1, 3_000_000_000] {
        let mut bytes = plain_wav();
        bytes[24..28].copy_from_slice(&rate.to_le_bytes());
        let error = error_of(open_bytes(bytes, RATE));
        assert!(!error.remedy().is_empty() && !matches!(error, AudioError::NothingDecoded { .. }), "{rate}: {error}");
    }
}

#[test]
fn a_truncated_file_gives_what_it_has() {
    // Two thirds of the short Vorbis file are codebooks. (A cut CAF is refused: its reader insists on the end.)
    let cut = [("tone.ogg", 0.85), ("tone.mp3", 0.6), ("tone.flac", 0.6), ("tone.opus", 0.6), ("tone.aiff", 0.6)];
    for (name, share) in
        cut.into_iter().chain([("tone_fragmented.m4a", 0.6), ("tone.webm", 0.7), ("tone_mulaw.wav", 0.6), ("tone.aac", 0.6)])
    {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        bytes.truncate((bytes.len() as f64 * share) as usize);
        let samples = open_bytes(bytes, RATE).and_then(drain).unwrap_or_else(|e| panic!("{name}: {e}"));
        let seconds = samples.len() as f64 / f64::from(RATE);
        assert!((0.2..0.75).contains(&seconds), "{name}: {seconds} s of it");
    }
}

#[test]
fn a_damaged_middle_is_stepped_over() {
    for (name, at) in
        [("tone.ogg", 0.8), ("tone.mp3", 0.5), ("tone.flac", 0.5), ("tone.m4a", 0.5), ("tone.opus", 0.5), ("tone.aac", 0.5)]
    {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        let at = (bytes.len() as f64 * at) as usize;
        bytes[at..at + 300].fill(0x55);
        let samples = open_bytes(bytes, RATE).and_then(drain).unwrap_or_else(|e| panic!("{name}: {e}"));
        let seconds = samples.len() as f64 / f64::from(RATE);
        assert!((0.4..0.9).contains(&seconds), "{name}: {seconds} s of it");
        assert!(purity(&samples[samples.len() - 3000..samples.len() - 1000], RATE, TONE) > 0.9, "{name}: lost after the damage");
    }
}

#[test]
fn real_recordings_have_their_length() {
    // As ffprobe tells them; the first is AAC in a file with several streams.
    let known = [
        ("ssl_reference/test_audio.mp4", 12.89, None),
        ("songs/Jonathan_Coulton_Furry_Old_Lobster.mp3", 122.12, Some("Furry Old Lobster")),
        ("songs/Joshua_Morin_On_the_run.ogg", 288.29, Some("Joshua Morin - On The Run")),
    ];
    for (name, seconds, title) in known {
        let Some(path) = crate::skipped::shared_data(&format!("pitch/{name}")) else { continue };
        let mut stream = open(&path, 8_000).unwrap();
        let mut samples = 0;
        while let Some(chunk) = stream.next_chunk().unwrap() {
            samples += chunk.len();
        }
        assert!((samples as f64 / 8_000.0 - seconds).abs() < 0.1, "{name}: {samples} samples");
        assert_eq!((stream.remark(), stream.tags().title.as_deref()), (None, title), "{name}");
    }
}

/// Whatever the bytes are, there is an end to it, and no panic.
#[test]
fn mutilated_files_end_in_samples_or_an_error() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut names: Vec<PathBuf> = std::fs::read_dir(fixture("")).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    for path in names {
        let original = std::fs::read(&path).unwrap();
        for _ in 0..60 {
            let mut bytes = original.clone();
            // Headers are where damage hurts.
            for _ in 0..rng.random_range(1..20) {
                let reach = if rng.random_bool(0.5) { bytes.len() } else { bytes.len().min(600) };
                let at = rng.random_range(0..reach);
                bytes[at] = rng.random();
            }
            if rng.random_bool(0.3) {
                bytes.truncate(rng.random_range(0..bytes.len()));
            }
            let result = open_bytes(bytes, RATE).and_then(drain);
            if let Ok(samples) = result {
                assert!(samples.iter().all(|s| s.is_finite()), "{}", path.display());
            }
        }
    }
}

#[test]
fn an_mp4_begins_where_its_music_does() {
    let samples = open(&fixture("tone.m4a"), RATE).and_then(drain).unwrap();
    let level = |part: &[f32]| (part.iter().map(|s| s * s).sum::<f32>() / part.len() as f32).sqrt();
    let (begin, middle) = (level(&samples[..RATE as usize / 50]), level(&samples[RATE as usize / 4..RATE as usize / 2]));
    assert!(begin > 0.7 * middle, "{begin} against {middle}: the encoder's delay is still there");
}

fn assert_whole(name: &str, bytes: Vec<u8>) -> Option<String> {
    let mut stream = open_bytes(bytes, RATE).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut samples = Vec::new();
    while let Some(chunk) = stream.next_chunk().unwrap_or_else(|e| panic!("{name}: {e}")) {
        samples.extend_from_slice(chunk);
    }
    assert_tone(name, &samples, RATE, SECONDS, 0.001);
    stream.remark()
}

/// Where the size of the sound stands in a plain WAV.
const DATA_SIZE: std::ops::Range<usize> = 40..44;

#[test]
fn a_wav_whose_sizes_are_wrong_is_heard_whole() {
    let plain = plain_wav();
    let patched = |outer: u32, inner: Option<u32>| {
        let mut bytes = plain.clone();
        bytes[4..8].copy_from_slice(&outer.to_le_bytes());
        if let Some(inner) = inner {
            bytes[DATA_SIZE].copy_from_slice(&inner.to_le_bytes());
        }
        bytes
    };
    let whole = plain.len() as u32 - 8;
    for (name, bytes) in [
        ("never filled in", patched(36, Some(0))),
        ("nothing filled in", patched(0, Some(0))),
        ("outer size short", patched(whole - 8, None)),
        ("outer size 0", patched(0, None)),
        ("not known", patched(u32::MAX, Some(u32::MAX))),
        ("half of all numbers", patched(0x7fff_ffff, Some(0x7fff_f000))),
    ] {
        assert_eq!(assert_whole(name, bytes), None, "{name}");
    }
    let remark = assert_whole("too long", patched(whole, Some(whole + 1000)));
    assert!(remark.is_some_and(|remark| remark.contains("ends too early")));
}

#[test]
fn the_kin_of_wav_is_heard() {
    let plain = plain_wav();
    let (format, sound) = (&plain[20..36], &plain[44..]);
    let size = |bytes: usize| (bytes as u64).to_le_bytes();
    // ds64: sizes of file and sound, number of samples, no table.
    let ds64 = [&b"ds64\x1c\0\0\0"[..], &size(plain.len()), &size(sound.len()), &size(0), &[0; 4]].concat();
    let unknown = [0xff; 4];
    for magic in [b"RF64", b"BW64"] {
        let chunks = [&ds64[..], b"fmt \x10\0\0\0", format, b"data", &unknown, sound].concat();
        assert_whole("RF64", [&magic[..], &unknown, b"WAVE", &chunks].concat());
    }
    let guid = |name: &[u8]| [name, b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"].concat();
    let chunk = |name: &[u8], body: &[u8]| {
        let mut chunk = [guid(name), size(body.len() + 24).to_vec(), body.to_vec()].concat();
        chunk.resize(chunk.len().next_multiple_of(8), 0);
        chunk
    };
    let head = [&b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"[..], &size(0), &guid(b"wave")].concat();
    assert_whole("Wave64", [head, chunk(b"fmt ", format), chunk(b"junk", &[1; 5]), chunk(b"data", sound)].concat());

    let big: Vec<u8> = sound.chunks_exact(2).flat_map(|s| [s[1], s[0]]).collect();
    for length in [sound.len() as u32, u32::MAX, 0] {
        let numbers: Vec<u8> = [24, length, 3, RATE, 1].into_iter().flat_map(u32::to_be_bytes).collect();
        assert_whole("AU", [&b".snd"[..], &numbers, &big].concat());
    }
    for length in [sound.len() as u64 + 4, u64::MAX, 1 << 40] {
        let rate = f64::from(RATE).to_be_bytes();
        let numbers: Vec<u8> = [0u32, 2, 1, 1, 16].into_iter().flat_map(u32::to_be_bytes).collect();
        let description = [&b"desc\0\0\0\0\0\0\0\x20"[..], &rate, b"lpcm", &numbers].concat();
        assert_whole("CAF", [&b"caff\0\x01\0\0"[..], &description, b"data", &length.to_be_bytes(), &[0; 4], &big].concat());
    }
    for (kind, sound) in [(&b"NONE"[..], &big[..]), (b"sowt", sound)] {
        let common = [&b"COMM\0\0\0\x18\0\x01"[..], &[0; 4], b"\0\x10\x40\x0c\xfa\0\0\0\0\0\0\0", kind, b"\0\0"].concat();
        let length = (sound.len() as u32 + 8).to_be_bytes();
        assert_whole("AIFF-C", [&b"FORM\0\0\0\0AIFC"[..], &common, b"SSND", &length, &[0; 8], sound].concat());
    }
}

#[test]
fn a_wav_has_any_number_of_channels_and_may_hold_mp3() {
    for channels in [1, 2, 26, 27, 64, 200] {
        assert_whole(&format!("{channels} channels"), wav(spec(channels, RATE, 16, hound::SampleFormat::Int), SECONDS));
    }
    let mp3 = std::fs::read(fixture("tone.mp3")).unwrap();
    let format = [&0x55u16.to_le_bytes()[..], &[1, 0], &RATE.to_le_bytes(), &[0, 0x10, 0, 0, 1, 0, 0, 0]].concat();
    let length = (mp3.len() as u32).to_le_bytes();
    assert_whole("MP3 in WAV", [&b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0"[..], &format, b"data", &length, &mp3].concat());
    let strange = [&0x31u16.to_le_bytes()[..], &format[2..]].concat();
    let error = error_of(open_bytes([&b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0"[..], &strange, b"data", &length, &mp3].concat(), RATE));
    assert!(matches!(&error, AudioError::Unsupported(what) if what.contains("0x0031")), "{error}");
}

#[test]
fn where_channels_cancel_one_of_them_is_heard() {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec(2, RATE, 16, hound::SampleFormat::Int)).unwrap();
    for i in 0..(SECONDS * f64::from(RATE)) as usize {
        let value = (0.5 * (std::f64::consts::TAU * TONE * i as f64 / f64::from(RATE)).sin() * 32_767.0) as i16;
        writer.write_sample(value).unwrap();
        writer.write_sample(-(f64::from(value) * 0.95) as i16).unwrap();
    }
    writer.finalize().unwrap();
    assert_whole("inverted", bytes.into_inner());
}

#[test]
fn blocks_of_metadata_never_hide_the_sound_of_a_flac_file() {
    let flac = std::fs::read(fixture("tone.flac")).unwrap();
    let whole = open_bytes(flac.clone(), RATE).and_then(drain).unwrap();
    let frames = (42..flac.len()).find(|&at| flac[at..].starts_with(b"\xff\xf8")).unwrap();
    let info = &flac[..42];
    for (name, blocks) in [
        ("empty comments", &b"\x04\0\0\0\xa0\0\0\0"[..]),
        ("a cue sheet of 4 bytes", b"\x85\0\0\x04abcd"),
        ("a picture of nothing", b"\x06\0\0\x02ab\x81\0\0\0"),
        ("a block without end", b"\x04\xff\xff\xff"),
        ("a second description", b"\x80\0\0\x22aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ] {
        let mut bytes = [info, blocks, &flac[frames..]].concat();
        bytes[4] = 0;
        assert_eq!(open_bytes(bytes, RATE).and_then(drain).unwrap_or_else(|e| panic!("{name}: {e}")), whole, "{name}");
    }
}

fn tagged(version: u8, flags: u8, frames: &[u8]) -> Tags {
    let size = frames.len();
    let seven = [size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127].map(|byte| byte as u8);
    let sound = std::fs::read(fixture("tone.mp3")).unwrap();
    let sound = &sound[sound.windows(2).position(|w| w == b"\xff\xfb").unwrap()..];
    let bytes = [&b"ID3"[..], &[version, 0, flags], &seven, frames, sound].concat();
    let mut stream = open_bytes(bytes, RATE).unwrap();
    while stream.next_chunk().unwrap().is_some() {}
    stream.tags()
}

fn frame(name: &str, plain: bool, text: &[u8]) -> Vec<u8> {
    let size = text.len() as u32;
    let seven = [size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127].map(|byte| byte as u8);
    [name.as_bytes(), &if plain { size.to_be_bytes() } else { seven }, &[0, 0], text].concat()
}

#[test]
fn titles_are_read_as_they_were_meant() {
    let title = |version, frames: &[u8]| tagged(version, 0, frames).title.unwrap_or_default();
    let utf16: Vec<u8> = "Tony Wayne".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(title(3, &frame("TIT2", true, &[&[1][..], &utf16].concat())), "Tony Wayne");
    assert_eq!(title(3, &frame("TIT2", true, &[&b"\x01\xff\xfe"[..], &utf16, &[0, 0]].concat())), "Tony Wayne");
    let comment = frame("COMM", true, &[&b"\0eng\0"[..], &[b'x'; 200]].concat());
    let frames = [comment, frame("TIT2", true, b"\0My Title"), frame("TPE1", true, b"\0Someone")].concat();
    let tags = tagged(4, 0, &frames);
    assert_eq!((tags.title.as_deref(), tags.artist.as_deref()), (Some("My Title"), Some("Someone")));
    assert_eq!(title(4, &frame("TIT2", false, &[&[3][..], &[b'y'; 200]].concat())), "y".repeat(200));
    assert_eq!(title(3, &frame("TIT2", true, &[&[0][..], "Für Elise".as_bytes()].concat())), "Für Elise");
    assert_eq!(title(3, &frame("TIT2", true, b"\0F\xfcr Elise und die anderen M\xe4dchen")), "Für Elise und die anderen Mädchen");
    let (russian, ..) = encoding_rs::WINDOWS_1251.encode("Подмосковные вечера");
    assert_eq!(title(3, &frame("TIT2", true, &[&[0][..], &russian].concat())), "Подмосковные вечера");
    let (japanese, ..) = encoding_rs::SHIFT_JIS.encode("上を向いて歩こう");
    assert_eq!(title(3, &frame("TIT2", true, &[&[0][..], &japanese].concat())), "上を向いて歩こう");
    assert_eq!(tagged(4, 0, &frame("TPE1", false, b"\x03One\0Two\0One\0")).artist.as_deref(), Some("One, Two"));
    // Extended headers: as they should be, and of a size that cannot be.
    let plain = frame("TIT2", true, b"\0Song");
    assert_eq!(tagged(3, 0x40, &[&[0, 0, 0, 6, 0, 0, 0, 0, 0, 0][..], &plain].concat()).title.as_deref(), Some("Song"));
    assert_eq!(tagged(4, 0x40, &[&[0, 0, 0, 6, 1, 0][..], &plain].concat()).title.as_deref(), Some("Song"));
    tagged(3, 0x40, &[&[0xff; 10][..], &plain].concat());
}
