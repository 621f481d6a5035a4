//! The whole search on melodies made up here, with an embedder that needs no training.

use std::collections::BTreeMap;

use proptest::prelude::*;
use qbh_index::{FileIdentity, Fingerprint, Index, Level, ModelId, NewSong, SongId, Tags};
use qbh_models::embedder::{Embedder, Windowing};
use qbh_models::reranker::{DEFAULT_RERANKER, Reranker};
use qbh_models::{Contour, EMBEDDING_DIM, Embedding, ModelError, ModelInfo, Note};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Points a window to a random projection of its resampled, key-free pitches.
struct Projection {
    info: ModelInfo,
    windowing: Windowing,
    matrix: Vec<f32>,
}

const STEPS: usize = 48;

impl Projection {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        Projection {
            info: ModelInfo {
                name: "projection".into(),
                architecture: "projection".into(),
                fingerprint: "1".into(),
                parameters: 0,
                metadata: BTreeMap::new(),
            },
            windowing: Windowing {
                song_steps: vec![50, 100, 200],
                hum_steps: vec![200, 160, 128, 100, 80, 63, 50, 40],
                resampled: true,
                windows_per_length: 4,
                song_min_voiced: 0.3,
                hum_min_voiced: 0.2,
            },
            matrix: (0..STEPS * EMBEDDING_DIM).map(|_| rng.random_range(-1.0..1.0)).collect(),
        }
    }
}

impl Embedder for Projection {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn windowing(&self) -> &Windowing {
        &self.windowing
    }

    fn embed(&self, windows: &[&[f32]]) -> Result<Vec<Embedding>, ModelError> {
        let embed = |window: &&[f32]| {
            let mut held: Vec<f32> = (0..STEPS).map(|k| window[k * window.len() / STEPS]).collect();
            for k in 1..STEPS {
                held[k] = if held[k] > 0.0 { held[k] } else { held[k - 1] };
            }
            let mean = held.iter().sum::<f32>() / STEPS as f32;
            let mut out = [0.0; EMBEDDING_DIM];
            for (value, row) in out.iter_mut().zip(self.matrix.chunks_exact(STEPS)) {
                *value = row.iter().zip(&held).map(|(w, p)| w * (p - mean)).sum();
            }
            let norm = out.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            out.map(|x| x / norm)
        };
        Ok(windows.iter().map(embed).collect())
    }

    fn fork(&self) -> Box<dyn Embedder> {
        Box::new(Projection::new())
    }
}

/// The shipped one: it looks at contours, whatever finds them.
fn reranker() -> Option<Reranker> {
    Some(Reranker::open(DEFAULT_RERANKER, tch::Device::Cpu).unwrap())
}

/// A melody of random notes, some with a rest behind them.
fn melody(seed: u64, steps: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pitch = 62.0;
    let mut contour = Vec::new();
    while contour.len() < steps {
        pitch = (pitch + [-5, -4, -3, -2, -2, -1, 1, 2, 2, 3, 4, 7][rng.random_range(0..12)] as f32).clamp(50.0, 76.0);
        let length = [2, 3, 4, 4, 6, 8][rng.random_range(0..6)];
        contour.extend(std::iter::repeat_n(pitch, length));
        contour.extend(std::iter::repeat_n(0.0, [0, 0, 0, 1, 2][rng.random_range(0..5)]));
    }
    contour.truncate(steps);
    contour
}

/// A stretch of a song, hummed in another key and tempo, with unsteady pitch.
fn hummed(song: &[f32], from: usize, steps: usize, key: f32, tempo: f32, seed: u64) -> Contour {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sung = |i: usize| match song[from + (i as f32 * tempo) as usize] {
        p if p > 0.0 => p + key + rng.random_range(-0.4..0.4),
        _ => 0.0,
    };
    Contour::from_steps((0..(steps as f32 / tempo) as usize).map(sung).collect())
}

struct Library {
    _dir: tempfile::TempDir,
    index: Index,
    songs: Vec<(SongId, Vec<f32>)>,
}

