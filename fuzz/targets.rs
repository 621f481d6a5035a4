//! What is fuzzed: one function for each parser of bytes from outside. `tests/mutations.rs` calls them too, with mutations that are always the same.

use qbh::audio;
use qbh::pitchfile::{self, PitchFormat, PvFrames};
use qbh::symbolic::{self, Format};

/// A recording of any kind, decoded to its end, or for a minute; the kinds differ by their seeds.
pub fn audio(data: &[u8]) {
    const RATE: u32 = 16_000;
    let Ok(mut stream) = audio::open_bytes(data.to_vec(), RATE) else { return };
    let mut samples = 0;
    while let Ok(Some(chunk)) = stream.next_chunk() {
        assert!(chunk.iter().all(|sample| sample.is_finite()));
        samples += chunk.len();
        if samples > 60 * RATE as usize {
            break;
        }
    }
    stream.tags();
    stream.remark();
}

fn score(format: Format, data: &[u8]) {
    if let Ok(melodies) = symbolic::parse(format, data) {
        assert!(!melodies.is_empty());
        for note in melodies.iter().flat_map(|melody| &melody.notes) {
            assert!(note.onset >= 0.0 && note.duration >= 0.0 && (0.0..=140.0).contains(&note.pitch));
        }
    }
}

pub fn midi(data: &[u8]) {
    score(Format::Midi, data);
}

pub fn musicxml(data: &[u8]) {
    score(Format::MusicXml, data);
}

pub fn abc(data: &[u8]) {
    score(Format::Abc, data);
}

pub fn kern(data: &[u8]) {
    score(Format::Kern, data);
}

pub fn json_lines(data: &[u8]) {
    score(Format::JsonLines, data);
}

pub fn ultrastar(data: &[u8]) {
    score(Format::UltraStar, data);
    Format::of_text(data);
}

pub fn note_list(data: &[u8]) {
    score(Format::NoteList, data);
    Format::of_text(data);
}

pub fn pitch_rows(data: &[u8]) {
    let _ = pitchfile::parse(PitchFormat::Rows, data);
}

pub fn pitch_pv(data: &[u8]) {
    let _ = pitchfile::parse(PitchFormat::Pv(PvFrames::MIR_QBSH), data);
}

pub fn pitch_json(data: &[u8]) {
    let _ = pitchfile::parse(PitchFormat::Json, data);
}

/// The pickle of a PyTorch file.
#[cfg(fuzzing)]
pub fn pickle(data: &[u8]) {
    qbh_models::import::is_pickle(data);
}
