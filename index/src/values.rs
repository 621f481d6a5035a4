//! Songs, contours, vectors and files as bytes, and back: the same bytes in the store, the journal and the snapshot, so that each
//! can be compared with the others and put in their place.
//!
//! All vectors of a song are one value: seven times faster to write than one value each. Layout of that value, little-endian:
//! for each level of the fingerprint `steps: u16, count: u32, positions: [u16; count], scales: [f32; count],
//! vectors: [[i8; dimension]; count]`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::quantize::quantize;
use crate::{Error, Fingerprint, LevelWindows, Result, Song, SongId, Tags};

/// What is written about a song beside its contour and vectors; the id is its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SongRecord {
    pub key: String,
    pub tags: Tags,
    pub file: String,
    pub steps: u32,
    pub windows: Vec<u32>,
    /// Checksum of the bytes of the contour.
    pub contour_sum: u64,
    /// Checksum of the bytes of the vectors.
    pub vectors_sum: u64,
}

/// A song as bytes. Its record holds the checksums of the rest, so that two equal records mean two equal songs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SongBytes {
    pub record: Vec<u8>,
    pub contour: Vec<u8>,
    pub vectors: Vec<u8>,
}

impl SongBytes {
    /// From a record whose checksums are still to be set.
    pub(crate) fn new(mut record: SongRecord, contour: Vec<u8>, vectors: Vec<u8>) -> Result<SongBytes> {
        record.contour_sum = xxh3_64(&contour);
        record.vectors_sum = xxh3_64(&vectors);
        Ok(SongBytes { record: to_bytes(&record)?, contour, vectors })
    }

    /// The record, if contour and vectors are as it says.
    pub(crate) fn check(&self, id: SongId) -> Result<SongRecord> {
        let record = SongRecord::parse(id, &self.record)?;
        if record.contour_sum != xxh3_64(&self.contour) {
            return Err(Error::Damaged(format!("the contour of song {id} ({}) has another checksum", record.key)));
        }
        if record.vectors_sum != xxh3_64(&self.vectors) {
            return Err(Error::Damaged(format!("the vectors of song {id} ({}) have another checksum", record.key)));
        }
        Ok(record)
    }
}

impl SongRecord {
    pub(crate) fn parse(id: SongId, bytes: &[u8]) -> Result<SongRecord> {
        from_bytes(bytes, &format!("song {id}"))
    }

    /// Its key alone, which is the first of its fields.
    pub(crate) fn key_of(id: SongId, bytes: &[u8]) -> Result<&str> {
        let key = postcard::take_from_bytes(bytes).map_err(|e| Error::Damaged(format!("song {id}: {e}")))?;
        Ok(key.0)
    }

    pub(crate) fn into_song(self, id: SongId) -> Song {
        let SongRecord { key, tags, file, steps, windows, .. } = self;
        Song { id, key, tags, file, steps, windows }
    }
}

pub(crate) fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(|e| Error::Damaged(format!("cannot be written: {e}")))
}

pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|e| Error::Damaged(format!("{what}: {e}")))
}

/// Big-endian, so that the order of keys is the order of ids.
pub(crate) fn id_key(id: SongId) -> [u8; 8] {
    id.0.to_be_bytes()
}

pub(crate) fn id_of(key: &[u8]) -> Result<SongId> {
    let bytes = key.try_into().map_err(|_| Error::Damaged("a song's id is unreadable".into()))?;
    Ok(SongId(u64::from_be_bytes(bytes)))
}

/// Pitch in steps of 1/256 semitone.
pub(crate) fn encode_contour(contour: &[f32]) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(contour.len() * 2);
    for (i, &pitch) in contour.iter().enumerate() {
        if !(0.0..255.99).contains(&pitch) {
            return Err(format!("its contour has pitch {pitch} at step {i}, not within 0..256"));
        }
        bytes.extend_from_slice(&((pitch * 256.0).round() as u16).to_le_bytes());
    }
    Ok(bytes)
}

pub(crate) fn decode_contour(id: SongId, bytes: &[u8]) -> Result<Vec<f32>> {
    let (steps, []) = bytes.as_chunks::<2>() else {
        return Err(Error::Damaged(format!("the contour of song {id} is cut")));
    };
    Ok(steps.iter().map(|&b| f32::from(u16::from_le_bytes(b)) / 256.0).collect())
}