impl Library {
    fn of(contours: Vec<Vec<f32>>) -> Library {
        let dir = tempfile::tempdir().unwrap();
        let embedder = Projection::new();
        let model = |name: &str| ModelId { name: name.into(), fingerprint: "1".into() };
        let levels = embedder.windowing.song_steps.iter().map(|&steps| Level { steps, windows_per_length: 4 }).collect();
        let fingerprint =
            Fingerprint { extractor: model("none"), embedder: model("projection"), dimension: EMBEDDING_DIM as u32, levels };
        let index = Index::open(dir.path(), &fingerprint).unwrap();
        let mut songs = Vec::new();
        for (i, contour) in contours.into_iter().enumerate() {
            let file = FileIdentity { path: format!("{i}.mid"), size: 1, modified_ns: 1 };
            let levels = embed_song(&contour, &embedder).unwrap();
            let song = NewSong { key: "song".into(), tags: Tags::default(), contour: contour.clone(), levels };
            songs.push((index.put_file(&file, vec![song]).unwrap()[0], contour));
        }
        Library { _dir: dir, index, songs }
    }

    fn random(songs: u64) -> Library {
        Library::of((0..songs).map(|seed| melody(seed, 400 + 100 * (seed as usize % 9))).collect())
    }

    fn search(&self, hum: &Contour, options: &SearchOptions) -> Result<Answer, SearchError> {
        Searcher::new(self.index.snapshot().unwrap(), &self.index, Box::new(Projection::new()), reranker()).search(hum, options)
    }
}

/// A random tune of short notes.
fn lively(seed: u64, notes: usize) -> Vec<Note> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut onset = 0.0;
    let note = |_| {
        let note = Note { onset, duration: [0.2, 0.2, 0.3, 0.4][rng.random_range(0..4)], pitch: rng.random_range(55..75) as f32 };
        onset += note.duration;
        note
    };
    (0..notes).map(note).collect()
}

#[test]
fn a_fast_hum_of_short_notes_is_found_where_it_is_and_as_fast_as_it_is() {
    let songs: Vec<Vec<Note>> = (0..40).map(|seed| lively(seed, 200)).collect();
    let library = Library::of(songs.iter().map(|notes| Contour::from_notes(notes).pitch).collect());
    for (seed, tempo) in [(3, 1.4f32), (17, 1.55), (30, 1.7)] {
        let notes = &songs[seed][60..90];
        let (start, end) = (notes[0].onset, notes[29].offset());
        let hummed =
            |n: &Note| Note { onset: 0.5 + (n.onset - start) / tempo, duration: n.duration / tempo, pitch: n.pitch - 3.0 };
        let hum = Contour::from_notes(&notes.iter().map(hummed).collect::<Vec<_>>());
        let answer = library.search(&hum, &SearchOptions::default()).unwrap();
        let best = &answer.matches[0];
        assert_eq!(best.song, library.songs[seed].0, "{tempo}");
        assert!((best.song_start - start).abs() < 1.0 && (best.song_end - end).abs() < 1.0, "{tempo}: {best:?}");
        assert!((best.hum_start - 0.5).abs() < 0.7 && (best.hum_end - hum.duration() as f32).abs() < 0.7, "{tempo}: {best:?}");
        assert!((best.tempo_ratio - tempo).abs() < 0.12, "{tempo}: {}", best.tempo_ratio);
        assert!((best.key_shift + 3.0).abs() < 0.1, "{tempo}: {}", best.key_shift);
        assert!(best.path.iter().all(|&(hum, song)| ((song - start) / tempo + 0.5 - hum).abs() < 1.0), "{tempo}");
    }
}

#[test]
fn hums_find_their_songs_at_the_right_place() {
    let library = Library::random(60);
    for seed in 0..8u64 {
        let song = (seed * 7) as usize;
        let (id, contour) = &library.songs[song];
        let (from, key, tempo) = (40 + 20 * seed as usize, seed as f32 * 1.7 - 9.0, 0.75 + 0.08 * seed as f32);
        let hum = hummed(contour, from, 110, key, tempo, seed);
        let hum = Contour::from_steps([vec![0.0; 15], hum.pitch].concat());
        let answer = library.search(&hum, &SearchOptions::default()).unwrap();
        let best = &answer.matches[0];
        assert_eq!(best.song, *id, "hum {seed}");
        assert!((best.song_start - from as f32 / 10.0).abs() < 1.5, "hum {seed}: {} for {from}", best.song_start);
        assert!((best.song_end - (from + 110) as f32 / 10.0).abs() < 1.5, "hum {seed}: {}", best.song_end);
        assert!(best.hum_start >= 1.4 && best.hum_end <= hum.duration() as f32 + 0.1, "hum {seed}");
        assert!((best.key_shift - key).abs() < 0.3, "hum {seed}: {} for {key}", best.key_shift);
        assert!((best.tempo_ratio - tempo).abs() < 0.15, "hum {seed}: {} for {tempo}", best.tempo_ratio);
        assert!(best.confidence > answer.matches[1].confidence, "hum {seed}");
        assert_eq!((answer.matches.len(), answer.songs_searched), (10, 60));
        assert!(answer.matches.windows(2).all(|pair| pair[0].score >= pair[1].score));
    }
}

