//! HumTrans (Liu et al. 2023) as note transcriptions.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use qbh_models::{Contour, Note};
use serde::Deserialize;

use super::{DataSet, DatasetError, Query, QuerySource, song_key};

#[derive(Deserialize)]
struct Row {
    query: String,
    #[serde(default)]
    singer: Option<String>,
    transcriber: String,
    song: String,
    notes: Vec<(f32, f32, f32)>,
}

/// Reads `queries.jsonl(.gz)` with `query, singer, transcriber, song, notes` beside `songs.jsonl(.gz)`, which is the library. `transcriber`
/// picks one of the automatic transcribers; `None` takes all.
pub fn humtrans(folder: &Path, transcriber: Option<&str>) -> Result<DataSet, DatasetError> {
    let (path, songs) = [("queries.jsonl.gz", "songs.jsonl.gz"), ("queries.jsonl", "songs.jsonl")]
        .map(|(queries, songs)| (folder.join(queries), folder.join(songs)))
        .into_iter()
        .find(|(path, _)| path.exists())
        .ok_or_else(|| DatasetError::empty(folder, ": queries.jsonl.gz is not there"))?;
    let file = std::fs::File::open(&path).map_err(DatasetError::io(&path))?;
    let text: Box<dyn Read> =
        if path.extension().is_some_and(|e| e == "gz") { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut transcribers = BTreeSet::new();
    let mut queries = Vec::new();
    for (i, line) in BufReader::new(text).lines().enumerate() {
        let line = line.map_err(DatasetError::io(&path))?;
        let row: Row = serde_json::from_str(&line).map_err(|e| DatasetError::row(&path, i + 1, e.to_string()))?;
        if transcriber.is_none_or(|t| t == row.transcriber) {
            let notes: Vec<Note> = row.notes.iter().map(|&(onset, duration, pitch)| Note { onset, duration, pitch }).collect();
            let name = format!("{}/{}", row.transcriber, row.query);
            let source = QuerySource::Contour(Contour::from_notes(&notes));
            let query = Query::new(name, source, song_key(&songs, Some(&row.song)).into_iter().collect());
            queries.push(Query { singer: row.singer, ..query });
        }
        transcribers.insert(row.transcriber);
    }
    if queries.is_empty() {
        let known = transcribers.into_iter().collect::<Vec<_>>().join(", ");
        return Err(DatasetError::empty(&path, format!(" of that transcriber; there are: {known}")));
    }
    Ok(DataSet { queries, library: vec![songs] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcriber_is_picked() {
        let dir = tempfile::tempdir().unwrap();
        let line =
            |query, by| format!(r#"{{"query":"{query}","singer":"F","transcriber":"{by}","song":"7","notes":[[0.0,0.5,60.0]]}}"#);
        std::fs::write(dir.path().join("queries.jsonl"), [line("a", "X"), line("a", "Y")].join("\n")).unwrap();
        std::fs::write(dir.path().join("songs.jsonl"), "").unwrap();
        let set = humtrans(dir.path(), Some("Y")).unwrap();
        assert_eq!((set.queries.len(), set.queries[0].name.as_str()), (1, "Y/a"));
        assert_eq!(set.queries[0].singer.as_deref(), Some("F"));
        assert!(set.queries[0].songs[0].ends_with("songs.jsonl#7"));
        assert_eq!(humtrans(dir.path(), None).unwrap().queries.len(), 2);
        assert!(humtrans(dir.path(), Some("Z")).unwrap_err().to_string().contains("X, Y"));
    }
}
