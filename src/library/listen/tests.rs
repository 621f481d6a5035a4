use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Mutex;

use qbh_models::pitch::hz_to_midi;
use qbh_models::{ModelError, ModelInfo};

use super::*;

/// Hears the zero crossings: enough to tell a tone from another and from silence.
struct Crossings {
    info: ModelInfo,
    sections: Mutex<Vec<usize>>,
    deaf: bool,
}

const RATE: u32 = 8_000;

impl Crossings {
    fn new() -> Self {
        let info = ModelInfo {
            name: "crossings".into(),
            architecture: "none".into(),
            fingerprint: "0".repeat(16),
            parameters: 0,
            metadata: BTreeMap::new(),
        };
        Crossings { info, sections: Mutex::default(), deaf: false }
    }
}

impl Extractor for Crossings {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn sample_rate(&self) -> u32 {
        RATE
    }

    fn multiply_adds(&self) -> f64 {
        0.0
    }

    fn extract(&self, samples: &[f32]) -> Result<PitchTrack, ModelError> {
        self.sections.lock().unwrap().push(samples.len());
        let f0 = samples.chunks(RATE as usize / 100).enumerate().map(|(i, _)| {
            let from = (i * RATE as usize / 100).min(samples.len().saturating_sub(800));
            let part = &samples[from..(from + 800).min(samples.len())];
            let crossings = part.windows(2).filter(|w| (w[0] < 0.0) != (w[1] < 0.0)).count();
            if self.deaf { 0.0 } else { crossings as f32 / 2.0 * RATE as f32 / part.len() as f32 }
        });
        Ok(PitchTrack::from_f0(f0.collect()))
    }

    fn fork(&self) -> Box<dyn Extractor> {
        Box::new(Crossings::new())
    }
}

