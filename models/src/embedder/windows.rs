//! Windows: a contour cut into stretches, and what is stored or compared of each. One function cuts songs and hums, which differ in
//! parameters only.

use super::{Embedder, Windowing};
use crate::contour::{slowed_step, voiced_fraction};
use crate::{Contour, ModelError};

/// A song shorter than a level's window still gets one window there, its whole self, when it is at least this share as long.
const SHORTEST_SONG: f32 = 0.6;

/// Hum windows shorter than this, in steps, are for hums that are not longer than so many of them: in short and fast ones they fit the song windows
/// that longer ones are too long for; of longer hums they tell nothing that longer windows do not.
const SHORT: u16 = 40;
const OF_SHORT_HUMS: u16 = 3;

/// One window of a contour: steps `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    /// Ordinal of the window among all windows of its length, those without enough voice included:
    /// neighbours in position are neighbours in time.
    position: u16,
    /// First step.
    start: usize,
    /// One past the last step.
    end: usize,
}

/// The windows of one length.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cut {
    /// Length asked for, in contour steps (a short song's only window may be shorter).
    steps: u16,
    /// Windows kept, by position.
    windows: Vec<Window>,
}

/// The windows of one length with their vectors; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowVectors {
    /// Length in contour steps (a short song's only window may be shorter).
    pub steps: u16,
    /// Position of each window, ascending: hops from the beginning, windows without enough voice counted.
    pub positions: Vec<u16>,
    /// [`Embedder::dimension`] values of each window, window after window.
    pub vectors: Vec<f32>,
}

/// What an index stores of a song: the windows of its contour (MIDI pitch per 100 ms, 0 = unvoiced), one entry per level, shortest first. Levels
/// for which the song is too short, or has no voice, are left out.
///
/// # Errors
/// What the embedder reports.
pub fn embed_song(contour: &[f32], embedder: &dyn Embedder) -> Result<Vec<WindowVectors>, ModelError> {
    embed(song_windows(contour, embedder.windowing()), |w| &contour[w.start..w.end], embedder)
}

/// What is compared of a hum: its windows, one entry per length, longest first. They come from steps of 67 ms where the embedder takes windows of
/// steps of any length.
///
/// # Errors
/// What the embedder reports.
pub fn embed_hum(hum: &Contour, embedder: &dyn Embedder) -> Result<Vec<WindowVectors>, ModelError> {
    let windowing = embedder.windowing();
    let steps = |w: &Window| match windowing.resampled {
        true => &hum.slowed[slowed_step(w.start)..slowed_step(w.end)],
        false => &hum.pitch[w.start..w.end],
    };
    embed(hum_windows(&hum.pitch, windowing), steps, embedder)
}

/// All windows at once, as embedders are fastest; `steps` gives a window's.
fn embed<'c>(
    mut cuts: Vec<Cut>,
    steps: impl Fn(&Window) -> &'c [f32],
    embedder: &dyn Embedder,
) -> Result<Vec<WindowVectors>, ModelError> {
    cuts.retain(|cut| !cut.windows.is_empty());
    let windows: Vec<&[f32]> = cuts.iter().flat_map(|cut| &cut.windows).map(steps).collect();
    let mut vectors = embedder.vectors(&windows)?.into_iter();
    let of_length = |Cut { steps, windows }: Cut| WindowVectors {
        steps,
        positions: windows.iter().map(|w| w.position).collect(),
        vectors: vectors.by_ref().take(windows.len() * embedder.dimension()).collect(),
    };
    Ok(cuts.into_iter().map(of_length).collect())
}

/// The windows of a song, one [`Cut`] per level; levels for which the song is too short or has no voice hold none.
fn song_windows(contour: &[f32], windowing: &Windowing) -> Vec<Cut> {
    let cut = |&steps: &u16| cut(contour, steps, windowing.windows_per_length, SHORTEST_SONG, windowing.song_min_voiced);
    windowing.song_steps.iter().map(cut).collect()
}

/// The windows of a hum: one [`Cut`] per hum length, longest first. Lengths beyond the hum's own become the whole hum, once; windows below 4 s
/// are for short hums.
fn hum_windows(contour: &[f32], windowing: &Windowing) -> Vec<Cut> {
    let longest = contour.len().min(usize::from(u16::MAX)) as u16;
    let useful = |steps: &u16| *steps >= SHORT || OF_SHORT_HUMS * *steps >= longest;
    let mut lengths: Vec<u16> = windowing.hum_steps.iter().copied().filter(useful).map(|steps| steps.min(longest)).collect();
    lengths.dedup();
    let cut = |&steps: &u16| cut(contour, steps, windowing.windows_per_length, 1.0, windowing.hum_min_voiced);
    lengths.iter().map(cut).collect()
}

