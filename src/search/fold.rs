//! Folds copies: the same recording twice, or in two formats, is one answer.

use super::rank::RankedSong;
use qbh_index::Song;

/// Two lengths of one recording differ by so many steps of 100 ms at most: encoders and players trim ends differently.
const LONGER: usize = 30;
/// Steps by which one may begin later.
const LATER: isize = 15;
/// Pitches of one recording, heard twice, differ by less than this, semitones.
const SEMITONES: f32 = 0.5;
/// Share of the steps voiced in either at which both have the same pitch. Another performance of the same tune, even to the same
/// accompaniment, is far below: singers do not repeat their timing to 100 ms.
const SHARED: f32 = 0.8;
/// Fewer voiced steps tell nothing.
const VOICED: usize = 30;
/// Places of a ranking that are looked through.
const PLACES: usize = 30;

/// Whether two contours (MIDI pitch per 100 ms, 0 = unvoiced) are of one recording.
pub fn same_recording(a: &[f32], b: &[f32]) -> bool {
    if a.len().abs_diff(b.len()) > LONGER {
        return false;
    }
    let offsets = (0..=LATER).flat_map(|offset| [offset, -offset]);
    // Every eighth step tells most pairs apart.
    offsets.into_iter().any(|offset| shared(a, b, offset, 8) >= SHARED - 0.1 && shared(a, b, offset, 1) >= SHARED)
}

/// Of the steps voiced in `a` or, `offset` steps later, in `b`, the share at which both have the same pitch; every `stride`-th is
/// looked at.
fn shared(a: &[f32], b: &[f32], offset: isize, stride: usize) -> f32 {
    let (mut voiced, mut same) = (0, 0);
    for i in (0..a.len()).step_by(stride) {
        let other = i.checked_add_signed(offset).and_then(|j| b.get(j)).copied().unwrap_or(0.0);
        if a[i] > 0.0 || other > 0.0 {
            voiced += 1;
            same += usize::from(a[i] > 0.0 && other > 0.0 && (a[i] - other).abs() < SEMITONES);
        }
    }
    if voiced * stride < VOICED { 0.0 } else { same as f32 / voiced as f32 }
}

/// Takes copies out of a ranking, and hands out for each place that is left the songs that are the same recording. Only the first
/// places are looked through.
pub(crate) fn fold(ranked: Vec<RankedSong>) -> (Vec<RankedSong>, Vec<Vec<Song>>) {
    let mut kept: Vec<RankedSong> = Vec::with_capacity(ranked.len());
    let mut copies: Vec<Vec<Song>> = Vec::new();
    for (place, song) in ranked.into_iter().enumerate() {
        let original = (place < PLACES)
            .then(|| kept.iter().position(|other| same_recording(&other.song.contour, &song.song.contour)))
            .flatten();
        match original {
            Some(at) => copies[at].push(song.song.song),
            None => {
                kept.push(song);
                copies.push(Vec::new());
            }
        }
    }
    (kept, copies)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tune of notes of half a second.
    fn contour(seed: u32, notes: usize) -> Vec<f32> {
        let note = |i: usize| {
            let mixed = (i as u32 + 1).wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503)) >> 13;
            if mixed.is_multiple_of(7) { 0.0 } else { 55.0 + (mixed % 17) as f32 }
        };
        (0..notes).flat_map(|i| [note(i); 5]).collect()
    }

    #[test]
    fn another_encoding_is_the_same_recording_and_another_performance_is_not() {
        let song = contour(1, 300);
        assert!(same_recording(&song, &song));
        // Some steps are heard otherwise, and it begins half a second later.
        let mut other: Vec<f32> = [0.0; 5].into_iter().chain(song.iter().map(|p| if *p > 0.0 { p + 0.1 } else { 0.0 })).collect();
        for i in (0..other.len()).step_by(13) {
            other[i] = if other[i] > 0.0 { 0.0 } else { 60.0 };
        }
        assert!(same_recording(&song, &other) && same_recording(&other, &song));
        assert!(!same_recording(&song, &contour(2, 300)), "another tune");
        // The same tune a tone higher, and the same tune 2 % slower.
        let higher: Vec<f32> = song.iter().map(|p| if *p > 0.0 { p + 2.0 } else { 0.0 }).collect();
        let slower: Vec<f32> = (0..song.len()).map(|i| song[i * 98 / 100]).collect();
        assert!(!same_recording(&song, &higher) && !same_recording(&song, &slower));
        assert!(!same_recording(&[0.0; 900], &[0.0; 900]), "silence is no recording");
    }
}