#[test]
fn a_song_is_found_at_the_right_place_with_itself() {
    let library = Library::random(12);
    let (id, contour) = &library.songs[3];
    let hum = Contour::from_steps(contour[100..260].to_vec());
    let best = &library.search(&hum, &SearchOptions::default()).unwrap().matches[0];
    assert_eq!(best.song, *id);
    assert!((best.song_start - 10.0).abs() < 0.21 && (best.song_end - 26.0).abs() < 0.41, "{best:?}");
    assert!(best.key_shift.abs() < 0.01 && (best.tempo_ratio - 1.0).abs() < 0.02);
}

#[test]
fn the_graph_leads_to_the_same_songs() {
    let library = Library::random(40);
    for seed in 0..4 {
        let (id, contour) = &library.songs[9 * seed as usize];
        let hum = hummed(contour, 60, 110, 4.0, 1.1, seed);
        let answer = library.search(&hum, &SearchOptions { stage: Stage::Hnsw, ..Default::default() }).unwrap();
        let exact = library.search(&hum, &SearchOptions::default()).unwrap();
        assert_eq!((answer.matches[0].song, exact.matches[0].song), (*id, *id));
        assert!((answer.matches[0].score - exact.matches[0].score).abs() < 1e-3, "both measure chance on all 40 songs");
    }
}

#[test]
fn a_coarse_search_leads_to_the_same_songs() {
    let library = Library::of((0..1500).map(|seed| melody(seed, 150)).collect());
    let mut right = 0;
    for seed in 0..6 {
        let (id, contour) = &library.songs[211 * seed as usize];
        let hum = hummed(contour, 30, 100, -5.0, 1.1, seed);
        let search = |stage| library.search(&hum, &SearchOptions { stage, ..Default::default() }).unwrap();
        let (coarse, exact) = (search(Stage::Coarse), search(Stage::Exact));
        assert_eq!(coarse.matches[0].song, exact.matches[0].song, "hum {seed}");
        assert!((coarse.matches[0].score - exact.matches[0].score).abs() < 0.5, "hum {seed}: chance is measured on other songs");
        assert!(coarse.candidates != exact.candidates, "hum {seed}: some songs are left out");
        right += usize::from(coarse.matches[0].song == *id);
    }
    assert!(right >= 5, "{right} of 6");

    let hum = hummed(&library.songs[0].1, 30, 100, 0.0, 1.0, 0);
    let wanted = SearchOptions { stage: Stage::Coarse, limit: 1400, ..Default::default() };
    assert_eq!(library.search(&hum, &wanted).unwrap().candidates.len(), 1400, "as many as are wanted");
}

#[test]
fn large_libraries_are_searched_coarsely() {
    let [below, above] = [Stage::LARGE - 1, Stage::LARGE];
    assert_eq!((Stage::Auto.among(below), Stage::Auto.among(above)), (Stage::Exact, Stage::Coarse));
    assert_eq!((Stage::Exact.among(above), Stage::Hnsw.among(above)), (Stage::Exact, Stage::Hnsw));
}

#[test]
fn a_hum_of_no_song_is_not_confident() {
    let library = Library::random(60);
    let wrong = (1000..1008).filter(|&seed| {
        let hum = hummed(&melody(seed, 200), 0, 120, 2.0, 1.1, seed);
        library.search(&hum, &SearchOptions::default()).unwrap().confident
    });
    assert!(wrong.count() <= 1);
}

