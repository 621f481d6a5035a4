//! Audio in: any recording as a stream of mono samples at the rate asked for, with its tags.
//!
//! `sniff` (what is this file?) -> `container` (its packets) -> `decode` (track, codec) -> `mix` (to mono) -> `qbh_models::resample`; `tags` beside it.
//! Nothing here keeps more than some packets in memory, however long the recording is.

mod container;
mod decode;
mod edit_list;
mod error;
#[cfg(feature = "mic")]
pub mod microphone;
mod mix;
mod payload;
mod sniff;
mod tags;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use symphonia::core::io::MediaSource;

use decode::Decoder;
pub use error::AudioError;
use qbh_models::resample::{self, Resampler};
pub use tags::Tags;

/// The most that is taken from a stream that cannot be rewound, bytes.
pub const MAX_STREAM_BYTES: u64 = 512_000_000;

/// A filter for an odd rate takes long to make: a recording that changes its rate more often than this is taken to have round ones, Hz, which is off by
/// less than a quarter of a semitone.
const MOST_CHANGES: u32 = 1;
const ROUND_RATE: u32 = 50;

/// A recording on its way in: mono samples, full scale 1, at the rate it was opened with.
pub struct AudioStream {
    decoder: Decoder,
    rate: u32,
    resampler: Option<Resampler>,
    mono: Vec<f32>,
    /// Samples that are ready, from `given` on.
    ready: Vec<f32>,
    given: usize,
    ended: bool,
    /// How often the rate has changed on the way.
    changes: u32,
}

/// Opens a recording; its content decides what it is, not its name. `rate` in Hz.
pub fn open(path: &Path, rate: u32) -> Result<AudioStream, AudioError> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return open_reader(file, rate);
    }
    let mut head = Vec::new();
    file.take(sniff::HEAD as u64).read_to_end(&mut head)?;
    AudioStream::new(|| Ok(Box::new(File::open(path)?)), &head, rate)
}

/// A hash of what the recording sounds like, and its tags: equal for files that differ in name, tags and pictures only. Reads all of
/// the file and decodes nothing.
pub fn identify(path: &Path) -> Result<(u128, Tags), AudioError> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(AudioError::NotAudio("no file"));
    }
    payload::identify(&|| Ok(Box::new(File::open(path)?)))
}

/// Opens a recording that comes as a stream (standard input, a pipe): [`read_stream`], then [`open_bytes`].
pub fn open_reader(reader: impl Read, rate: u32) -> Result<AudioStream, AudioError> {
    open_bytes(read_stream(reader)?, rate)
}

/// Reads a stream to its end, at most [`MAX_STREAM_BYTES`]: some containers tell at their end how they begin.
pub fn read_stream(reader: impl Read) -> Result<Vec<u8>, AudioError> {
    let mut bytes = Vec::new();
    reader.take(MAX_STREAM_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_STREAM_BYTES {
        return Err(AudioError::TooLarge(MAX_STREAM_BYTES));
    }
    Ok(bytes)
}

/// Opens a recording that is in memory.
pub fn open_bytes(bytes: Vec<u8>, rate: u32) -> Result<AudioStream, AudioError> {
    let bytes: Arc<[u8]> = bytes.into();
    let head = &bytes[..bytes.len().min(sniff::HEAD)];
    AudioStream::new(|| Ok(Box::new(Cursor::new(Arc::clone(&bytes)))), head, rate)
}

/// Brings mono `samples` from one rate to another, both in Hz and above 0.
pub fn resample(samples: &[f32], from: u32, to: u32) -> Result<Vec<f32>, AudioError> {
    Ok(resample::resample(samples, from, to)?)
}

impl AudioStream {
    fn new(source: impl Fn() -> std::io::Result<Box<dyn MediaSource>>, head: &[u8], rate: u32) -> Result<Self, AudioError> {
        sniff::check(head)?;
        let mut decoder = Decoder::open(&source)?;
        if let Some(track) = decoder.mp4_track() {
            let (delay, seconds) = edit_list::edit(source()?, track);
            decoder.keep(delay, seconds);
        }
        Ok(AudioStream {
            decoder,
            rate,
            resampler: None,
            mono: Vec::new(),
            ready: Vec::new(),
            given: 0,
            ended: false,
            changes: 0,
        })
    }

    /// Samples per second of what it yields.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// What the file has told about itself so far. Some containers have tags at their end: ask after the last chunk.
    pub fn tags(&mut self) -> Tags {
        self.decoder.tags()
    }

    /// What a person should know about a recording that has not been whole so far.
    pub fn remark(&self) -> Option<String> {
        self.decoder.remark()
    }

    /// The next samples, some hundreds to some ten thousands; `None` at the end.
    /// Damage is stepped over and a truncated file gives what it has: only a file without a single sample is an error.
    pub fn next_chunk(&mut self) -> Result<Option<&[f32]>, AudioError> {
        if !self.fill()? {
            return Ok(None);
        }
        let chunk = &self.ready[self.given..];
        self.given = self.ready.len();
        Ok(Some(chunk))
    }

    /// Replaces `samples` by the next `len` samples, fewer at the end, none after it.
    pub fn read(&mut self, len: usize, samples: &mut Vec<f32>) -> Result<(), AudioError> {
        samples.clear();
        while samples.len() < len && self.fill()? {
            let take = (len - samples.len()).min(self.ready.len() - self.given);
            samples.extend_from_slice(&self.ready[self.given..self.given + take]);
            self.given += take;
        }
        Ok(())
    }

    /// Makes sure that a sample is ready; false at the end.
    fn fill(&mut self) -> Result<bool, AudioError> {
        while self.given == self.ready.len() {
            if self.ended {
                return Ok(false);
            }
            self.ready.clear();
            self.given = 0;
            match self.decoder.next(&mut self.mono)? {
                Some(rate) => self.take(rate)?,
                None => {
                    self.ended = true;
                    self.flush()?;
                }
            }
        }
        Ok(true)
    }

    /// Brings the decoded samples to the rate asked for. Chained streams may change their rate on the way.
    fn take(&mut self, rate: u32) -> Result<(), AudioError> {
        let rate = if self.changes > MOST_CHANGES { rate.next_multiple_of(ROUND_RATE) } else { rate };
        if self.resampler.as_ref().map_or(self.rate, Resampler::from) != rate {
            self.changes += 1;
            self.flush()?;
            self.resampler = (rate != self.rate).then(|| Resampler::new(rate, self.rate)).transpose()?;
        }
        match &mut self.resampler {
            Some(resampler) => Ok(resampler.push(&self.mono, &mut self.ready)?),
            None => {
                self.ready.append(&mut self.mono);
                Ok(())
            }
        }
    }

    fn flush(&mut self) -> Result<(), AudioError> {
        match self.resampler.take() {
            Some(mut resampler) => Ok(resampler.finish(&mut self.ready)?),
            None => Ok(()),
        }
    }
}
