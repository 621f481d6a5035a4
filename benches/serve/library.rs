//! A library of made-up melodies, and hums of some of them.

use midly::num::{u4, u7, u15, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};
use qbh_models::Note;
use qbh_synthesis::SAMPLE_RATE;
use qbh_synthesis::hum::record;
use qbh_synthesis::random::{Draw, stream};
use std::io::Cursor;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

/// Different hums that are sent in turn.
const HUMS: u64 = 16;
/// Where in its song a hum begins and ends, seconds.
const SECTION: Range<f32> = 20.0..30.0;
/// Notes of a song: two minutes or so.
const NOTES: usize = 240;

/// Writes and indexes so many songs.
pub fn make(dir: &Path, songs: u64) {
    let library = dir.join("library");
    std::fs::create_dir(&library).unwrap();
    for song in 0..songs {
        std::fs::write(library.join(format!("song{song:05}.mid")), midi(&melody(song))).unwrap();
    }
    let indexed = Command::new(env!("CARGO_BIN_EXE_qbh"))
        .args(["--index", "index", "index", "library", "-q"])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(indexed.status.success(), "{}", String::from_utf8_lossy(&indexed.stderr));
}

/// Hums of ten seconds, as files.
pub fn hums(songs: u64) -> Vec<Vec<u8>> {
    let hum = |i: u64| {
        let samples = record(&melody(i * songs / HUMS), SECTION, 1.1, 0.5, &mut stream(1, 1, i as u32));
        wav(&samples)
    };
    (0..HUMS).map(hum).collect()
}

fn melody(seed: u64) -> Vec<Note> {
    const SCALE: [f32; 7] = [0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0];
    let draw: &mut Draw = &mut stream(seed, 0, 0);
    let (mut degree, mut onset) = (3i32, 0.0);
    (0..NOTES)
        .map(|_| {
            degree = (degree + [-3, -2, -1, -1, 0, 1, 1, 2, 4][draw.index(9)]).clamp(-4, 10);
            let pitch = 60.0 + 12.0 * degree.div_euclid(7) as f32 + SCALE[degree.rem_euclid(7) as usize];
            let duration = [0.25, 0.25, 0.5, 0.5, 0.75, 1.0][draw.index(6)];
            let note = Note { onset, duration, pitch };
            onset += duration;
            note
        })
        .collect()
}

fn midi(notes: &[Note]) -> Vec<u8> {
    let event =
        |ticks: u32, message| TrackEvent { delta: u28::new(ticks), kind: TrackEventKind::Midi { channel: u4::new(0), message } };
    let sound = |note: &Note| {
        let key = u7::new(note.pitch as u8);
        let on = event(0, MidiMessage::NoteOn { key, vel: u7::new(90) });
        [on, event((note.duration * 960.0) as u32, MidiMessage::NoteOff { key, vel: u7::new(0) })]
    };
    let mut track: Vec<TrackEvent<'_>> = notes.iter().flat_map(sound).collect();
    track.push(TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(MetaMessage::EndOfTrack) });
    let mut smf = Smf::new(Header::new(Format::SingleTrack, Timing::Metrical(u15::new(480))));
    smf.tracks.push(track);
    let mut bytes = Vec::new();
    smf.write_std(&mut bytes).unwrap();
    bytes
}

fn wav(samples: &[f32]) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for &sample in samples {
        writer.write_sample((sample.clamp(-1.0, 1.0) * 32767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}
