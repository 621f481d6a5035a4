//! From any file to the tunes it holds: recordings through the extractor, scores and pitch files as they are.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use qbh_index::Tags;
use qbh_models::extractor::{Extractor, MAX_SECTION};
use qbh_models::{Contour, PitchTrack};

use super::ListenError;
use crate::audio::{self, AudioError, AudioStream};
use crate::pitchfile;
use crate::symbolic::{self, Format, Melody, SymbolicError};

mod bytes;

pub use bytes::listen_bytes;

/// Below this peak a section is silence: -80 dB, the noise of a 16-bit converter. Full scale is 1.
const SILENCE: f32 = 1e-4;

/// Recordings below this length hold no tune, seconds.
const MIN_SECONDS: f64 = 1.0;

/// A contour with fewer voiced steps (100 ms each) holds no tune.
const MIN_VOICED_STEPS: usize = 10;

/// The largest file that is listened to, bytes: ten days of MP3, or a day of uncompressed sound.
pub const MAX_BYTES: u64 = 16_000_000_000;

/// Bytes by which a MIDI file is told.
const MIDI_HEAD: u64 = 12;

/// One tune.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Its name within a file that holds several (a tune book); `None` where the file is the piece.
    pub member: Option<String>,
    /// What is known about it. The title falls back to the file's name without extension.
    pub tags: Tags,
    /// The melody.
    pub contour: Contour,
    /// The pitch track it came from; `None` for scores.
    pub pitch: Option<PitchTrack>,
}

/// What was heard in a file, and how long it took.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// The tunes, at least one.
    pub pieces: Vec<Piece>,
    /// Time spent reading and decoding.
    pub decode: Duration,
    /// Time spent in the extractor.
    pub extract: Duration,
    /// What a person should know about a recording that was not whole.
    pub remark: Option<String>,
}

/// Listens to a file: a score or a pitch file by its extension, else a recording by its content.
///
/// # Errors
/// Whatever keeps the file from having a melody, silence included.
pub fn listen(path: &Path, extractor: &dyn Extractor) -> Result<Heard, ListenError> {
    let bytes = path.metadata().map_err(AudioError::from)?.len();
    if bytes > MAX_BYTES {
        return Err(ListenError::TooLarge { bytes, most: MAX_BYTES });
    }
    let title = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let start = Instant::now();
    let mut heard = if symbolic::is_symbolic(path) {
        scores(symbolic::read_each(path)?, start)?
    } else if pitchfile::is_pitch_file(path) {
        pitch(pitchfile::read(path)?, start)?
    } else if begins_as_midi(path)? {
        score(Format::Midi, &std::fs::read(path).map_err(AudioError::from)?, start)?
    } else {
        recording(audio::open(path, extractor.sample_rate())?, extractor, start)?
    };
    if let Some(remark) = &heard.remark {
        tracing::warn!("{}: {remark}", path.display());
    }
    for piece in &mut heard.pieces {
        if piece.tags.title.is_none() {
            piece.tags.title = match (&title, &piece.member) {
                (Some(title), Some(member)) => Some(format!("{title} {member}")),
                (title, _) => title.clone(),
            };
        }
    }
    Ok(heard)
}

/// Listens to a recording or a MIDI file that comes as a stream, as from standard input.
///
/// # Errors
/// As [`listen`].
pub fn listen_stream(stream: impl Read, extractor: &dyn Extractor) -> Result<Heard, ListenError> {
    let start = Instant::now();
    let bytes = audio::read_stream(stream)?;
    if is_midi(&bytes) {
        return score(Format::Midi, &bytes, start);
    }
    recording(audio::open_bytes(bytes, extractor.sample_rate())?, extractor, start)
}

/// The pitch track of a recording, be there a melody in it or not: for measuring.
///
/// # Errors
/// Whatever keeps the file from being decoded.
pub fn pitch_track(path: &Path, extractor: &dyn Extractor) -> Result<PitchTrack, ListenError> {
    let mut ear = Ear::new(extractor);
    ear.hear_all(&mut audio::open(path, extractor.sample_rate())?)?;
    Ok(ear.pitch)
}

/// Listens to mono samples of `rate` Hz, as from a microphone.
///
/// # Errors
/// As [`listen`].
pub fn listen_samples(samples: &[f32], rate: u32, extractor: &dyn Extractor) -> Result<Heard, ListenError> {
    let start = Instant::now();
    let samples = audio::resample(samples, rate, extractor.sample_rate())?;
    hummed(&samples, extractor, start)
}

/// What is heard in all samples of a hum, which are at the extractor's rate.
fn hummed(samples: &[f32], extractor: &dyn Extractor, start: Instant) -> Result<Heard, ListenError> {
    let mut ear = Ear::new(extractor);
    for section in samples.chunks(ear.section()) {
        ear.hear(section)?;
    }
    ear.done(Tags::default(), start)
}

fn recording(mut stream: AudioStream, extractor: &dyn Extractor, start: Instant) -> Result<Heard, ListenError> {
    let mut ear = Ear::new(extractor);
    ear.hear_all(&mut stream)?;
    let audio::Tags { title, artist, album } = stream.tags();
    let tags = Tags { title, artist, album, duration: Some(ear.seconds()) };
    Ok(Heard { remark: stream.remark(), ..ear.done(tags, start)? })
}

