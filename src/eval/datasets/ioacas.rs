//! IOACAS-QBH: hums from anywhere in the song, with lists that pair hums and songs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{DataSet, DatasetError, Query, files_with, relative, song_key};

/// Reads the corpora below `folder`: recordings (`wavfile/`), MIDI files (`midfile/`) and lists (`*.list`, `*.txt`), whose rows name a recording and,
/// behind blanks or a comma, its MIDI file. Names are matched without folder and extension, as the lists of the two corpora
/// name them differently; names that both corpora use belong to the file nearest to the list. All MIDI files are searched.
pub fn ioacas(folder: &Path) -> Result<DataSet, DatasetError> {
    let hums = files_with(folder, &["wav"])?;
    let songs = files_with(folder, &["mid", "midi"])?;
    let (by_name, song_by_name) = (names(&hums), names(&songs));
    let mut queries = Vec::new();
    for list in files_with(folder, &["list", "txt"])? {
        let text = std::fs::read(&list).map_err(DatasetError::io(&list))?;
        for (i, line) in String::from_utf8_lossy(&text).lines().enumerate() {
            let mut fields = line.split([',', ' ', '\t']).filter(|field| !field.is_empty());
            let (Some(hum), Some(song)) = (fields.next(), fields.next()) else { continue };
            // A line of prose, such as those of a README, names no recording.
            let Some(hum) = nearest(&by_name, hum, &list) else { continue };
            let song = nearest(&song_by_name, song, &list)
                .ok_or_else(|| DatasetError::row(&list, i + 1, format!("there is no MIDI file {song}")))?;
            queries.push(Query::of_file(relative(hum, folder), hum.clone(), song_key(song, None).into_iter().collect()));
        }
    }
    if queries.is_empty() {
        return Err(DatasetError::empty(folder, ": no list (*.list, *.txt) pairs recordings with MIDI files"));
    }
    Ok(DataSet { queries, library: songs })
}

/// The last part of a path, as any system writes it, without extension.
fn stem(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_lowercase()
}

fn names(files: &[PathBuf]) -> HashMap<String, Vec<&PathBuf>> {
    let mut names: HashMap<String, Vec<&PathBuf>> = HashMap::new();
    for file in files {
        names.entry(stem(&file.to_string_lossy())).or_default().push(file);
    }
    names
}

/// The file of that name that shares most folders with the list.
fn nearest<'f>(files: &HashMap<String, Vec<&'f PathBuf>>, name: &str, list: &Path) -> Option<&'f PathBuf> {
    let shared = |file: &&PathBuf| file.components().zip(list.components()).take_while(|(a, b)| a == b).count();
    files.get(&stem(name))?.iter().copied().max_by_key(shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_pair_hums_and_songs_of_their_own_corpus() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("corpus1/wavfile/1.wav", ""),
            ("corpus1/midfile/001.mid", ""),
            ("corpus1/query.list", "wavfile\\1.wav\tmidfile\\001.mid\r\n"),
            ("corpus2/wavfile/1.wav", ""),
            ("corpus2/midfile/001.mid", ""),
            ("corpus2/midfile/002.mid", ""),
            ("corpus2/query.list", "1 002\n"),
            ("readme.txt", "The corpora were recorded in 2009.\n"),
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let set = ioacas(dir.path()).unwrap();
        assert_eq!((set.queries.len(), set.library.len()), (2, 3));
        assert!(set.queries[0].name == "corpus1/wavfile/1.wav" && set.queries[0].songs[0].ends_with("corpus1/midfile/001.mid"));
        assert!(set.queries[1].name == "corpus2/wavfile/1.wav" && set.queries[1].songs[0].ends_with("corpus2/midfile/002.mid"));

        std::fs::write(dir.path().join("corpus2/query.list"), "1.wav 003.mid").unwrap();
        assert!(ioacas(dir.path()).unwrap_err().to_string().contains("line 1: there is no MIDI file 003.mid"));
    }
}
