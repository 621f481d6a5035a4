//! A temporary folder, small made-up music in it, and the real binary run on it.
#![allow(dead_code)] // every test file uses its own part

#[cfg(feature = "serve")]
pub mod server;
pub mod skipped;

use qbh_models::Note;
use qbh_synthesis::SAMPLE_RATE;
use qbh_synthesis::level::normalise;
use qbh_synthesis::random::Draw;
use qbh_synthesis::voice::{VoiceStyle, sing};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A temporary folder with a `library` and an `index` inside.
pub struct Dir {
    temp: TempDir,
}

/// What a run of the binary left.
pub struct Ran {
    /// Exit status; -1 when a signal ended it.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Dir {
    pub fn new() -> Self {
        let dir = Dir { temp: TempDir::with_prefix("qbh-test-").unwrap() };
        std::fs::create_dir(dir.library()).unwrap();
        dir
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    pub fn library(&self) -> PathBuf {
        self.path("library")
    }

    pub fn index(&self) -> PathBuf {
        self.path("index")
    }

    /// Writes a file into the library.
    pub fn add(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.library().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The binary with this folder's index, nothing of the user's own, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qbh"));
        command
            .args(args)
            .current_dir(self.temp.path())
            .env("QBH_INDEX", self.index())
            .env("XDG_DATA_HOME", self.path("data"))
            .env("NO_COLOR", "1")
            .env_remove("QBH_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        let ran: Ran = self.command(args).output().unwrap().into();
        assert!(!ran.stderr.contains("panicked"), "{args:?} panicked:\n{}", ran.stderr);
        ran
    }

    /// Runs the binary, which must succeed.
    pub fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.status, 0, "qbh {args:?}\n{}{}", ran.stdout, ran.stderr);
        ran
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A path as an argument.
pub fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A made-up melody: `(MIDI pitch, seconds)` of each note, 0 for a rest. Equal seeds, equal melodies.
pub fn melody(seed: u64, notes: usize) -> Vec<(u8, f32)> {
    const SCALE: [i32; 7] = [0, 2, 4, 5, 7, 9, 11];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = |n: i32| {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as i32 % n
    };
    let mut degree = random(7);
    (0..notes)
        .map(|_| {
            degree = (degree + [-3, -2, -1, -1, 0, 1, 1, 2, 4][random(9) as usize]).clamp(-4, 10);
            let pitch = 60 + 12 * degree.div_euclid(7) + SCALE[degree.rem_euclid(7) as usize];
            (pitch as u8, [0.25, 0.25, 0.5, 0.5, 0.75, 1.0][random(6) as usize])
        })
        .collect()
}

/// A melody as a pitch file: `time f0` rows every 10 ms, transposed by `shift` semitones and played `tempo` times as fast.
pub fn pitch_text(melody: &[(u8, f32)], shift: f32, tempo: f32) -> String {
    let mut text = String::new();
    let (mut from, mut frame) = (0.0, 0);
    for &(pitch, seconds) in melody {
        let end = from + seconds / tempo;
        // A short rest between notes, as singers breathe.
        let f0 = 440.0 * ((f32::from(pitch) + shift - 69.0) / 12.0).exp2();
        while (frame as f32) * 0.01 < end {
            let time = frame as f32 * 0.01;
            let voiced = pitch > 0 && time < end - 0.03;
            text.push_str(&format!("{time:.2} {:.4}\n", if voiced { f0 } else { 0.0 }));
            frame += 1;
        }
        from = end;
    }
    text
}

/// A melody as a Standard MIDI File (format 0, 120 beats a minute).
pub fn midi(melody: &[(u8, f32)]) -> Vec<u8> {
    use midly::num::{u4, u7, u15, u28};
    use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};
    let event =
        |ticks: u32, message| TrackEvent { delta: u28::new(ticks), kind: TrackEventKind::Midi { channel: u4::new(0), message } };
    let mut track = Vec::new();
    let mut rest = 0;
    for &(pitch, seconds) in melody {
        let (key, ticks) = (u7::new(pitch), (seconds * 960.0) as u32);
        if pitch == 0 {
            rest += ticks;
            continue;
        }
        track.push(event(std::mem::take(&mut rest), MidiMessage::NoteOn { key, vel: u7::new(90) }));
        track.push(event(ticks, MidiMessage::NoteOff { key, vel: u7::new(0) }));
    }
    track.push(TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(MetaMessage::EndOfTrack) });
    let mut smf = Smf::new(Header::new(Format::SingleTrack, Timing::Metrical(u15::new(480))));
    smf.tracks.push(track);
    let mut bytes = Vec::new();
    smf.write_std(&mut bytes).unwrap();
    bytes
}

/// A melody as somebody sings it, transposed and at another tempo, 16 kHz mono; the same on every call.
pub fn hum(melody: &[(u8, f32)], shift: f32, tempo: f32) -> Vec<f32> {
    let mut onset = 0.0;
    let mut notes = Vec::new();
    for &(pitch, seconds) in melody {
        let duration = seconds / tempo;
        if pitch > 0 {
            notes.push(Note { onset, duration, pitch: f32::from(pitch) + shift });
        }
        onset += duration;
    }
    let mut style = VoiceStyle { vibrato: 0.0, intonation: 0.0, inflection: 0.0, scoop: 0.0, fall: 0.0, ..VoiceStyle::clean() };
    (style.drift, style.portamento) = (0.03, (0.008, 0.02));
    let mut samples = sing(&notes, &style, (onset * SAMPLE_RATE as f32) as usize, &mut Draw::new(1)).samples;
    normalise(&mut samples, 0.15);
    samples
}

/// 16-bit WAV bytes of interleaved samples.
pub fn wav(samples: &[f32], rate: u32, channels: u16) -> Vec<u8> {
    let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for &sample in samples {
        writer.write_sample((sample.clamp(-1.0, 1.0) * 32767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}
