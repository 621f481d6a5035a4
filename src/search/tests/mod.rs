//! The whole search, on melodies made up here.

mod library;
pub(super) mod stages;

use proptest::prelude::*;
use qbh_index::SongId;
use qbh_models::{Contour, Note};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use library::{Library, hummed, melody};

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
        assert_eq!(best.song.id, library.songs[seed].0, "{tempo}");
        assert!(
            (best.placement.song_start - start).abs() < 1.0 && (best.placement.song_end - end).abs() < 1.0,
            "{tempo}: {best:?}"
        );
        assert!(
            (best.placement.hum_start - 0.5).abs() < 0.7 && (best.placement.hum_end - hum.duration() as f32).abs() < 0.7,
            "{tempo}: {best:?}"
        );
        assert!((best.placement.tempo_ratio - tempo).abs() < 0.12, "{tempo}: {}", best.placement.tempo_ratio);
        assert!((best.placement.key_shift + 3.0).abs() < 0.1, "{tempo}: {}", best.placement.key_shift);
        assert!(best.placement.path.iter().all(|&(hum, song)| ((song - start) / tempo + 0.5 - hum).abs() < 1.0), "{tempo}");
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
        assert_eq!(best.song.id, *id, "hum {seed}");
        assert!(
            (best.placement.song_start - from as f32 / 10.0).abs() < 1.5,
            "hum {seed}: {} for {from}",
            best.placement.song_start
        );
        assert!((best.placement.song_end - (from + 110) as f32 / 10.0).abs() < 1.5, "hum {seed}: {}", best.placement.song_end);
        assert!(best.placement.hum_start >= 1.4 && best.placement.hum_end <= hum.duration() as f32 + 0.1, "hum {seed}");
        assert!((best.placement.key_shift - key).abs() < 0.3, "hum {seed}: {} for {key}", best.placement.key_shift);
        assert!((best.placement.tempo_ratio - tempo).abs() < 0.15, "hum {seed}: {} for {tempo}", best.placement.tempo_ratio);
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
    assert_eq!(best.song.id, *id);
    assert!((best.placement.song_start - 10.0).abs() < 0.21 && (best.placement.song_end - 26.0).abs() < 0.41, "{best:?}");
    assert!(best.placement.key_shift.abs() < 0.01 && (best.placement.tempo_ratio - 1.0).abs() < 0.02);
}

#[test]
fn the_graph_leads_to_the_same_songs() {
    let library = Library::random(40);
    for seed in 0..4 {
        let (id, contour) = &library.songs[9 * seed as usize];
        let hum = hummed(contour, 60, 110, 4.0, 1.1, seed);
        let answer = library.search(&hum, &SearchOptions { method: SearchMethod::Hnsw, ..Default::default() }).unwrap();
        let exact = library.search(&hum, &SearchOptions::default()).unwrap();
        assert_eq!((answer.matches[0].song.id, exact.matches[0].song.id), (*id, *id));
        assert!(
            (answer.matches[0].score - exact.matches[0].score).abs() < 1e-3,
            "both have the null distribution of all 40 songs"
        );
    }
}

#[test]
fn a_coarse_search_leads_to_the_same_songs() {
    let library = Library::of((0..1500).map(|seed| melody(seed, 150)).collect());
    let mut right = 0;
    for seed in 0..6 {
        let (id, contour) = &library.songs[211 * seed as usize];
        let hum = hummed(contour, 30, 100, -5.0, 1.1, seed);
        let search = |method| library.search(&hum, &SearchOptions { method, ..Default::default() }).unwrap();
        let (coarse, exact) = (search(SearchMethod::Coarse), search(SearchMethod::Exact));
        assert_eq!(coarse.matches[0].song.id, exact.matches[0].song.id, "hum {seed}");
        assert!(
            (coarse.matches[0].score - exact.matches[0].score).abs() < 0.5,
            "hum {seed}: the null distribution is that of other songs"
        );
        assert!(coarse.candidates != exact.candidates, "hum {seed}: some songs are left out");
        right += usize::from(coarse.matches[0].song.id == *id);
    }
    assert!(right >= 5, "{right} of 6");

    let hum = hummed(&library.songs[0].1, 30, 100, 0.0, 1.0, 0);
    let wanted = SearchOptions { method: SearchMethod::Coarse, limit: 1400, ..Default::default() };
    assert_eq!(library.search(&hum, &wanted).unwrap().candidates.len(), 1400, "as many as are wanted");
}

