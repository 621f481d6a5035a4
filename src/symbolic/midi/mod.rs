//! Standard MIDI files.
//!
//! Ticks become seconds through one tempo map gathered from all tracks, or through the frame rate where the file counts in SMPTE frames. In format 2
//! each track is a piece by itself, and gives a melody. Each channel of each track is a part; [`choose`](super::choose) tells
//! which is the melody. Channel 10 is drums and never is. A damaged track counts as far as it can be read.

mod repair;

use super::choose::{Part, melody};
use super::tempo::TempoMap;
use super::{MAX_NOTES, Melody, Span, SymbolicError, check_count, text, to_notes};
use midly::{Format, Fps, Header, MetaMessage, MidiMessage, Timing, TrackEventKind};
use std::collections::BTreeMap;

const MIDI: &str = "MIDI";
/// The channel of drums, 0-based.
const DRUMS: u8 = 9;
/// What the standard plays until the first tempo event.
const DEFAULT_QPM: f64 = 120.0;
/// The end of a note whose note-off has not come (yet).
const OPEN: u64 = u64::MAX;

/// A track as read, times in ticks.
#[derive(Default)]
struct Track {
    name: String,
    instrument: String,
    /// (tick, microseconds per quarter note)
    tempi: Vec<(u64, u32)>,
    syllables: Vec<u64>,
    /// The `@T` texts of karaoke files: title, then artist.
    karaoke_titles: Vec<String>,
    channels: BTreeMap<u8, Channel>,
    end: u64,
    /// Its times were absolute, in a unit of its own ([`repair`]).
    repaired: bool,
}

#[derive(Default)]
struct Channel {
    program: Option<u8>,
    notes: Vec<KeyPress>,
    /// Index into `notes` of the sounding note of each key.
    sounding: BTreeMap<u8, usize>,
}

struct KeyPress {
    start: u64,
    end: u64,
    key: u8,
}

/// The melodies of a file: one, or of format 2 one for each track that has any.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Melody>, SymbolicError> {
    if !bytes.starts_with(b"MThd") && !bytes.starts_with(b"RIFF") {
        return Err(SymbolicError::malformed(MIDI, "header", "the file does not begin with MThd: it is not a MIDI file"));
    }
    let header_at = bytes.windows(4).take(256).position(|w| w == b"MThd").unwrap_or(0);
    // Around a RIFF file there may be sizes that make no sense.
    let bytes = &bytes[header_at..];
    if bytes.get(12) == Some(&0x80) {
        return Err(SymbolicError::malformed(MIDI, "header", "-128 frames per second is no SMPTE frame rate"));
    }
    let (header, tracks) =
        midly::parse(bytes).map_err(|e| SymbolicError::malformed(MIDI, "header", e.kind().message().to_string()))?;
    let ticks = ticks_per_beat(&header)?;
    let mut read: Vec<Track> = Vec::new();
    let (mut drum_notes, mut notes) = (0, 0);
    for events in tracks.flatten() {
        read.push(read_track(events, &mut drum_notes));
        notes += read[read.len() - 1].channels.values().map(|c| c.notes.len()).sum::<usize>();
        check_count(notes)?;
    }
    if read.is_empty() {
        return Err(SymbolicError::malformed(MIDI, "after the header", "the file is cut off: it has no track"));
    }
    if notes == 0 {
        let reason = match drum_notes {
            0 => format!("its {} tracks hold no notes", read.len()),
            n => format!("its only notes are {n} drum strokes (channel 10)"),
        };
        return Err(SymbolicError::no_notes(MIDI, reason));
    }
    if header.format != Format::Sequential || read.len() == 1 {
        let (title, artist) = titles(&read);
        let (spans, part) = melody_spans(&read, &header, ticks);
        return Ok(vec![Melody { id: None, title, artist, part, notes: to_notes(MIDI, spans)? }]);
    }
    let (mut melodies, mut failure) = (Vec::new(), None);
    for (number, track) in read.iter().enumerate().filter(|(_, t)| t.channels.values().any(|c| !c.notes.is_empty())) {
        let title = text::tag(&track.name).filter(|name| is_title(name));
        let (spans, part) = melody_spans(std::slice::from_ref(track), &header, ticks);
        match to_notes(MIDI, spans) {
            Ok(notes) => melodies.push(Melody { id: Some((number + 1).to_string()), title, artist: None, part, notes }),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if melodies.is_empty() => Err(error),
        _ => Ok(melodies),
    }
}

/// Ticks per quarter note, or per second in SMPTE time.
fn ticks_per_beat(header: &Header) -> Result<f64, SymbolicError> {
    let ticks = match header.timing {
        Timing::Metrical(per_quarter) => f64::from(per_quarter.as_int()),
        Timing::Timecode(fps, subframes) => {
            // 29 stands for the 30000/1001 frames per second of NTSC.
            let fps = if fps == Fps::Fps29 { 30_000.0 / 1001.0 } else { f64::from(fps.as_int()) };
            fps * f64::from(subframes)
        }
    };
    if ticks <= 0.0 {
        return Err(SymbolicError::malformed(MIDI, "header", "a division of 0 ticks gives the notes no time"));
    }
    Ok(ticks)
}