/// Windows of `steps` steps, `per_length` to a length, the last one flush with the end. A contour shorter than that gives one
/// window, its whole self, if it has at least `shortest` of the length.
///
/// Windows voiced in less than `min_voiced` of their steps are left out; if all are, the one with the most voice stays.
/// Without any voice there is no window.
fn cut(contour: &[f32], steps: u16, per_length: u16, shortest: f32, min_voiced: f32) -> Cut {
    let length = usize::from(steps);
    let mut windows = Vec::new();
    if contour.len() > length && length > 0 {
        let hop = f64::from(steps) / f64::from(per_length.max(1));
        let last = contour.len() - length;
        for position in 0..=u16::MAX {
            let start = ((f64::from(position) * hop).round() as usize).min(last);
            windows.push(Window { position, start, end: start + length });
            if start == last {
                break;
            }
        }
    } else if !contour.is_empty() && contour.len() as f32 >= shortest * f32::from(steps) {
        windows.push(Window { position: 0, start: 0, end: contour.len() });
    }

    let voiced: Vec<f32> = windows.iter().map(|w| voiced_fraction(&contour[w.start..w.end])).collect();
    let most = voiced.iter().copied().fold(0.0, f32::max);
    let keep_from = min_voiced.min(most);
    let mut share = voiced.iter();
    windows.retain(|_| share.next().is_some_and(|&v| v > 0.0 && v >= keep_from));
    if most < min_voiced {
        windows.truncate(1);
    }
    Cut { steps, windows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn windowing() -> Windowing {
        Windowing {
            song_steps: vec![50, 100, 200],
            hum_steps: vec![200, 160, 128, 100, 80, 63, 50, 40],
            resampled: true,
            windows_per_length: 4,
            song_min_voiced: 0.3,
            hum_min_voiced: 0.2,
        }
    }

    fn spans(cut: &Cut) -> Vec<(u16, usize, usize)> {
        cut.windows.iter().map(|w| (w.position, w.start, w.end)).collect()
    }

    #[test]
    fn song_windows_hop_by_a_quarter_and_end_flush() {
        let cuts = song_windows(&[60.0; 83], &windowing());
        assert_eq!(spans(&cuts[0]), [(0, 0, 50), (1, 13, 63), (2, 25, 75), (3, 33, 83)]);
        assert_eq!(spans(&cuts[1]), [(0, 0, 83)], "83 steps are over 60 % of 100: one window of its own");
        assert_eq!(cuts[2].windows, [], "and under 60 % of 200");
    }

    #[test]
    fn a_hum_shorter_than_the_ladder_is_one_window_of_its_own() {
        let cuts = hum_windows(&[60.0; 90], &windowing());
        assert_eq!(cuts.iter().map(|c| c.steps).collect::<Vec<_>>(), [90, 80, 63, 50, 40]);
        assert_eq!(spans(&cuts[0]), [(0, 0, 90)]);
        assert_eq!(spans(&cuts[1]), [(0, 0, 80), (1, 10, 90)]);
    }

    #[test]
    fn windows_below_four_seconds_are_for_hums_of_up_to_three_of_them() {
        let windowing = Windowing { hum_steps: vec![80, 40, 32, 25], ..windowing() };
        let lengths = |hum: usize| hum_windows(&vec![60.0; hum], &windowing).iter().map(|c| c.steps).collect::<Vec<_>>();
        assert_eq!(lengths(97), [80, 40]);
        assert_eq!(lengths(96), [80, 40, 32]);
        assert_eq!(lengths(75), [75, 40, 32, 25]);
        assert_eq!(lengths(28), [28, 25]);
    }

    #[test]
    fn windows_without_voice_are_left_out_but_positions_stay() {
        let mut contour = vec![0.0; 200];
        contour[100..].fill(60.0);
        let cut = cut(&contour, 50, 4, 1.0, 0.3);
        assert_eq!(cut.windows[0], Window { position: 6, start: 75, end: 125 });
        assert_eq!(cut.windows.last().unwrap().end, 200);
    }

    #[test]
    fn the_best_window_stays_when_none_has_enough_voice_and_silence_has_none() {
        let mut contour = vec![0.0; 200];
        contour[20] = 60.0;
        contour[190..193].fill(60.0);
        let sparse = cut(&contour, 50, 4, 1.0, 0.3);
        assert_eq!(sparse.windows, [Window { position: 12, start: 150, end: 200 }]);
        assert_eq!(cut(&[0.0; 200], 50, 4, 1.0, 0.3).windows, []);
        assert_eq!(cut(&[], 50, 4, 0.6, 0.3).windows, []);
    }

    proptest! {
        #[test]
        fn windows_cover_a_voiced_contour_without_gaps(length in 1usize..2000, steps in 8u16..300, per_length in 1u16..8) {
            let contour = vec![60.0; length];
            let cut = cut(&contour, steps, per_length, 0.0, 0.3);
            prop_assert_eq!(cut.windows[0].start, 0);
            prop_assert_eq!(cut.windows.last().unwrap().end, length);
            for (k, pair) in cut.windows.windows(2).enumerate() {
                prop_assert_eq!(usize::from(pair[0].position), k);
                prop_assert!(pair[0].start < pair[1].start && pair[1].start <= pair[0].end);
            }
        }
    }
}