/// Extracts the pitch of a recording section by section, so that a long one takes no more memory than a section.
struct Ear<'a> {
    extractor: &'a dyn Extractor,
    pitch: PitchTrack,
    samples: u64,
    peak: f32,
    extract: Duration,
}

impl<'a> Ear<'a> {
    fn new(extractor: &'a dyn Extractor) -> Self {
        Ear { extractor, pitch: PitchTrack::default(), samples: 0, peak: 0.0, extract: Duration::ZERO }
    }

    /// Samples in a section: whole hops, so that the tracks of two sections fit together.
    fn section(&self) -> usize {
        (MAX_SECTION * f64::from(self.extractor.sample_rate())) as usize
    }

    fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(self.extractor.sample_rate())
    }

    fn hear_all(&mut self, stream: &mut AudioStream) -> Result<(), ListenError> {
        let mut samples = Vec::new();
        loop {
            stream.read(self.section(), &mut samples)?;
            if samples.is_empty() {
                return Ok(());
            }
            self.hear(&samples)?;
        }
    }

    fn hear(&mut self, section: &[f32]) -> Result<(), ListenError> {
        let start = Instant::now();
        let peak = section.iter().fold(0.0f32, |peak, s| peak.max(s.abs()));
        let track = if peak < SILENCE {
            let frames = (section.len() * 100).div_ceil(self.extractor.sample_rate() as usize);
            PitchTrack::from_f0(vec![0.0; frames])
        } else {
            self.extractor.extract(section)?
        };
        self.pitch.append(track);
        self.samples += section.len() as u64;
        self.peak = self.peak.max(peak);
        self.extract += start.elapsed();
        Ok(())
    }

    fn done(self, tags: Tags, start: Instant) -> Result<Heard, ListenError> {
        let seconds = self.seconds();
        if seconds < MIN_SECONDS {
            return Err(ListenError::TooShort { seconds });
        }
        if self.peak < SILENCE {
            return Err(ListenError::Silent { seconds });
        }
        let pieces = vec![piece(self.pitch, tags)?];
        Ok(Heard { pieces, decode: start.elapsed().saturating_sub(self.extract), extract: self.extract, remark: None })
    }
}

/// The piece of a pitch track.
fn piece(pitch: PitchTrack, mut tags: Tags) -> Result<Piece, ListenError> {
    let contour = Contour::from_pitch_track(&pitch);
    if contour.pitch.iter().filter(|&&p| p > 0.0).count() < MIN_VOICED_STEPS {
        return Err(ListenError::NoVoice { seconds: pitch.duration() });
    }
    tags.duration.get_or_insert(pitch.duration());
    Ok(Piece { member: None, tags, contour, pitch: Some(pitch) })
}

/// What a pitch file holds.
fn pitch(track: PitchTrack, start: Instant) -> Result<Heard, ListenError> {
    Ok(Heard { pieces: vec![piece(track, Tags::default())?], decode: start.elapsed(), ..Heard::default() })
}

/// The pieces of a score whose bytes are at hand.
fn score(format: Format, bytes: &[u8], start: Instant) -> Result<Heard, ListenError> {
    scores(symbolic::parse(format, bytes)?.into_iter().map(Ok), start)
}

/// The pieces of a score, one after the other: of its notes no more are kept than those of one. Of several, those without a name are numbered.
fn scores(melodies: impl IntoIterator<Item = Result<Melody, SymbolicError>>, start: Instant) -> Result<Heard, ListenError> {
    let (mut pieces, mut count) = (Vec::new(), 0);
    for melody in melodies {
        let melody = melody?;
        count += 1;
        if let Some(part) = &melody.part {
            tracing::info!("the melody of {}: {part}", melody.title.as_deref().unwrap_or("it"));
        }
        let contour = Contour::from_notes(&melody.notes);
        let tags = Tags { title: melody.title, artist: melody.artist, album: None, duration: Some(contour.duration()) };
        if !contour.is_empty() {
            pieces.push((count, Piece { member: melody.id, tags, contour, pitch: None }));
        }
    }
    let named = |(number, mut piece): (usize, Piece)| {
        if count > 1 {
            piece.member.get_or_insert_with(|| number.to_string());
        }
        piece
    };
    let pieces: Vec<Piece> = pieces.into_iter().map(named).collect();
    if pieces.is_empty() {
        return Err(ListenError::TooShort { seconds: 0.0 });
    }
    Ok(Heard { pieces, decode: start.elapsed(), ..Heard::default() })
}

/// Whether a MIDI file goes by another name. Pipes are not asked: what is read from them is gone.
fn begins_as_midi(path: &Path) -> Result<bool, AudioError> {
    if !path.metadata()?.is_file() {
        return Ok(false);
    }
    let mut head = Vec::new();
    File::open(path)?.take(MIDI_HEAD).read_to_end(&mut head)?;
    Ok(is_midi(&head))
}

/// Whether bytes begin as a Standard MIDI File does, or one in RIFF.
fn is_midi(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MThd") || bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"RMID")
}

#[cfg(test)]
mod tests;
