//! The exact scan against a direct computation in f32.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::*;
use qbh_index::*;

type Pair = (u16, usize, Vec<u16>, Vec<u16>, Vec<f32>);

fn collect(snapshot: &Snapshot, windows: &[QueryWindow<'_>], songs: Option<&[u32]>) -> Vec<(u32, Vec<Pair>)> {
    let copy = |p: &PairScores<'_>| (p.hum_steps, p.level, p.hum_positions.into(), p.song_positions.into(), p.scores.into());
    snapshot.score(windows, songs, |_, pairs| pairs.iter().map(copy).collect()).unwrap()
}

#[test]
fn every_product_is_there_and_right() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    fill(&index, 150);
    let snapshot = index.snapshot().unwrap();
    assert_eq!(snapshot.len(), 150);
    let hum = hum(5);
    let scored = collect(&snapshot, &windows(&hum), None);
    assert_eq!(scored.iter().map(|s| s.0).collect::<Vec<_>>(), (0..150).collect::<Vec<_>>());
    let mut lengths: Vec<u16> = hum.iter().map(|w| w.0).collect();
    lengths.sort_unstable();
    lengths.dedup();
    for (ordinal, pairs) in &scored {
        let original = song("", index.song(snapshot.song_id(*ordinal).unwrap()).unwrap().unwrap().key[4..].parse().unwrap());
        let mut expected_pairs = Vec::new();
        for (level, steps) in [50u16, 100, 200].into_iter().enumerate() {
            for &l in &lengths {
                let ratio = f32::from(steps) / f32::from(l);
                if (0.5..=2.0).contains(&ratio) && original.levels.iter().any(|w| w.steps == steps) {
                    expected_pairs.push((l, level));
                }
            }
        }
        assert_eq!(pairs.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(), expected_pairs);
        for (l, level, hum_positions, song_positions, scores) in pairs {
            let song_windows = original.levels.iter().find(|w| w.steps == [50, 100, 200][*level]).unwrap();
            let hum_windows: Vec<_> = hum.iter().filter(|w| w.0 == *l).collect();
            assert_eq!(song_positions, &song_windows.positions);
            assert!(hum_windows.iter().map(|w| &w.1).eq(hum_positions.iter()));
            let mut got = scores.iter();
            for (_, _, a) in hum_windows {
                for b in song_windows.vectors.chunks_exact(DIMENSION) {
                    let exact: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
                    let score = got.next().unwrap();
                    assert!((exact - score).abs() < 0.012, "{exact} against {score}");
                }
            }
            assert!(got.next().is_none());
        }
    }
}

#[test]
fn listed_songs_get_the_scores_they_get_among_all() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    fill(&index, 60);
    let snapshot = index.snapshot().unwrap();
    let hum = hum(6);
    let all = collect(&snapshot, &windows(&hum), None);
    let listed = collect(&snapshot, &windows(&hum), Some(&[40, 3, 4, 5, 59, 0, 40]));
    assert_eq!(listed, [0, 3, 4, 5, 40, 59].map(|i: usize| all[i].clone()));
    assert!(collect(&snapshot, &windows(&hum), Some(&[])).is_empty());
    let ids: Vec<_> = (0..60).map(|i| snapshot.song_id(i).unwrap()).collect();
    assert!(ids.iter().enumerate().all(|(i, &id)| snapshot.ordinal(id) == Some(i as u32)));
    assert_eq!(snapshot.song_id(60), None);
}

#[test]
fn senseless_queries_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    fill(&index, 3);
    let snapshot = index.snapshot().unwrap();
    let refused = |vector: &[f32], songs: Option<&[u32]>| {
        matches!(snapshot.score(&[QueryWindow { steps: 50, position: 0, vector }], songs, |_, _| ()), Err(Error::InvalidQuery(_)))
    };
    assert!(refused(&[0.1; DIMENSION - 1], None));
    assert!(refused(&[f32::NAN; DIMENSION], None));
    assert!(refused(&[0.1; DIMENSION], Some(&[1, 3])));
    assert!(!refused(&[0.1; DIMENSION], Some(&[1, 2])));
}

#[test]
fn no_songs_and_no_windows_are_no_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    assert!(collect(&index.snapshot().unwrap(), &windows(&hum(1)), None).is_empty());
    let bare = NewSong { key: "bare".into(), tags: Tags::default(), contour: vec![], levels: vec![] };
    index.put_file(&identity("bare"), vec![bare]).unwrap();
    let snapshot = index.snapshot().unwrap();
    assert_eq!(collect(&snapshot, &windows(&hum(1)), None), [(0, vec![])]);
    assert_eq!(collect(&snapshot, &[], None), [(0, vec![])]);
}

#[test]
fn a_view_outlives_changes() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), &fingerprint()).unwrap();
    fill(&index, 20);
    let snapshot = index.snapshot().unwrap();
    let hum = hum(8);
    let before = collect(&snapshot, &windows(&hum), None);
    index.remove_file("song0004").unwrap();
    assert_eq!(index.snapshot().unwrap().len(), 19);
    assert_eq!(collect(&snapshot, &windows(&hum), None), before);
}
