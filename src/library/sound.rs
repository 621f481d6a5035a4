//! What a file sounds like: by it a file is recognised although its name, its place or its tags have changed.

use std::path::Path;

use qbh_index::{Sound, Tags};
use xxhash_rust::xxh3::Xxh3;

use super::listen::MAX_BYTES;
use crate::{audio, pitchfile, symbolic};

/// A file's sound, and what it says about itself now.
#[derive(Debug, Clone, PartialEq)]
pub struct Identified {
    /// Equal for files that hold the same recording, whatever their tags.
    pub sound: Sound,
    /// Tags of a recording, its file's name where it has no title; `None` for scores and pitch files, whose tags are part of the sound.
    pub tags: Option<Tags>,
}

/// Identifies a file without hearing it: reads it once. `None` if it cannot be read, is no music, or is larger than any.
pub fn identify(path: &Path) -> Option<Identified> {
    let score = symbolic::is_symbolic(path) || pitchfile::is_pitch_file(path);
    if path.metadata().ok()?.len() > if score { symbolic::LARGEST_FILE } else { MAX_BYTES } {
        return None;
    }
    if score {
        return hash_of_bytes(path).map(|sound| Identified { sound, tags: None });
    }
    let (hash, tags) = audio::identify(path).ok()?;
    let title = tags.title.or_else(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    let tags = Tags { title, artist: tags.artist, album: tags.album, duration: None };
    Some(Identified { sound: Sound(hash), tags: Some(tags) })
}

/// A score is what its bytes are.
fn hash_of_bytes(path: &Path) -> Option<Sound> {
    let mut hash = Xxh3::new();
    std::io::copy(&mut std::fs::File::open(path).ok()?, &mut hash).ok()?;
    Some(Sound(hash.digest128()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_for_music_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in [("score.mid", symbolic::LARGEST_FILE), ("sound.wav", MAX_BYTES)] {
            let path = dir.path().join(name);
            std::fs::File::create(&path).unwrap().set_len(bytes + 1).unwrap();
            assert_eq!(identify(&path), None, "{name}");
        }
        let path = dir.path().join("small.mid");
        std::fs::write(&path, "MThd").unwrap();
        assert!(identify(&path).is_some());
    }
}