/// The windows of one level of one song, as stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LevelBytes<'a> {
    /// One u16 per window.
    pub positions: &'a [[u8; 2]],
    /// One f32 per window.
    pub scales: &'a [[u8; 4]],
    /// `dimension` int8 per window.
    pub vectors: &'a [u8],
}

/// Quantises and lays out the windows of a song. Levels that the song lacks are stored empty.
pub(crate) fn encode_vectors(fingerprint: &Fingerprint, given: &[LevelWindows]) -> std::result::Result<Vec<u8>, String> {
    let dimension = fingerprint.dimension as usize;
    for (i, level) in given.iter().enumerate() {
        if !fingerprint.levels.iter().any(|l| l.steps == level.steps) {
            return Err(format!("windows of {} steps are none of this index's lengths", level.steps));
        }
        if given[..i].iter().any(|other| other.steps == level.steps) {
            return Err(format!("windows of {} steps are given twice", level.steps));
        }
        if level.vectors.len() != level.positions.len() * dimension {
            return Err(format!(
                "{} windows of {} steps need {} values, not {}",
                level.positions.len(),
                level.steps,
                level.positions.len() * dimension,
                level.vectors.len()
            ));
        }
        if !level.positions.is_sorted() {
            return Err(format!("windows of {} steps are not in order of position", level.steps));
        }
        if !level.vectors.iter().all(|x| x.is_finite()) {
            return Err(format!("a vector of a window of {} steps is not finite", level.steps));
        }
    }
    let mut bytes = Vec::new();
    for level in &fingerprint.levels {
        let windows = given.iter().find(|w| w.steps == level.steps);
        let (positions, vectors) = windows.map_or((&[][..], &[][..]), |w| (&w.positions[..], &w.vectors[..]));
        bytes.extend_from_slice(&level.steps.to_le_bytes());
        bytes.extend_from_slice(&(positions.len() as u32).to_le_bytes());
        positions.iter().for_each(|p| bytes.extend_from_slice(&p.to_le_bytes()));
        let mut quantized = vec![0i8; vectors.len()];
        for (out, vector) in quantized.chunks_exact_mut(dimension).zip(vectors.chunks_exact(dimension)) {
            bytes.extend_from_slice(&quantize(vector, out).to_le_bytes());
        }
        bytes.extend(quantized.iter().map(|&x| x as u8));
    }
    Ok(bytes)
}

/// The levels of a song, in the fingerprint's order; `None` if the bytes are not what [`encode_vectors`] writes.
pub(crate) fn parse_vectors<'a>(fingerprint: &Fingerprint, mut bytes: &'a [u8]) -> Option<Vec<LevelBytes<'a>>> {
    let mut levels = Vec::with_capacity(fingerprint.levels.len());
    for level in &fingerprint.levels {
        let steps = u16::from_le_bytes(*bytes.split_off(..2)?.first_chunk()?);
        let count = u32::from_le_bytes(*bytes.split_off(..4)?.first_chunk()?) as usize;
        let (positions, []) = bytes.split_off(..count.checked_mul(2)?)?.as_chunks() else { return None };
        let (scales, []) = bytes.split_off(..count.checked_mul(4)?)?.as_chunks() else { return None };
        let vectors = bytes.split_off(..count.checked_mul(fingerprint.dimension as usize)?)?;
        if steps != level.steps {
            return None;
        }
        levels.push(LevelBytes { positions, scales, vectors });
    }
    bytes.is_empty().then_some(levels)
}

/// A file that is gone, with its songs: if it comes back, it need not be heard again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ParkedFile {
    /// The record of the file as bytes.
    pub record: Vec<u8>,
    pub songs: Vec<(SongId, SongBytes)>,
}

impl ParkedFile {
    /// As bytes that end in their checksum.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = to_bytes(self)?;
        let sum = xxh3_64(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        Ok(bytes)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<ParkedFile> {
        match bytes.split_last_chunk::<8>() {
            Some((body, sum)) if xxh3_64(body).to_le_bytes() == *sum => from_bytes(body, "a parked file"),
            _ => Err(Error::Damaged("a parked file has another checksum".into())),
        }
    }
}
