//! Songs by what a person calls them.

use anyhow::Result;
use qbh_index::{Index, Song};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The songs meant by `wanted`: an id, a key, a path of a file or folder, or a title. Empty when there is none.
pub fn named(index: &Index, wanted: &str) -> Result<Vec<Song>> {
    let songs = all(index)?;
    let paths = spellings(wanted);
    let by_id = |song: &Song| song.id.to_string() == wanted;
    let by_key = |song: &Song| song.key == wanted || paths.iter().any(|path| Path::new(&song.key) == path);
    let by_path = |song: &Song| paths.iter().any(|path| Path::new(&song.file).starts_with(path));
    let by_title = |song: &Song| title(song).to_lowercase() == wanted.to_lowercase();
    let ways: [&dyn Fn(&Song) -> bool; 4] = [&by_id, &by_key, &by_path, &by_title];
    let found = ways.iter().map(|way| songs.iter().filter(|song| way(song)).cloned().collect::<Vec<_>>());
    Ok(found.into_iter().find(|found| !found.is_empty()).unwrap_or_default())
}

/// As [`named`], and if that finds nothing, the songs with `wanted` somewhere in title, artist, album or key.
pub fn like(index: &Index, wanted: &str) -> Result<Vec<Song>> {
    let found = named(index, wanted)?;
    if !found.is_empty() {
        return Ok(found);
    }
    let wanted = wanted.to_lowercase();
    let tags = |song: &Song| [song.tags.title.clone(), song.tags.artist.clone(), song.tags.album.clone(), Some(song.key.clone())];
    let holds = |song: &Song| tags(song).into_iter().flatten().any(|text| text.to_lowercase().contains(&wanted));
    Ok(all(index)?.into_iter().filter(holds).collect())
}

/// All songs in the order of their keys.
pub fn all(index: &Index) -> Result<Vec<Song>> {
    let mut songs = index.songs().collect::<Result<Vec<_>, _>>()?;
    songs.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(songs)
}

/// What to call a song: its title, else its name within its file, else the name of the file.
pub fn title(song: &Song) -> String {
    let member = song.key.strip_prefix(&song.file).and_then(|rest| rest.strip_prefix('#'));
    let stem = || Path::new(&song.file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    song.tags.title.clone().or_else(|| member.map(str::to_owned)).unwrap_or_else(stem)
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
