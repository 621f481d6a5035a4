//! Readers of retrieval data sets: which queries there are, and which songs answer them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use qbh_models::{Contour, Note};
use serde::Deserialize;

/// What is hummed.
#[derive(Debug, Clone, PartialEq)]
pub enum QuerySource {
    /// A file: audio, symbolic or pitch.
    File(PathBuf),
    /// A contour known already (such as a note transcription).
    Contour(Contour),
}

/// One query with its right answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Name in reports.
    pub name: String,
    /// What is hummed.
    pub source: QuerySource,
    /// Ids of the right songs: paths relative to the library folder, `path#member` for files with several songs.
    pub songs: Vec<String>,
}

/// Why a data set could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row is not what the format asks for.
    #[error("{path}, line {line}: {reason}")]
    Row {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// No query is in it.
    #[error("{path} holds no query{hint}")]
    Empty {
        /// The file.
        path: PathBuf,
        /// What to do.
        hint: String,
    },
}

/// Reads a manifest: CSV with the header `query,song`; queries relative to the manifest, songs relative to the library. A query with
/// several right songs has several rows.
pub fn manifest(path: &Path) -> Result<Vec<Query>, DatasetError> {
    let row = |line: usize, reason: String| DatasetError::Row { path: path.to_path_buf(), line, reason };
    let file = std::fs::File::open(path).map_err(|source| DatasetError::Io { path: path.to_path_buf(), source })?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let headers = reader.headers().map_err(|e| row(1, e.to_string()))?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|h| h.eq_ignore_ascii_case(name))
            .ok_or_else(|| row(1, format!("the header has no column `{name}`")))
    };
    let (query, song) = (column("query")?, column("song")?);
    let base = path.parent().unwrap_or(Path::new("."));
    let mut queries: Vec<Query> = Vec::new();
    let mut known = BTreeMap::new();
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|e| row(i + 2, e.to_string()))?;
        let (Some(name), Some(song)) = (record.get(query), record.get(song)) else {
            return Err(row(i + 2, "a row needs a query and a song".into()));
        };
        let at = *known.entry(name.to_string()).or_insert_with(|| {
            queries.push(Query { name: name.into(), source: QuerySource::File(base.join(name)), songs: Vec::new() });
            queries.len() - 1
        });
        queries[at].songs.push(song.to_string());
    }
    if queries.is_empty() {
        return Err(DatasetError::Empty { path: path.to_path_buf(), hint: String::new() });
    }
    Ok(queries)
}

/// Reads HumTrans as note transcriptions: `queries.jsonl(.gz)` with `query, transcriber, song, notes` beside `songs.jsonl(.gz)`, which is
/// the library. `transcriber` picks one of the automatic transcribers; `None` takes all.
pub fn humtrans(folder: &Path, transcriber: Option<&str>) -> Result<Vec<Query>, DatasetError> {
    #[derive(Deserialize)]
    struct Row {
        query: String,
        transcriber: String,
        song: String,
        notes: Vec<(f32, f32, f32)>,
    }
    let (path, songs) = [("queries.jsonl.gz", "songs.jsonl.gz"), ("queries.jsonl", "songs.jsonl")]
        .map(|(queries, songs)| (folder.join(queries), songs))
        .into_iter()
        .find(|(path, _)| path.exists())
        .ok_or_else(|| DatasetError::Empty { path: folder.to_path_buf(), hint: ": queries.jsonl.gz is not there".into() })?;
    let io = |source| DatasetError::Io { path: path.clone(), source };
    let file = std::fs::File::open(&path).map_err(io)?;
    let text: Box<dyn Read> =
        if path.extension().is_some_and(|e| e == "gz") { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut transcribers = std::collections::BTreeSet::new();
    let mut queries = Vec::new();
    for (i, line) in BufReader::new(text).lines().enumerate() {
        let row: Row = serde_json::from_str(&line.map_err(io)?).map_err(|e| DatasetError::Row {
            path: path.clone(),
            line: i + 1,
            reason: e.to_string(),
        })?;
        if transcriber.is_none_or(|t| t == row.transcriber) {
            let notes: Vec<Note> = row.notes.iter().map(|&(onset, duration, pitch)| Note { onset, duration, pitch }).collect();
            queries.push(Query {
                name: format!("{}/{}", row.transcriber, row.query),
                source: QuerySource::Contour(Contour::from_notes(&notes)),
                songs: vec![format!("{songs}#{}", row.song)],
            });
        }
        transcribers.insert(row.transcriber);
    }
    if queries.is_empty() {
        let known = transcribers.into_iter().collect::<Vec<_>>().join(", ");
        return Err(DatasetError::Empty { path, hint: format!(" of that transcriber; there are: {known}") });
    }
    Ok(queries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gathers_the_right_songs_of_a_query() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("queries.csv");
        std::fs::write(&path, "query,song\nh/a.wav,one.mid\n\"h/b, c.wav\",two.mid\nh/a.wav,three.mid\n").unwrap();
        let queries = manifest(&path).unwrap();
        assert_eq!(queries.len(), 2);
        assert_eq!(queries[0].songs, ["one.mid", "three.mid"]);
        assert_eq!(queries[1].source, QuerySource::File(dir.path().join("h/b, c.wav")));

        std::fs::write(&path, "hum,song\na,b\n").unwrap();
        assert!(manifest(&path).unwrap_err().to_string().contains("no column `query`"));
        std::fs::write(&path, "query,song\n").unwrap();
        assert!(matches!(manifest(&path), Err(DatasetError::Empty { .. })));
    }

    #[test]
    fn humtrans_picks_a_transcriber() {
        let dir = tempfile::tempdir().unwrap();
        let line =
            |query, by| format!(r#"{{"query":"{query}","singer":"F","transcriber":"{by}","song":"7","notes":[[0.0,0.5,60.0]]}}"#);
        std::fs::write(dir.path().join("queries.jsonl"), [line("a", "X"), line("a", "Y")].join("\n")).unwrap();
        let queries = humtrans(dir.path(), Some("Y")).unwrap();
        assert_eq!((queries.len(), queries[0].name.as_str(), queries[0].songs[0].as_str()), (1, "Y/a", "songs.jsonl#7"));
        assert_eq!(humtrans(dir.path(), None).unwrap().len(), 2);
        assert!(humtrans(dir.path(), Some("Z")).unwrap_err().to_string().contains("X, Y"));
    }
}
