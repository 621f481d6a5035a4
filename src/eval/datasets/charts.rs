//! Hums made from what is sung in recordings, as charts tell, and from melodies.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qbh_models::notes::json_lines::MelodyLines;
use qbh_models::{ModelError, Note};
use qbh_synthesis::melody::without_overlaps;

use super::simulated::{HumPlan, hums};
use super::{DataSet, DatasetError, Query, QuerySource, song_key};
use crate::eval::reference::Reference;
use crate::library::walk;
use crate::symbolic;

/// Hums of the recordings in `folder` that have a chart of the notes sung beside them (`NAME.txt`, rows `onset offset midi`).
pub fn charts(folder: &Path, plan: &HumPlan) -> Result<DataSet, DatasetError> {
    let entries = std::fs::read_dir(folder).map_err(DatasetError::io(folder))?;
    let mut recordings: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|path| walk::is_audio(path)).collect();
    recordings.sort();
    let (mut songs, mut library) = (Vec::new(), Vec::new());
    for recording in recordings {
        let chart = recording.with_extension("txt");
        if !chart.is_file() {
            continue;
        }
        let reference = Reference::read(&chart, &recording, None)
            .map_err(|e| DatasetError::Malformed { path: chart.clone(), reason: e.to_string() })?;
        let Reference::Chart(rows) = reference else { continue };
        let note = |onset: f64, offset: f64, pitch: f64| Note {
            onset: onset as f32,
            duration: (offset - onset) as f32,
            pitch: pitch as f32,
        };
        let notes = rows.iter().filter_map(|row| Some(note(row.onset, row.offset, row.pitch?)));
        let name = recording.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        songs.push(Song {
            name,
            notes: Arc::new(without_overlaps(notes.collect())),
            right: song_key(&recording, None).into_iter().collect(),
        });
        library.push(recording);
    }
    data_set(folder, &songs, library, plan)
}

/// Hums of the melodies of a JSON lines file, which are the library too. Melodies of one `group` are versions of one tune: all are right.
pub fn melodies(file: &Path, plan: &HumPlan) -> Result<DataSet, DatasetError> {
    let malformed = |reason: String| DatasetError::Malformed { path: file.to_path_buf(), reason };
    let melodies = symbolic::read(file).map_err(|e| malformed(e.to_string()))?;
    let groups = groups(file)?;
    let mut members: HashMap<i64, Vec<String>> = HashMap::new();
    for (id, group) in &groups {
        members.entry(*group).or_default().extend(song_key(file, Some(id)));
    }
    members.values_mut().for_each(|songs| songs.sort());
    let mut songs = Vec::new();
    for melody in melodies {
        let id = melody.id.ok_or_else(|| malformed("a melody has no id".into()))?;
        let right = groups.get(&id).and_then(|group| members.get(group)).cloned();
        let right = right.unwrap_or_else(|| song_key(file, Some(&id)).into_iter().collect());
        songs.push(Song { name: id, notes: Arc::new(without_overlaps(melody.notes)), right });
    }
    data_set(file, &songs, vec![file.to_path_buf()], plan)
}

/// A song to hum.
struct Song {
    name: String,
    notes: Arc<Vec<Note>>,
    right: Vec<String>,
}

fn data_set(path: &Path, songs: &[Song], library: Vec<PathBuf>, plan: &HumPlan) -> Result<DataSet, DatasetError> {
    let notes: Vec<Arc<Vec<Note>>> = songs.iter().map(|song| song.notes.clone()).collect();
    let query = |(item, (song, hum)): (usize, (usize, _))| {
        let Song { name, right, .. } = &songs[song];
        Query::new(format!("{name}/{item}"), QuerySource::Simulated(hum), right.clone())
    };
    let queries: Vec<Query> = hums(&notes, plan).into_iter().enumerate().map(query).collect();
    if queries.is_empty() {
        return Err(DatasetError::empty(path, ": nothing in it can be hummed"));
    }
    Ok(DataSet { queries, library })
}

/// The `group` of every melody that has one, by what the melody is called.
fn groups(file: &Path) -> Result<HashMap<String, i64>, DatasetError> {
    let malformed = |error: ModelError| DatasetError::Malformed { path: file.to_path_buf(), reason: error.to_string() };
    let mut groups = HashMap::new();
    for line in MelodyLines::open(file).map_err(malformed)? {
        let (_, line) = line.map_err(malformed)?;
        groups.extend(line.name().map(str::to_string).zip(line.group));
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_a_tune_are_right_too() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tunes.jsonl");
        let notes: Vec<[f32; 3]> = (0..40).map(|i| [0.4 * i as f32, 0.35, 60.0 + (i * 5 % 7) as f32]).collect();
        let line = |id: &str, group: i64| serde_json::json!({ "id": id, "group": group, "notes": notes }).to_string();
        std::fs::write(&file, [line("a", 1), line("b", 2), line("c", 1)].join("\n")).unwrap();
        let set = melodies(&file, &HumPlan { hums: 6, seed: 1, tempo: 0.9..1.1, seconds: 8.0..16.0 }).unwrap();
        assert_eq!(set.queries.len(), 6);
        for query in &set.queries {
            let versions = if query.name.starts_with('b') { 1 } else { 2 };
            assert_eq!(query.songs.len(), versions, "{}", query.name);
            assert!(!query.song.ends_with("#c"), "versions of a tune are one song: {}", query.song);
        }
    }

    #[test]
    fn recordings_with_a_chart_are_hummed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.mp3"), "").unwrap();
        std::fs::write(dir.path().join("b.mp3"), "").unwrap();
        let rows: Vec<String> = (0..60)
            .map(|i| format!("{}\t{}\t{}", i, i as f32 + 0.8, if i % 9 == 0 { "free".into() } else { (60 + i % 7).to_string() }))
            .collect();
        std::fs::write(dir.path().join("a.txt"), rows.join("\n")).unwrap();
        let set = charts(dir.path(), &HumPlan { hums: 4, seed: 1, tempo: 0.9..1.1, seconds: 8.0..16.0 }).unwrap();
        assert_eq!((set.queries.len(), set.library.len()), (4, 1), "b.mp3 has no chart");
        assert!(set.queries.iter().all(|q| q.songs[0].ends_with("a.mp3")));
    }
}
