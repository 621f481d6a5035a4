//! Manifests: a person's own queries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{DataSet, DatasetError, Query, find_song};

/// Reads a manifest: CSV with the header `query,song`; queries relative to the manifest, songs relative to one of the library's
/// folders, `path#member` for files with several songs. A query with several right songs has several rows. A column `singer`, which may be
/// left out, tells who hums.
///
/// # Errors
/// The first row that names a query or a song that is not there.
pub fn manifest(path: &Path, library: &[PathBuf]) -> Result<DataSet, DatasetError> {
    let row = |line: usize, reason: String| DatasetError::row(path, line, reason);
    let file = std::fs::File::open(path).map_err(DatasetError::io(path))?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let headers = reader.headers().map_err(|e| row(1, e.to_string()))?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|h| h.eq_ignore_ascii_case(name))
            .ok_or_else(|| row(1, format!("the header has no column `{name}`")))
    };
    let (query, song, singer) = (column("query")?, column("song")?, column("singer").ok());
    let base = path.parent().unwrap_or(Path::new("."));
    let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let mut queries: Vec<Query> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|e| row(i + 2, e.to_string()))?;
        let (Some(name), Some(song)) = (record.get(query), record.get(song)) else {
            return Err(row(i + 2, "a row needs a query and a song".into()));
        };
        let key = find_song(song, library)
            .ok_or_else(|| row(i + 2, format!("{song} is not in the library; songs are paths relative to its folder")))?;
        if !base.join(name).is_file() {
            let (name, folder) = (base.join(name), base.display());
            return Err(row(i + 2, format!("{} is not there; queries are paths relative to {folder}", name.display())));
        }
        match known.get(name) {
            Some(&at) => queries[at].songs.push(key),
            None => {
                known.insert(name.to_string(), queries.len());
                let singer = singer.and_then(|column| record.get(column)).filter(|singer| !singer.is_empty());
                let query = Query::of_file(name.into(), base.join(name), vec![key]);
                queries.push(Query { singer: singer.map(str::to_string), ..query });
            }
        }
    }
    if queries.is_empty() {
        return Err(DatasetError::empty(path, ""));
    }
    Ok(DataSet { queries, library: library.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::super::{QuerySource, song_key};
    use super::*;

    #[test]
    fn a_manifest_gathers_the_right_songs_of_a_query() {
        let dir = tempfile::tempdir().unwrap();
        let (path, library) = (dir.path().join("queries.csv"), dir.path().join("songs"));
        std::fs::create_dir(&library).unwrap();
        for name in ["one.mid", "two.mid", "book.abc"] {
            std::fs::write(library.join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("h")).unwrap();
        for name in ["h/a.wav", "h/b, c.wav"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let rows = "query,song\nh/a.wav,one.mid\n\"h/b, c.wav\",two.mid\nh/a.wav,book.abc#7\n";
        std::fs::write(&path, rows).unwrap();
        let folders = [dir.path().join("elsewhere"), library.clone()];
        let queries = manifest(&path, &folders).unwrap().queries;
        assert_eq!(queries.len(), 2);
        let keys = [song_key(&library.join("one.mid"), None), song_key(&library.join("book.abc"), Some("7"))];
        assert_eq!(queries[0].songs, keys.map(Option::unwrap));
        assert!(matches!(&queries[1].source, QuerySource::File(file) if *file == dir.path().join("h/b, c.wav")));

        let error = |text: &str| {
            std::fs::write(&path, text).unwrap();
            manifest(&path, &folders).unwrap_err().to_string()
        };
        assert!(error("hum,song\na,one.mid\n").contains("no column `query`"));
        assert!(error("query,song\nh/a.wav,three.mid\n").contains("line 2: three.mid is not in the library"));
        assert!(error("query,song\n").contains("holds no query"));
    }

    #[test]
    fn a_query_that_is_not_there_is_an_error_and_no_miss() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["one.mid", "a.wav"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let path = dir.path().join("queries.csv");
        std::fs::write(&path, "query,song,singer\na.wav,one.mid,Ann\nb.wav,one.mid,Bob\n").unwrap();
        let error = manifest(&path, &[dir.path().to_path_buf()]).unwrap_err().to_string();
        assert!(error.contains("line 3: ") && error.contains("b.wav is not there; queries are paths relative to"), "{error}");

        std::fs::write(dir.path().join("b.wav"), "").unwrap();
        let queries = manifest(&path, &[dir.path().to_path_buf()]).unwrap().queries;
        assert_eq!(queries.iter().map(|q| q.singer.as_deref()).collect::<Vec<_>>(), [Some("Ann"), Some("Bob")]);
        assert_eq!(queries[0].song, queries[1].song);
    }
}
