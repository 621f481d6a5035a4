//! MIR-QBSH (Jang 2006): hums of 48 songs, as both sub-tasks of MIREX search them.
//!
//! `waveFile/yearX/personY/0000N.wav` hums song N, persons are singers (numbered anew every year), `midiFile/0000N.mid`. The `.pv` files beside the hums are not used.

use std::path::{Path, PathBuf};

use super::{DataSet, DatasetError, Query, files_with, relative, song_key};

const HUMS: &str = "waveFile";
const SONGS: &str = "midiFile";

/// Sub-task 1: every hum is searched among the songs.
pub fn mir_qbsh(folder: &Path) -> Result<DataSet, DatasetError> {
    let (queries, songs) = read(folder)?;
    Ok(DataSet { queries, library: songs })
}

/// Sub-task 2: every hum is searched among the songs and the other hums; hums of the same song are right too.
pub fn mir_qbsh_variants(folder: &Path) -> Result<DataSet, DatasetError> {
    let (mut queries, mut library) = read(folder)?;
    let hums = files_with(&folder.join(HUMS), &["wav"])?;
    let keys: Vec<(PathBuf, String)> = hums.iter().filter_map(|hum| Some((number(hum)?, song_key(hum, None)?))).collect();
    for query in &mut queries {
        let super::QuerySource::File(own) = &query.source else { continue };
        let (song, own) = (number(own), song_key(own, None));
        query
            .songs
            .extend(keys.iter().filter(|(of, key)| Some(of) == song.as_ref() && Some(key) != own.as_ref()).map(|k| k.1.clone()));
        query.without.extend(own);
    }
    library.extend(hums);
    Ok(DataSet { queries, library })
}

fn read(folder: &Path) -> Result<(Vec<Query>, Vec<PathBuf>), DatasetError> {
    let songs = files_with(&folder.join(SONGS), &["mid", "midi"])?;
    let mut queries = Vec::new();
    for hum in files_with(&folder.join(HUMS), &["wav"])? {
        let song = songs.iter().find(|song| number(song).is_some() && number(song) == number(&hum));
        let song = song
            .ok_or_else(|| DatasetError::Malformed { path: hum.clone(), reason: format!("no song of its name is in {SONGS}") })?;
        let singer = hum.parent().map(|person| relative(person, &folder.join(HUMS)));
        let query = Query::of_file(relative(&hum, folder), hum, song_key(song, None).into_iter().collect());
        queries.push(Query { singer, ..query });
    }
    if queries.is_empty() {
        return Err(DatasetError::empty(folder, format!(": no .wav file is below {HUMS}")));
    }
    Ok((queries, songs))
}

/// The number of a song, by which hums name it: the file's name without extension.
fn number(path: &Path) -> Option<PathBuf> {
    path.file_stem().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_up() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["waveFile/year2003/person1/00001.wav", "waveFile/year2003/person1/00001.pv", "midiFile/00001.mid"]
            .into_iter()
            .chain(["waveFile/year2004/person2/00001.wav", "waveFile/year2004/person2/00020.wav", "midiFile/00020.mid"])
        {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        dir
    }

    #[test]
    fn hums_go_by_the_number_of_their_song() {
        let dir = made_up();
        let set = mir_qbsh(dir.path()).unwrap();
        assert_eq!((set.queries.len(), set.library.len()), (3, 2));
        assert_eq!(set.queries[2].name, "waveFile/year2004/person2/00020.wav");
        assert!(set.queries[2].songs[0].ends_with("00020.mid") && set.queries[2].songs.len() == 1);
        let singers: Vec<_> = set.queries.iter().map(|q| q.singer.as_deref().unwrap()).collect();
        assert_eq!(singers, ["year2003/person1", "year2004/person2", "year2004/person2"]);
    }

    #[test]
    fn variants_are_right_but_the_hum_itself_does_not_count() {
        let dir = made_up();
        let set = mir_qbsh_variants(dir.path()).unwrap();
        assert_eq!(set.library.len(), 5);
        let [first, _, lonely] = &set.queries[..] else { panic!("{}", set.queries.len()) };
        assert!(first.songs.len() == 2 && first.songs[1].contains("person2/00001.wav"), "{:?}", first.songs);
        assert!(first.without[0].contains("person1/00001.wav"));
        assert!(first.song.ends_with("midiFile/00001.mid"), "what all hums of the song have: {}", first.song);
        assert_eq!(lonely.songs.len(), 1, "only the MIDI file: nobody else hummed it");
    }

    #[test]
    fn a_hum_of_no_song_is_told() {
        let dir = made_up();
        std::fs::remove_file(dir.path().join("midiFile/00020.mid")).unwrap();
        assert!(mir_qbsh(dir.path()).unwrap_err().to_string().contains("00020.wav: no song"));
        assert!(matches!(mir_qbsh(&dir.path().join("absent")), Err(DatasetError::Io { .. })));
    }
}