fn read_track(events: midly::EventIter, drum_notes: &mut usize) -> Track {
    let mut track = Track { repaired: repair::has_absolute_times(events.clone()), ..Track::default() };
    let mut words = false;
    for event in events.map_while(Result::ok) {
        let delta = u64::from(event.delta.as_int());
        track.end = if track.repaired { track.end.max(delta) } else { track.end + delta };
        let now = track.end;
        match event.kind {
            TrackEventKind::Midi { channel, message } => {
                let channel = channel.as_int();
                if channel == DRUMS {
                    *drum_notes += usize::from(matches!(message, MidiMessage::NoteOn { vel, .. } if vel > 0));
                } else {
                    track.channels.entry(channel).or_default().play(now, message);
                }
            }
            TrackEventKind::Meta(meta) => match meta {
                MetaMessage::Tempo(micros) if micros > 0 => track.tempi.push((now, micros.as_int())),
                MetaMessage::TrackName(name) if track.name.is_empty() => {
                    track.name = text::tag(&text::decode(name)).unwrap_or_default();
                    let name = track.name.to_lowercase();
                    words = name.contains("words") || name.contains("lyric");
                }
                MetaMessage::InstrumentName(name) if track.instrument.is_empty() => {
                    track.instrument = text::tag(&text::decode(name)).unwrap_or_default();
                }
                MetaMessage::Lyric(_) => track.syllables.push(now),
                MetaMessage::Text(text) => match text.strip_prefix(b"@T") {
                    Some(title) if track.karaoke_titles.len() < 2 => {
                        track.karaoke_titles.extend(text::tag(&text::decode(title)));
                    }
                    None if words && !text.starts_with(b"@") => track.syllables.push(now),
                    _ => {}
                },
                _ => {}
            },
            _ => {}
        }
    }
    let end = track.end;
    track.channels.values_mut().for_each(|c| c.release_hanging(end));
    track
}

impl Channel {
    fn play(&mut self, now: u64, message: MidiMessage) {
        match message {
            // One note too many is enough for the check of the whole.
            MidiMessage::NoteOn { .. } if self.notes.len() > MAX_NOTES => {}
            MidiMessage::NoteOn { key, vel } if vel > 0 => {
                self.release(key.as_int(), now);
                self.sounding.insert(key.as_int(), self.notes.len());
                self.notes.push(KeyPress { start: now, end: OPEN, key: key.as_int() });
            }
            MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => self.release(key.as_int(), now),
            MidiMessage::ProgramChange { program } if self.program.is_none() => self.program = Some(program.as_int()),
            _ => {}
        }
    }

    fn release(&mut self, key: u8, now: u64) {
        if let Some(index) = self.sounding.remove(&key) {
            self.notes[index].end = now;
        }
    }

    /// Notes that were never released end where the next note of the channel begins, the last at the end of the track.
    fn release_hanging(&mut self, end_of_track: u64) {
        let mut next = end_of_track;
        for i in (0..self.notes.len()).rev() {
            // Notes of one chord end together.
            if i + 1 < self.notes.len() && self.notes[i + 1].start > self.notes[i].start {
                next = self.notes[i + 1].start;
            }
            if self.notes[i].end == OPEN {
                self.notes[i].end = next;
            }
        }
    }
}

/// The melody of the tracks in seconds, and which part it is.
fn melody_spans(tracks: &[Track], header: &Header, ticks: f64) -> (Vec<Span>, Option<String>) {
    let changes = tracks.iter().flat_map(|t| &t.tempi);
    let map = match header.timing {
        Timing::Metrical(_) => {
            TempoMap::new(DEFAULT_QPM, changes.map(|&(at, us)| (at as f64 / ticks, 60e6 / f64::from(us))).collect())
        }
        // SMPTE ticks count seconds: tempo events mean nothing.
        Timing::Timecode(..) => TempoMap::new(60.0, Vec::new()),
    };
    let seconds = |tick: u64| map.seconds(tick as f64 / ticks);
    let (mut parts, mut syllables) = (Vec::new(), Vec::new());
    for track in tracks {
        syllables.extend(track.syllables.iter().map(|&t| seconds(t)));
        for channel in track.channels.values() {
            let span = |n: &KeyPress| Span { start: seconds(n.start), end: seconds(n.end), pitch: f64::from(n.key) };
            let mut notes: Vec<Span> = channel.notes.iter().map(span).collect();
            if track.repaired {
                repair::restore_pace(&mut notes);
            }
            let name = format!("{} {}", track.name, track.instrument);
            parts.push(Part { name, program: channel.program, notes, ..Part::default() });
        }
    }
    melody(parts, &syllables)
}

/// Title and artist: from karaoke texts, else the sequence name, which is the name of the first track, unless that track
/// plays among others (then it names the instrument) or the name says nothing.
fn titles(tracks: &[Track]) -> (Option<String>, Option<String>) {
    let mut karaoke = tracks.iter().flat_map(|t| t.karaoke_titles.iter().cloned());
    if let Some(title) = karaoke.next() {
        return (Some(title), karaoke.next());
    }
    let playing = tracks.iter().filter(|t| t.channels.values().any(|c| !c.notes.is_empty())).count();
    let names_sequence = |t: &&Track| playing == 1 || t.channels.values().all(|c| c.notes.is_empty());
    let name = tracks.first().filter(names_sequence).and_then(|t| text::tag(&t.name));
    (name.filter(|n| is_title(n)), None)
}

/// Whether a sequence name can be a title: not what programs write by themselves, not an instrument's role.
fn is_title(name: &str) -> bool {
    const GENERIC: [&str; 16] = [
        "untitled",
        "track",
        "sequence",
        "seq",
        "midi",
        "tempo",
        "control",
        "conductor",
        "piano",
        "unnamed",
        "new",
        "noname",
        "master",
        "instrument",
        "staff",
        "part",
    ];
    let lower = name.to_lowercase();
    let first_word = lower.split(|c: char| !c.is_alphabetic()).find(|w| !w.is_empty()).unwrap_or_default();
    !first_word.is_empty() && !GENERIC.contains(&first_word) && super::names::role(name) == super::names::Role::Unknown
}
