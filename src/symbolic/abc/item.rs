//! What a tune is made of, as it is written.

use crate::symbolic::score::Signs;

/// Most times a section is played.
pub(super) const MAX_PASSES: u32 = 16;

/// What stands in a tune, in the order of writing; lengths in quarter notes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// A note, or the top of a chord, or (`None`) a rest; `tied` to the next of the same pitch.
    Note { pitch: Option<i32>, length: f64, tied: bool },
    /// Quarter notes per minute from here on.
    Tempo(f64),
    /// `|`
    BarLine,
    /// `|:`
    RepeatStart,
    /// `:|`, and how often the section is played then (0 where it is not told).
    RepeatEnd(u32),
    /// `[1`, `[2`, `[1,3`: what follows is played in these passes only.
    Ending(Vec<u8>),
    /// `||` or `|]`
    SectionEnd,
    /// `P:A`
    Part(char),
    /// Segno, Coda, Fine, D.C. and the like.
    Signs(Signs),
}
