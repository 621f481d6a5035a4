//! Songs, contours and vectors as bytes, and back.
//!
//! All vectors of a song are one value: seven times faster to write than one value each. Layout of that value, little-endian:
//! for each level of the fingerprint `steps: u16, count: u32, positions: [u16; count], scales: [f32; count],
//! vectors: [[i8; dimension]; count]`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::quantize::quantize;
use crate::{Error, Fingerprint, LevelWindows, Result, Song, SongId, Tags};

/// What the tree of songs holds; the id is its key.
#[derive(Serialize, Deserialize)]
struct StoredSong {
    key: String,
    tags: Tags,
    file: String,
    steps: u32,
    windows: Vec<u32>,
}

pub(super) fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(|e| Error::Damaged(format!("cannot be written: {e}")))
}

pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|e| Error::Damaged(format!("{what}: {e}")))
}

/// Big-endian, so that the order of keys is the order of ids.
pub(super) fn id_key(id: SongId) -> [u8; 8] {
    id.0.to_be_bytes()
}

pub(super) fn id_of(key: &[u8]) -> Result<SongId> {
    let bytes = key.try_into().map_err(|_| Error::Damaged("a song's id is unreadable".into()))?;
    Ok(SongId(u64::from_be_bytes(bytes)))
}

pub(super) fn encode_song(song: &Song) -> Result<Vec<u8>> {
    let Song { key, tags, file, steps, windows, .. } = song.clone();
    to_bytes(&StoredSong { key, tags, file, steps, windows })
}

pub(super) fn decode_song(id: SongId, bytes: &[u8]) -> Result<Song> {
    let StoredSong { key, tags, file, steps, windows } = from_bytes(bytes, &format!("song {id}"))?;
    Ok(Song { id, key, tags, file, steps, windows })
}

/// Pitch in steps of 1/256 semitone.
pub(super) fn encode_contour(contour: &[f32]) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(contour.len() * 2);
    for (i, &pitch) in contour.iter().enumerate() {
        if !(0.0..255.99).contains(&pitch) {
            return Err(format!("its contour has pitch {pitch} at step {i}, not within 0..256"));
        }
        bytes.extend_from_slice(&((pitch * 256.0).round() as u16).to_le_bytes());
    }
    Ok(bytes)
}

pub(super) fn decode_contour(id: SongId, bytes: &[u8]) -> Result<Vec<f32>> {
    let (steps, []) = bytes.as_chunks::<2>() else {
        return Err(Error::Damaged(format!("the contour of song {id} is cut")));
    };
    Ok(steps.iter().map(|&b| f32::from(u16::from_le_bytes(b)) / 256.0).collect())
}

/// The windows of one level of one song, as stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LevelBytes<'a> {
    /// Window length in steps.
    pub steps: u16,
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
        levels.push(LevelBytes { steps, positions, scales, vectors });
    }
    bytes.is_empty().then_some(levels)
}