#[test]
fn tiny_libraries_answer_too() {
    for songs in 1..5 {
        let library = Library::random(songs);
        let (id, contour) = &library.songs[0];
        let right = library.search(&hummed(contour, 50, 100, 3.0, 1.2, 5), &SearchOptions::default()).unwrap();
        assert_eq!((right.matches[0].song, right.matches.len(), right.confident), (*id, songs as usize, true));
        let other = melody(77, 200);
        let wrong = library.search(&hummed(&other, 50, 100, 3.0, 1.2, 5), &SearchOptions::default()).unwrap();
        // How sure is fitted to the shipped embedder; of this one no more can be asked than the right order.
        let [right, wrong] = [right, wrong].map(|answer| answer.matches[0].confidence);
        assert!(wrong < right - 0.1, "{songs} songs: {wrong} and {right}");
    }
}

#[test]
fn songs_that_are_left_out_do_not_answer() {
    let library = Library::random(12);
    let (id, contour) = &library.songs[3];
    let searcher = Searcher::new(library.index.snapshot().unwrap(), &library.index, Box::new(Projection::new()), reranker());
    let options = SearchOptions::default();
    let voted = searcher.vote(&hummed(contour, 50, 100, 3.0, 1.0, 5), &options).unwrap();
    let [with, without] = [&[][..], &[*id]].map(|left_out| searcher.answer(&voted, &options, left_out).unwrap());
    assert!(with.matches[0].song == *id && with.ranking[0] == *id && with.candidates.len() == 12);
    assert!(!without.ranking.contains(id) && without.ranking.len() == 11);
    assert!(without.matches[0].confidence < with.matches[0].confidence);
    let all: Vec<SongId> = library.songs.iter().map(|(id, _)| *id).collect();
    let none = searcher.answer(&voted, &options, &all).unwrap();
    assert!(none.matches.is_empty() && !none.confident);
}

#[test]
fn what_cannot_be_searched_is_told() {
    let library = Library::random(2);
    let search = |pitch: Vec<f32>| library.search(&Contour::from_steps(pitch), &SearchOptions::default());
    assert!(matches!(search(vec![]), Err(SearchError::NoVoice)));
    assert!(matches!(search(vec![0.0; 100]), Err(SearchError::NoVoice)));
    let short = search(vec![60.0; 12]).unwrap_err();
    assert_eq!(short.to_string(), "only 1.2 s of melody were heard; hum at least 2.5 s, better 8 to 12 s");
    assert!(search(vec![60.0; 25]).is_ok());
    assert!(matches!(
        Library::of(vec![]).search(&Contour::from_steps(melody(1, 100)), &SearchOptions::default()),
        Err(SearchError::EmptyIndex)
    ));
}

#[test]
fn songs_without_voice_or_too_short_do_no_harm() {
    let mut contours: Vec<Vec<f32>> = (0..6).map(|seed| melody(seed, 500)).collect();
    contours.extend([vec![], vec![0.0; 300], vec![60.0; 4], melody(90, 35)]);
    let library = Library::of(contours);
    let hum = hummed(&library.songs[2].1, 100, 120, -4.0, 0.9, 3);
    let answer = library.search(&hum, &SearchOptions { limit: 100, ..Default::default() }).unwrap();
    assert_eq!(answer.matches[0].song, library.songs[2].0);
    assert!(answer.matches.iter().all(|m| m.score.is_finite() && m.confidence.is_finite()));
}

#[test]
fn a_long_hum_is_used_up_to_seventy_seconds() {
    let library = Library::of((0..10).map(|seed| melody(seed, 1500)).collect());
    let answer = library.search(&Contour::from_steps(library.songs[4].1.clone()), &SearchOptions::default()).unwrap();
    let best = &answer.matches[0];
    assert_eq!(best.song, library.songs[4].0);
    assert!(best.hum_end > 65.0 && best.hum_end <= 70.2, "{}", best.hum_end);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn the_ranking_does_not_depend_on_the_key(key in -18.0f32..18.0) {
        let library = Library::random(15);
        let hum = hummed(&library.songs[7].1, 120, 90, 0.0, 1.0, 9);
        let moved = Contour::from_steps(hum.pitch.iter().map(|&p| if p > 0.0 { p + key } else { 0.0 }).collect());
        let [here, there] = [&hum, &moved].map(|hum| library.search(hum, &SearchOptions::default()).unwrap());
        prop_assert_eq!(here.matches[0].song, there.matches[0].song);
        prop_assert!((here.matches[0].score - there.matches[0].score).abs() < 0.5);
        prop_assert!((there.matches[0].key_shift - here.matches[0].key_shift - key).abs() < 0.3);
    }
}
