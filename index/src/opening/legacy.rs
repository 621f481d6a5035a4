//! Indexes of older versions, read without hearing anything again.
//!
//! Format 2 had no checksums of its own, no counters in one place, and a scan file where the snapshot is now. Format 1 had other
//! settings of sled and can only be told apart.

use std::path::Path;

use serde::Deserialize;

use super::swap::{new_path, remove, swap};
use crate::change::{Change, Counters};
use crate::error::io;
use crate::store::{Store, wait_until_closed};
use crate::values::{self, SongBytes, SongRecord};
use crate::{Error, FileIdentity, FileRecord, Outcome, Result, Tags, folder, space};

/// The format that is converted.
pub(super) const SCHEMA: u32 = 2;

#[derive(Deserialize)]
struct OldSong {
    key: String,
    tags: Tags,
    file: String,
    steps: u32,
    windows: Vec<u32>,
}

#[derive(Deserialize)]
struct OldFile {
    identity: FileIdentity,
    outcome: Outcome,
}

/// Copies a store of format 2 into one of the present format and puts that in its place.
pub(super) fn convert(dir: &Path, old: Store) -> Result<Store> {
    tracing::info!("bringing the index to the format of this version");
    let (path, store_path) = (new_path(dir), folder::store(dir));
    remove(&path)?;
    let before = folder::bytes(&store_path);
    space::ask_for(dir, crate::error::RESERVE + before + before / 2)?;
    let generation = old.number("generation")?;
    let counters = Counters { generation, vectors: generation, next_song: old.number("next_song")? };
    {
        let new = Store::open(&path)?;
        let [files, songs, contours, vectors] = old.trees();
        for entry in files {
            let (key, bytes) = entry?;
            let OldFile { identity, outcome } = values::from_bytes(&bytes, &String::from_utf8_lossy(&key))?;
            let path = identity.path.clone();
            let record = FileRecord { identity, outcome, sound: None };
            let files = vec![(path, Some(values::to_bytes(&record)?))];
            new.apply(&Change { counters, files, ..Change::default() })?;
        }
        for entry in songs {
            let (key, bytes) = entry?;
            let id = values::id_of(&key)?;
            let OldSong { key: name, tags, file, steps, windows } = values::from_bytes(&bytes, &format!("song {id}"))?;
            let missing = || Error::Damaged(format!("a part of song {id} is missing"));
            let contour = contours.get(&key)?.ok_or_else(missing)?.to_vec();
            let vectors = vectors.get(&key)?.ok_or_else(missing)?.to_vec();
            let record = SongRecord { key: name, tags, file, steps, windows, contour_sum: 0, vectors_sum: 0 };
            let song = SongBytes::new(record, contour, vectors)?;
            new.apply(&Change { counters, songs: vec![(id, Some(song))], ..Change::default() })?;
        }
        new.initialise(&old.birth()?, counters)?;
    }
    drop(old);
    wait_until_closed(&path)?;
    wait_until_closed(&store_path)?;
    swap(dir)?;
    for leftover in ["scan.qbh", "scan.new"].map(|name| dir.join(name)) {
        match std::fs::remove_file(&leftover) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(&leftover)(error)),
            _ => {}
        }
    }
    Store::open(&store_path)
}

/// Whether sled's settings, which are text before a checksum, are those of format 1: it had segments of 256 kB.
pub(super) fn is_first_format(path: &Path) -> bool {
    std::fs::read(path.join("conf")).is_ok_and(|conf| String::from_utf8_lossy(&conf).contains("segment_size: 262144"))
}
