//! Aligns: lays a hum on passages of songs. Key-free, tempo-flexible, and free to leave out the ends of the hum.
//!
//! - [`recurrence`]: the local alignment of two sequences of pitch classes, over all keys
//! - [`aligner`]: one hum against one song after the other
//! - [`moves`]: what of an alignment is melody

mod aligner;
mod moves;
mod recurrence;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

pub use aligner::{Aligner, Alignment};
pub use recurrence::{Buffers, EIGHTHS};

use super::locate::Passage;
use super::sequence::PitchSequence;
use super::trim::TrimmedHum;

/// A passage of a song with its alignment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// The passage.
    pub(crate) passage: Passage,
    /// How the hum aligns with it.
    pub(crate) alignment: Alignment,
}

/// Aligns a hum with passages of songs, each given by its contour: the places of every song, in the order of its passages.
pub(crate) fn align(hum: &TrimmedHum, songs: &[(&[f32], &[Passage])]) -> Vec<Vec<Place>> {
    let places = |buffers: &mut Buffers, &(contour, passages): &(&[f32], &[Passage])| {
        let place = |&passage: &Passage| {
            let aligner = Aligner::new(&hum.reading(passage.slowed).sequence.class);
            Place { passage, alignment: aligner.align(&part(contour, passage).class, buffers) }
        };
        passages.iter().map(place).collect()
    };
    songs.par_iter().map_init(Buffers::default, places).collect()
}

/// What is aligned of a passage.
pub(crate) fn part(contour: &[f32], passage: Passage) -> PitchSequence {
    PitchSequence::of_part(contour, passage.start as usize..passage.end as usize)
}