#[test]
fn answers_do_not_depend_on_the_order_of_indexing() {
    // Every tenth song is there three times, under names that lie apart.
    let copies = |seed: u64| if seed.is_multiple_of(10) { vec![0, 4, 8] } else { vec![3] };
    let songs = |order: fn(&mut Vec<(String, Vec<f32>)>)| {
        let names = (0..1100)
            .flat_map(|seed| copies(seed).into_iter().map(move |copy| (format!("{copy}/{seed}.mid"), melody(seed, 150))));
        let mut songs: Vec<(String, Vec<f32>)> = names.collect();
        order(&mut songs);
        Library::of_files(songs)
    };
    let libraries = [songs(|_| ()), songs(|songs| songs.reverse()), songs(|songs| songs.rotate_left(555))];
    let mut folded = 0;
    for (seed, method) in [50, 120, 640].into_iter().zip([SearchMethod::Exact, SearchMethod::Coarse, SearchMethod::Exact]) {
        let hum = hummed(&melody(seed, 150), 20, 120, 2.0, 1.1, 7);
        let answers = libraries.each_ref().map(|library| {
            let answer = library.search(&hum, &SearchOptions { method, limit: 40, ..Default::default() }).unwrap();
            let keys = |songs: Vec<qbh_index::Song>| songs.into_iter().map(|song| song.key).collect::<Vec<_>>();
            let told = |m: crate::search::Match| (m.song.key, keys(m.copies), m.score, m.confidence, m.placement);
            answer.matches.into_iter().map(told).collect::<Vec<_>>()
        });
        assert!(answers.windows(2).all(|two| two[0] == two[1]), "hum {seed}, {method:?}");
        // Copies are one answer, under the first of their names.
        let found = answers[0].iter().find(|m| m.0.ends_with(&format!("/{seed}.mid")));
        if let Some((key, copies, ..)) = found {
            assert_eq!(*key, format!("0/{seed}.mid"));
            assert_eq!(*copies, [format!("4/{seed}.mid"), format!("8/{seed}.mid")]);
            folded += 1;
        }
    }
    assert!(folded >= 2, "{folded} of 3 hums found their song");
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
        assert_eq!((right.matches[0].song.id, right.matches.len(), right.confident), (*id, songs as usize, true));
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
    let searcher = library.searcher(SearchMethod::Auto);
    let options = SearchOptions::default();
    let voted = searcher.vote(&hummed(contour, 50, 100, 3.0, 1.0, 5), &options).unwrap();
    let [with, without] = [&[][..], &[*id]].map(|left_out| searcher.answer(&voted, &options, left_out).unwrap());
    assert!(with.matches[0].song.id == *id && with.ranking[0] == *id && with.candidates.len() == 12);
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
    assert_eq!(answer.matches[0].song.id, library.songs[2].0);
    assert!(answer.matches.iter().all(|m| m.score.is_finite() && m.confidence.is_finite()));
}

#[test]
fn a_long_hum_is_used_up_to_seventy_seconds() {
    let library = Library::of((0..10).map(|seed| melody(seed, 1500)).collect());
    let answer = library.search(&Contour::from_steps(library.songs[4].1.clone()), &SearchOptions::default()).unwrap();
    let best = &answer.matches[0];
    assert_eq!(best.song.id, library.songs[4].0);
    assert!(best.placement.hum_end > 65.0 && best.placement.hum_end <= 70.2, "{}", best.placement.hum_end);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn the_ranking_does_not_depend_on_the_key(key in -18.0f32..18.0) {
        let library = Library::random(15);
        let hum = hummed(&library.songs[7].1, 120, 90, 0.0, 1.0, 9);
        let moved = Contour::from_steps(hum.pitch.iter().map(|&p| if p > 0.0 { p + key } else { 0.0 }).collect());
        let [here, there] = [&hum, &moved].map(|hum| library.search(hum, &SearchOptions::default()).unwrap());
        prop_assert_eq!(here.matches[0].song.id, there.matches[0].song.id);
        prop_assert!((here.matches[0].score - there.matches[0].score).abs() < 0.5);
        prop_assert!((there.matches[0].placement.key_shift - here.matches[0].placement.key_shift - key).abs() < 0.3);
    }
}