fn tone(seconds: f64, hz: f64, level: f32) -> Vec<u8> {
    let spec = hound::WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 32, sample_format: hound::SampleFormat::Float };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for i in 0..(seconds * f64::from(RATE)) as usize {
        writer.write_sample(level * (TAU * hz * i as f64 / f64::from(RATE)).sin() as f32).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn refusal(name: &str, bytes: &[u8]) -> ListenError {
    let (_dir, path) = file(name, bytes);
    let error = listen(&path, &Crossings::new()).expect_err(name);
    assert!(!error.to_string().is_empty() && !error.remedy().is_empty());
    error
}

fn assert_pitch(contour: &Contour, hz: f32) {
    let middle = contour.pitch[contour.len() / 2];
    assert!((middle - hz_to_midi(hz)).abs() < 0.5, "{middle} instead of {}", hz_to_midi(hz));
}

/// One note per pitch, a second each, format 0.
fn midi(pitches: &[u8]) -> Vec<u8> {
    let mut track = Vec::new();
    for &pitch in pitches {
        // 96 ticks a quarter note, 120 to the minute: a second is 192 = 0x81 0x40.
        track.extend([0x00, 0x90, pitch, 100, 0x81, 0x40, 0x80, pitch, 0]);
    }
    track.extend([0x00, 0xff, 0x2f, 0x00]);
    let mut bytes = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk".to_vec();
    bytes.extend((track.len() as u32).to_be_bytes());
    bytes.extend(track);
    bytes
}

#[test]
fn a_recording_becomes_a_contour_with_tags() {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/audio/chained.ogg"));
    let heard = listen(&path, &Crossings::new()).unwrap();
    let [piece] = &heard.pieces[..] else { panic!("{} pieces", heard.pieces.len()) };
    assert_eq!(piece.tags.artist.as_deref(), Some("Sine"));
    assert!((piece.tags.duration.unwrap() - 1.6).abs() < 0.01, "{:?}", piece.tags.duration);
    assert_eq!(piece.contour.len(), 16);
    assert_eq!(piece.pitch.as_ref().unwrap().len(), 160);
    assert_pitch(&piece.contour, 440.0);
}

#[test]
fn the_title_falls_back_to_the_name() {
    let (_dir, path) = file("Hey - Someone.wav", &tone(2.0, 220.0, 0.5));
    let heard = listen(&path, &Crossings::new()).unwrap();
    assert_eq!(heard.pieces[0].tags.title.as_deref(), Some("Hey - Someone"));
    assert_pitch(&heard.pieces[0].contour, 220.0);
}

#[test]
fn long_recordings_are_heard_in_sections() {
    let extractor = Crossings::new();
    let section = (MAX_SECTION * f64::from(RATE)) as usize;
    let samples: Vec<f32> = (0..section + 8_040).map(|i| (TAU * 440.0 * i as f64 / f64::from(RATE)).sin() as f32).collect();
    let heard = listen_samples(&samples, RATE, &extractor).unwrap();
    assert_eq!(*extractor.sections.lock().unwrap(), [section, 8_040]);
    assert_eq!(heard.pieces[0].pitch.as_ref().unwrap().len(), section / 80 + 101);
    assert_pitch(&heard.pieces[0].contour, 440.0);
}

#[test]
fn streams_and_microphones_are_heard_like_files() {
    let bytes = tone(3.0, 330.0, 0.5);
    let heard = listen_stream(&bytes[..], &Crossings::new()).unwrap();
    assert_pitch(&heard.pieces[0].contour, 330.0);
    assert_eq!(heard.pieces[0].tags.title, None);
    let samples: Vec<f32> = (0..3 * 44_100).map(|i| (TAU * 330.0 * f64::from(i) / 44_100.0).sin() as f32).collect();
    let heard = listen_samples(&samples, 44_100, &Crossings::new()).unwrap();
    assert_pitch(&heard.pieces[0].contour, 330.0);
    assert_eq!(heard.pieces[0].tags.duration, Some(3.0));
}

/// `arecord` and `ffmpeg` write to a pipe before they know how long the recording will be.
#[test]
fn a_wav_of_unknown_length_is_read_to_its_end() {
    for length in [0x7fff_f000u32, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] {
        let mut bytes = tone(2.0, 440.0, 0.5);
        let data = bytes.windows(4).position(|w| w == b"data").unwrap();
        bytes[4..8].copy_from_slice(&length.saturating_add(data as u32).to_le_bytes());
        bytes[data + 4..data + 8].copy_from_slice(&length.to_le_bytes());
        let heard = listen_stream(&bytes[..], &Crossings::new());
        let heard = heard.unwrap_or_else(|e| panic!("length {length:x}: {e}"));
        assert_eq!(heard.pieces[0].tags.duration, Some(2.0), "length {length:x}");
    }
}

#[test]
fn silence_is_told_from_a_missing_voice_and_from_shortness() {
    assert!(matches!(refusal("silent.wav", &tone(3.0, 440.0, 0.0)), ListenError::Silent { .. }));
    assert!(matches!(refusal("faint.wav", &tone(3.0, 440.0, 5e-5)), ListenError::Silent { .. }));
    assert!(matches!(refusal("short.wav", &tone(0.5, 440.0, 0.5)), ListenError::TooShort { .. }));
    let (_dir, path) = file("noise.wav", &tone(3.0, 440.0, 0.5));
    let deaf = Crossings { deaf: true, ..Crossings::new() };
    assert!(matches!(listen(&path, &deaf), Err(ListenError::NoVoice { .. })));
}

#[test]
fn bad_files_say_what_they_are() {
    assert!(matches!(refusal("empty.mp3", b""), ListenError::Audio(AudioError::Empty)));
    assert!(matches!(refusal("text.mp3", b"not a song\n"), ListenError::Audio(AudioError::NotAudio("text"))));
    assert!(matches!(refusal("empty.mid", b""), ListenError::Symbolic(_)));
    assert!(matches!(refusal("silent.mid", &midi(&[])), ListenError::Symbolic(_)));
    assert!(matches!(refusal("letter.txt", b"Dear reader,\n"), ListenError::Pitch(_)));
    let missing = listen(Path::new("/absent/song.mp3"), &Crossings::new()).unwrap_err();
    assert!(matches!(missing, ListenError::Audio(AudioError::Io(_))), "{missing}");
}

#[test]
fn scores_need_no_extractor() {
    for name in ["tune.mid", "mislabelled.mp3"] {
        let (_dir, path) = file(name, &midi(&[60, 62, 64]));
        let heard = listen(&path, &Crossings::new()).unwrap();
        assert_eq!(heard.pieces[0].contour.len(), 30);
        assert_eq!(heard.pieces[0].contour.pitch[15], 62.0);
        assert_eq!(heard.pieces[0].pitch, None);
    }
    let heard = listen_stream(&midi(&[60, 62, 64])[..], &Crossings::new()).unwrap();
    assert_eq!(heard.pieces[0].contour.len(), 30);
}

#[test]
fn a_tune_book_gives_one_piece_per_tune() {
    let book = "X:1\nT:One\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n\nX:2\nT:Two\nM:4/4\nL:1/4\nK:C\ncBAG|FEDC|\n";
    let (_dir, path) = file("book.abc", book.as_bytes());
    let heard = listen(&path, &Crossings::new()).unwrap();
    let names: Vec<_> = heard.pieces.iter().map(|p| (p.member.as_deref(), p.tags.title.as_deref())).collect();
    assert_eq!(names, [(Some("1"), Some("One")), (Some("2"), Some("Two"))]);
    assert!(heard.pieces[0].contour != heard.pieces[1].contour);
}

#[test]
fn pitch_files_are_taken_as_they_are() {
    let rows: String = (0..300).map(|i| format!("{:.2} 220.0\n", f64::from(i) * 0.01)).collect();
    let (_dir, path) = file("hum.txt", rows.as_bytes());
    let heard = listen(&path, &Crossings::new()).unwrap();
    assert_eq!(heard.pieces[0].pitch.as_ref().unwrap().len(), 300);
    assert_pitch(&heard.pieces[0].contour, 220.0);
    assert_eq!(heard.pieces[0].tags.title.as_deref(), Some("hum"));
}
