use super::{complaint, melody, notes};
use crate::symbolic::Format::Midi;
use crate::symbolic::parse;

/// A track chunk of events given as (delta ticks below 128, bytes).
fn track(events: &[(u8, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (delta, bytes) in events {
        body.push(*delta);
        body.extend_from_slice(bytes);
    }
    body.extend([0, 0xff, 0x2f, 0]);
    let mut chunk = b"MTrk".to_vec();
    chunk.extend((body.len() as u32).to_be_bytes());
    chunk.extend(body);
    chunk
}

fn file(format: u8, division: [u8; 2], tracks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"MThd\0\0\0\x06\0".to_vec();
    bytes.extend([format, 0, tracks.len() as u8, division[0], division[1]]);
    bytes.extend(tracks.concat());
    bytes
}

fn name(text: &str) -> Vec<u8> {
    [&[0xff, 0x03, text.len() as u8], text.as_bytes()].concat()
}

/// 24 ticks per quarter note.
const TICKS: [u8; 2] = [0, 24];

#[test]
fn tempo_of_another_track_running_status_and_silent_note_on() {
    let tempi = track(&[
        (0, &name("My Song")),
        (0, &[0xff, 0x51, 3, 0x0f, 0x42, 0x40]),  // 1 s per quarter
        (24, &[0xff, 0x51, 3, 0x07, 0xa1, 0x20]), // 0.5 s per quarter
        (1, &[0xff, 0x51, 3, 0, 0, 0]),           // no tempo at all
    ]);
    let tune = track(&[(0, &[0x90, 60, 100]), (24, &[60, 0]), (0, &[62, 100]), (24, &[0x80, 62, 0])]);
    let bytes = file(1, TICKS, &[tempi, tune]);
    assert_eq!(notes(Midi, &bytes), [(0.0, 1.0, 60.0), (1.0, 0.5, 62.0)]);
    assert_eq!(melody(Midi, &bytes).title.as_deref(), Some("My Song"));
}

#[test]
fn format_0_leaves_out_drums_and_takes_the_named_program() {
    let all = track(&[
        (0, &[0xc0, 33]),
        (0, &[0x99, 70, 100]),
        (0, &[0x90, 36, 100]),
        (0, &[0x91, 72, 100]),
        (24, &[0x81, 72, 0]),
        (0, &[0x80, 36, 0]),
        (0, &[0x89, 70, 0]),
    ]);
    assert_eq!(notes(Midi, &file(0, TICKS, &[all])), [(0.0, 0.5, 72.0)]);
}

#[test]
fn format_2_gives_a_melody_a_track_at_its_own_tempo() {
    let slow = track(&[(0, &[0xff, 0x51, 3, 0x0f, 0x42, 0x40]), (0, &[0x90, 40, 1]), (24, &[0x80, 40, 0])]);
    let named = track(&[(0, &name("Evening Song")), (0, &[0x90, 60, 1]), (24, &[0x80, 60, 0])]);
    let melodies = parse(Midi, &file(2, TICKS, &[slow, track(&[]), named])).unwrap();
    let found: Vec<_> =
        melodies.iter().map(|m| (m.id.as_deref(), m.title.as_deref(), m.notes[0].pitch, m.notes[0].duration)).collect();
    assert_eq!(found, [(Some("1"), None, 40.0, 1.0), (Some("3"), Some("Evening Song"), 60.0, 0.5)]);
}

#[test]
fn riff_around_a_midi_file() {
    let tune = file(0, TICKS, &[track(&[(0, &[0x90, 60, 1]), (24, &[0x80, 60, 0])])]);
    for size in [tune.len() as u32, 0, u32::MAX] {
        let riff = [b"RIFF", &size.to_le_bytes()[..], b"RMIDdata", &size.to_le_bytes(), &tune].concat();
        assert_eq!(notes(Midi, &riff), [(0.0, 0.5, 60.0)]);
    }
}

#[test]
fn smpte_time() {
    // 25 frames of 4 ticks: 10 ms per tick, whatever the tempo says.
    let tune = track(&[(0, &[0xff, 0x51, 3, 0x0f, 0x42, 0x40]), (100, &[0x90, 60, 1]), (50, &[0x80, 60, 0])]);
    assert_eq!(notes(Midi, &file(0, [0xe7, 4], &[tune])), [(1.0, 0.5, 60.0)]);
}

#[test]
fn hanging_and_repeated_notes_end() {
    let tune = track(&[
        (0, &[0x90, 60, 1]),
        (24, &[0x90, 64, 1]),
        (24, &[0x90, 64, 1]),
        (24, &[0x80, 64, 0]),
        (0, &[0x90, 65, 1]),
        (48, &[0xb0, 7, 0]),
    ]);
    let expected = [(0.0, 0.5, 60.0), (0.5, 0.5, 64.0), (1.0, 0.5, 64.0), (1.5, 1.0, 65.0)];
    assert_eq!(notes(Midi, &file(0, TICKS, &[tune])), expected);
}

#[test]
fn lyrics_and_karaoke_titles() {
    let words = track(&[(0, &name("Words")), (0, b"\xff\x01\x06@TSong"), (0, b"\xff\x01\x08@TSinger")]);
    let tune = track(&[(0, &[0x90, 60, 1]), (24, &[0x80, 60, 0])]);
    let found = melody(Midi, &file(1, TICKS, &[words, tune]));
    assert_eq!((found.title.as_deref(), found.artist.as_deref()), (Some("Song"), Some("Singer")));
}

#[test]
fn a_file_cut_off_gives_what_it_holds() {
    let tune = track(&[(0, &[0x90, 60, 1]), (24, &[0x80, 60, 0]), (0, &[0x90, 62, 1]), (24, &[0x80, 62, 0])]);
    let bytes = file(0, TICKS, &[tune]);
    assert_eq!(notes(Midi, &bytes[..bytes.len() - 10]), [(0.0, 0.5, 60.0)]);
}

#[test]
fn complaints_say_what_is_wrong() {
    let empty = file(1, TICKS, &[track(&[])]);
    assert_eq!(complaint(Midi, &empty), "MIDI: no melody: its 1 tracks hold no notes");
    let drums = file(1, TICKS, &[track(&[(0, &[0x99, 38, 90]), (24, &[0x89, 38, 0])])]);
    assert_eq!(complaint(Midi, &drums), "MIDI: no melody: its only notes are 1 drum strokes (channel 10)");
    assert!(complaint(Midi, &file(0, [0, 0], &[track(&[])])).contains("division of 0"));
    assert!(complaint(Midi, &file(0, [0x80, 4], &[track(&[])])).contains("SMPTE"));
    assert!(complaint(Midi, &file(0, TICKS, &[])).contains("cut off"));
    assert!(complaint(Midi, b"").contains("MThd"));
    assert!(complaint(Midi, b"RIFF").contains("header"));
    assert!(complaint(Midi, b"a letter named .mid").contains("MThd"));
}

#[test]
fn absolute_times_in_place_of_deltas_are_repaired() {
    // Ten notes, one every 8 "ticks" (0.17 s), each 4 long, but every delta is the time since the start.
    let keys: Vec<[u8; 3]> = (0..10).flat_map(|i| [[0x90, 60 + i, 90], [0x80, 60 + i, 0]]).collect();
    let events = |step: u8| keys.iter().enumerate().map(|(i, e)| (i as u8 * step, &e[..])).collect::<Vec<_>>();
    let found = notes(Midi, &file(0, TICKS, &[track(&events(4))]));
    assert_eq!(found[1], (0.167, 0.083, 61.0));
    assert_eq!(found[9], (1.5, 0.083, 69.0));
    // At one note per 40 ms their unit cannot be ticks either: they get the pace of singing.
    let found = notes(Midi, &file(0, TICKS, &[track(&events(1))]));
    assert_eq!((found[1], found[9]), ((0.5, 0.25, 61.0), (4.5, 0.25, 69.0)));
    // Even notes stay as they are.
    let even: Vec<(u8, &[u8])> = keys.iter().map(|e| (6, &e[..])).collect();
    assert_eq!(notes(Midi, &file(0, TICKS, &[track(&even)]))[9], (2.375, 0.125, 69.0));
}
