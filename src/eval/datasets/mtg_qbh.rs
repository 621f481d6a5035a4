//! MTG-QBH (Salamon, Serra and Gomez 2013): sung queries of commercial recordings, which everybody has to find for themselves.

use std::path::{Path, PathBuf};

use super::{DataSet, DatasetError, Query, files_with, song_key};
use crate::library::walk;

/// Reads `Queries.csv` in `folder`. The column whose header has `query` or `file` in it names the recording below the folder, with or without extension; the
/// columns with `artist` and with `song` or `title` name the right song, which is the recording below one of the library's
/// folders whose path has both in it, however written (case, blanks and punctuation do not matter).
///
/// Queries whose song is not in the library are left out: the second part of the result names them.
pub fn mtg_qbh(folder: &Path, library: &[PathBuf]) -> Result<(DataSet, Vec<String>), DatasetError> {
    let path = folder.join("Queries.csv");
    let row = |line: usize, reason: String| DatasetError::row(&path, line, reason);
    let text = std::fs::read(&path).map_err(DatasetError::io(&path))?;
    let first = text.split(|&b| b == b'\n').next().unwrap_or_default();
    let delimiter = if first.contains(&b';') {
        b';'
    } else if first.contains(&b'\t') {
        b'\t'
    } else {
        b','
    };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).flexible(true).from_reader(&text[..]);
    let headers = reader.byte_headers().map_err(|e| row(1, e.to_string()))?.clone();
    let column = |words: &[&str]| {
        let has = |header: &[u8]| words.iter().any(|word| String::from_utf8_lossy(header).to_lowercase().contains(word));
        headers.iter().position(has).ok_or_else(|| row(1, format!("no header has `{}` in it", words.join("` or `"))))
    };
    let (query, artist, title) = (column(&["query", "file"])?, column(&["artist"])?, column(&["song", "title"])?);

    let recordings = files_with(folder, &["wav", "mp3", "flac", "ogg"])?;
    let songs: Vec<(String, PathBuf)> =
        library.iter().flat_map(|root| walk::files(root)).flatten().map(|song| (plain(&song.to_string_lossy()), song)).collect();
    let (mut queries, mut absent) = (Vec::new(), Vec::new());
    for (i, record) in reader.byte_records().enumerate() {
        let record = record.map_err(|e| row(i + 2, e.to_string()))?;
        let field = |column: usize| String::from_utf8_lossy(record.get(column).unwrap_or_default()).into_owned();
        let (name, artist, title) = (field(query), field(artist), field(title));
        let recording = recordings.iter().find(|path| {
            let (file, stem) = (path.file_name().unwrap_or_default(), path.file_stem().unwrap_or_default());
            path.ends_with(&name) || file.eq_ignore_ascii_case(&name) || stem.eq_ignore_ascii_case(&name)
        });
        let recording = recording.ok_or_else(|| row(i + 2, format!("there is no recording {name}")))?;
        let is_right = |text: &str| text.contains(&plain(&artist)) && text.contains(&plain(&title));
        let mut right: Vec<String> =
            songs.iter().filter(|(text, _)| is_right(text)).filter_map(|(_, song)| song_key(song, None)).collect();
        right.sort();
        if right.is_empty() {
            absent.push(format!("{name}: {artist} - {title}"));
        } else {
            queries.push(Query::of_file(name, recording.clone(), right));
        }
    }
    if queries.is_empty() {
        return Err(DatasetError::empty(&path, format!(" whose song is in the library; {} songs are not", absent.len())));
    }
    Ok((DataSet { queries, library: library.to_vec() }, absent))
}

/// Letters and digits only, lower case.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn songs_are_found_by_artist_and_title() {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("library");
        for name in ["set/audio/q1.wav", "set/audio/q2.wav", "library/The Beatles/01 Let it Be.mp3", "library/Toto - Africa.mp3"]
        {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let csv = dir.path().join("set/Queries.csv");
        std::fs::write(&csv, "Query;Artist;Song\nq1.wav;The Beatles;Let It Be\nq2;Nobody;Nothing\n").unwrap();
        let (set, absent) = mtg_qbh(&dir.path().join("set"), std::slice::from_ref(&library)).unwrap();
        assert_eq!(set.queries.len(), 1);
        assert!(set.queries[0].songs[0].ends_with("01 Let it Be.mp3"));
        assert_eq!(absent, ["q2: Nobody - Nothing"]);

        std::fs::write(&csv, "Query,Artist,Song\nq7,Toto,Africa\n").unwrap();
        let error = mtg_qbh(&dir.path().join("set"), &[library]).unwrap_err();
        assert!(error.to_string().contains("line 2: there is no recording q7"), "{error}");
    }
}
