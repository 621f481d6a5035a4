//! Songs by what a person calls them.

use super::context::Context;
use anyhow::Result;
use qbh::library::naming::{holds_words, plain};
use qbh_index::{Snapshot, Song};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

pub use qbh::library::naming::title;

/// The snapshot of the user's index; one that is missing or damaged is made anew from the rest first, where that can be done.
pub fn snapshot(context: &Context) -> Result<Snapshot> {
    match Snapshot::open(&context.index_dir) {
        Err(qbh_index::Error::NoSnapshot { state, .. }) => {
            super::progress::silence_panics();
            context.say(format!("the snapshot of the index is {state}: making it anew"));
            super::report_mended(&qbh_index::mend(&context.index_dir)?, context);
            Ok(Snapshot::open(&context.index_dir)?)
        }
        opened => Ok(opened?),
    }
}

/// The songs meant by `wanted`, of `songs`: an id, a key, a path of a file or folder, or a title. Empty when there is none.
pub fn named(songs: &[Song], wanted: &str) -> Vec<Song> {
    let paths = spellings(wanted);
    let by_id = |song: &Song| song.id.to_string() == wanted;
    let by_key = |song: &Song| song.key == wanted || paths.iter().any(|path| Path::new(&song.key) == path);
    let by_path = |song: &Song| paths.iter().any(|path| Path::new(&song.file).starts_with(path));
    let plain_wanted = plain(wanted);
    let by_title = |song: &Song| spoken(song).contains(&plain_wanted);
    let ways: [&dyn Fn(&Song) -> bool; 4] = [&by_id, &by_key, &by_path, &by_title];
    let found = ways.iter().map(|way| songs.iter().filter(|song| way(song)).cloned().collect::<Vec<_>>());
    found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

/// As [`named`], and if that finds nothing, the songs with all words of `wanted` somewhere in title, artist, album or key.
pub fn like(songs: &[Song], wanted: &str) -> Vec<Song> {
    let found = named(songs, wanted);
    if !found.is_empty() {
        return found;
    }
    songs.iter().filter(|song| holds_words(song, wanted)).cloned().collect()
}

/// All songs in the order of their keys.
pub fn all(snapshot: &Snapshot) -> Result<Vec<Song>> {
    let mut songs = snapshot.songs().collect::<Result<Vec<_>, _>>()?;
    songs.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(songs)
}

/// The ways in which people type a song: its title, and with the artist before or behind it.
fn spoken(song: &Song) -> Vec<String> {
    let title = title(song);
    let artist = song.tags.artist.iter().flat_map(|artist| [format!("{artist} {title}"), format!("{title} {artist}")]);
    artist.chain([title.clone()]).map(|name| plain(&name)).collect()
}

/// The absolute spellings of a path, which may be gone: as typed, and with links resolved as far as they exist.
pub fn spellings(path: &str) -> HashSet<PathBuf> {
    let path = Path::new(path);
    let absolute = std::path::absolute(path).ok();
    let resolved = path.canonicalize().ok().or_else(|| {
        let absolute = absolute.as_deref()?;
        Some(absolute.parent()?.canonicalize().ok()?.join(absolute.file_name()?))
    });
    [absolute, resolved].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_index::{SongId, Tags};

    fn song(id: u64, title: &str, artist: Option<&str>) -> Song {
        let key = format!("/music/{id}.mp3");
        let tags = Tags { title: Some(title.into()), artist: artist.map(str::to_owned), ..Tags::default() };
        Song { id: SongId(id), file: key.clone(), key, tags, steps: 0, windows: Vec::new() }
    }

    #[test]
    fn songs_are_found_as_people_type_them() {
        let songs = [
            song(1, "Déjà Vu", Some("Beyoncé")),
            song(2, "Für Elise", Some("Ludwig van Beethoven")),
            song(3, "Don\u{2019}t Stop", None),
            song(4, "Straße", Some("Øystein")),
        ];
        let found = |wanted: &str| named(&songs, wanted).iter().map(|song| song.id.0).collect::<Vec<_>>();
        for wanted in ["deja vu", "DÉJÀ VU", "De\u{301}ja\u{300} Vu", "Beyonce - Deja Vu", "déjà vu – beyoncé"] {
            assert_eq!(found(wanted), [1], "{wanted}");
        }
        assert_eq!(found("fur elise"), [2]);
        assert_eq!(found("dont stop"), [3]);
        assert_eq!(found("oystein: strasse"), [4]);
        assert_eq!(found("4"), [4]);
        assert!(found("elise").is_empty());
        assert_eq!(like(&songs, "beethoven elise").iter().map(|song| song.id.0).collect::<Vec<_>>(), [2]);
    }
}
