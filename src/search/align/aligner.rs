//! A hum against one song after the other: score, key, path.

use super::moves::moves;
use super::recurrence::{Buffers, MARGIN, SKIP, TAU, best_key, difference, fill, shifted};

/// Scores one hum against many songs.
#[derive(Debug, Clone)]
pub struct Aligner<'a> {
    hum: &'a [u16],
}

/// How well a hum aligns with a song.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// Share of what a perfect hum would earn, 0..=1.
    pub score: f32,
    /// Eighths of a semitone by which the hum had to be moved up (modulo the octave).
    pub shift: u16,
    /// Changes of pitch that hum and song make together along the path, per frame of the hum: see [`moves`].
    pub moves: f32,
}

impl<'a> Aligner<'a> {
    /// An aligner for a hum's pitch classes (see [`crate::search::sequence::PitchSequence::class`]).
    pub fn new(hum: &'a [u16]) -> Self {
        Aligner { hum }
    }

    /// The best local alignment with a song's pitch classes, over all keys.
    pub fn align(&self, song: &[u16], buffers: &mut Buffers) -> Alignment {
        let (highest, shift) = best_key(self.hum, song, buffers);
        let frames = self.hum.len().max(1) as f32;
        let path = self.path_with(song, shift, &mut buffers.whole);
        let moves = moves(self.hum, song, &path) as f32 / frames;
        Alignment { score: (f32::from(highest) / (f32::from(TAU) * frames)).min(1.0), shift, moves }
    }

    /// The path of the best local alignment at `shift`: (hum frame, song frame) of every step, both ascending; empty when nothing
    /// matches.
    pub fn path(&self, song: &[u16], shift: u16) -> Vec<(usize, usize)> {
        self.path_with(song, shift, &mut Vec::new())
    }

    fn path_with(&self, song: &[u16], shift: u16, h: &mut Vec<u16>) -> Vec<(usize, usize)> {
        let width = song.len() + MARGIN;
        let (last, highest) = fill(self.hum, song, shift, h);
        if highest == 0 {
            return Vec::new();
        }
        // From here on i and j count the margin: cell (i, j) belongs to hum frame i - MARGIN and song frame j - MARGIN.
        let at = |i: usize, j: usize| h[i * width + j];
        let mut i = last + MARGIN;
        let last_row = &h[i * width..(i + 1) * width];
        let Some(mut j) = last_row.iter().position(|&cell| cell == highest) else { return Vec::new() };
        let mut path = Vec::new();
        while at(i, j) > 0 {
            path.push((i - MARGIN, j - MARGIN));
            let d = difference(shifted(self.hum[i - MARGIN], shift), song[j - MARGIN]);
            // What the step before was worth; no step before when it is nothing.
            let from = (at(i, j) + d).saturating_sub(TAU);
            if from == 0 {
                break;
            }
            if at(i - 1, j - 1) == from {
                (i, j) = (i - 1, j - 1);
            } else if at(i - 1, j - 2).saturating_sub(SKIP) == from {
                (i, j) = (i - 1, j - 2);
            } else {
                (i, j) = (i - 2, j - 1);
            }
        }
        path.reverse();
        path
    }
}
