//! What a tune is made of, as it is written.

/// Most times a section is played.
pub(super) const MAX_PASSES: u32 = 8;

/// What stands in a tune, in the order of writing; lengths in quarter notes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// A note, or the top of a chord, or (`None`) a rest; `tied` to the next of the same pitch.
    Note { pitch: Option<i32>, length: f64, tied: bool },
    /// Quarter notes per minute from here on.
    Tempo(f64),
    /// `|:`
    RepeatStart,
    /// `:|`
    RepeatEnd,
    /// `[1`, `[2`, `[1,3`: what follows is played in these passes only.
    Ending(Vec<u8>),
    /// `||` or `|]`
    SectionEnd,
}
