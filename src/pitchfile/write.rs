//! Pitch tracks as text, CSV and MIDI.

use super::notes::segment;
use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Timing, TrackEvent, TrackEventKind};
use qbh_models::PitchTrack;
use qbh_models::pitch::PITCH_HOP;
use std::io::{self, Write};

/// Writes rows `%.2f %.4f` of time (s) and f0 (Hz, 0 = unvoiced), as the published extractors do.
pub fn write_text(track: &PitchTrack, out: &mut dyn Write) -> io::Result<()> {
    for (frame, f0) in track.f0.iter().enumerate() {
        writeln!(out, "{:.2} {f0:.4}", frame as f64 * PITCH_HOP)?;
    }
    Ok(())
}

/// Writes `time,f0,voicing` with that header: seconds, Hz (0 = unvoiced, negative = unvoiced with a guess), probability.
pub fn write_csv(track: &PitchTrack, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(["time", "f0", "voicing"])?;
    for (frame, (f0, voicing)) in track.signed_f0().zip(&track.voicing).enumerate() {
        table.write_record([format!("{:.2}", frame as f64 * PITCH_HOP), format!("{f0:.4}"), format!("{voicing:.4}")])?;
    }
    table.flush()
}

/// Ticks per quarter note, and microseconds per quarter note (120 per minute).
const TICKS: u16 = 480;
const TEMPO: u32 = 500_000;
const VELOCITY: u8 = 90;

/// Writes the notes of the track ([`segment`]) as a MIDI file of one track, each at the nearest semitone.
pub fn write_midi(track: &PitchTrack, out: &mut dyn Write) -> io::Result<()> {
    let ticks = |seconds: f32| (f64::from(seconds) * 1e6 / f64::from(TEMPO) * f64::from(TICKS)).round() as u32;
    let mut events = vec![TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(MetaMessage::Tempo(u24::new(TEMPO))) }];
    let mut now = 0;
    let mut push = |at: u32, message: MidiMessage| {
        events.push(TrackEvent {
            delta: u28::new(at.saturating_sub(now)),
            kind: TrackEventKind::Midi { channel: u4::new(0), message },
        });
        now = at;
    };
    for note in segment(track) {
        let key = u7::new(note.pitch.round().clamp(0.0, 127.0) as u8);
        push(ticks(note.onset), MidiMessage::NoteOn { key, vel: u7::new(VELOCITY) });
        push(ticks(note.offset()), MidiMessage::NoteOff { key, vel: u7::new(0) });
    }
    events.push(TrackEvent { delta: u28::new(0), kind: TrackEventKind::Meta(MetaMessage::EndOfTrack) });
    let header = Header::new(Format::SingleTrack, Timing::Metrical(u15::new(TICKS)));
    midly::write_std(&header, std::iter::once(&events), out)
}
