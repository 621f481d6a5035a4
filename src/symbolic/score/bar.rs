//! What is written.

/// A stretch of music between two bar lines (or repeat signs within a bar); lengths in quarter notes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::symbolic) struct Bar {
    /// How long it lasts.
    pub length: f64,
    /// Its notes.
    pub notes: Vec<Written>,
    /// Tempo changes: where in the bar, and quarter notes per minute from there on.
    pub tempi: Vec<(f64, f64)>,
    /// What tells where to go.
    pub signs: Signs,
}

/// A note of a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::symbolic) struct Written {
    /// Where in the bar it begins.
    pub start: f64,
    /// How long it sounds.
    pub length: f64,
    /// MIDI pitch.
    pub pitch: f64,
    /// Whether it continues the note of its pitch that ends where it begins.
    pub continues: bool,
}

/// Where the player goes from a bar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::symbolic) struct Signs {
    /// `|:` at its beginning.
    pub repeat_start: bool,
    /// `:|` at its end, and how often the section is played (0 where that is not told).
    pub repeat_end: Option<u32>,
    /// Repeats are taken after a jump too.
    pub after_jump: bool,
    /// The passes in which it is played; empty for all.
    pub ending: Vec<u8>,
    /// What is repeated by the next `:|` begins after it.
    pub section_end: bool,
    /// Where D.S. leads.
    pub segno: bool,
    /// Where the coda begins, or where to leave for it: the second of two, or the first.
    pub coda: bool,
    /// "To Coda" at its end.
    pub to_coda: bool,
    /// The end, after a jump.
    pub fine: bool,
    /// D.C. or D.S. at its end.
    pub jump: Option<Jump>,
}

/// A jump back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::symbolic) struct Jump {
    /// To the sign; else to the beginning.
    pub to_segno: bool,
    /// "al Coda": the coda follows where its first sign stands.
    pub al_coda: bool,
}

impl Signs {
    /// A bar after which the next one follows.
    pub const NONE: Signs = Signs {
        repeat_start: false,
        repeat_end: None,
        after_jump: false,
        ending: Vec::new(),
        section_end: false,
        segno: false,
        coda: false,
        to_coda: false,
        fine: false,
        jump: None,
    };

    /// The signs of both.
    pub fn merge(&mut self, other: Signs) {
        self.repeat_start |= other.repeat_start;
        self.repeat_end = self.repeat_end.or(other.repeat_end);
        self.after_jump |= other.after_jump;
        if self.ending.is_empty() {
            self.ending = other.ending;
        }
        self.section_end |= other.section_end;
        self.segno |= other.segno;
        self.coda |= other.coda;
        self.to_coda |= other.to_coda;
        self.fine |= other.fine;
        self.jump = self.jump.or(other.jump);
    }

    /// What a word over the music says: "D.C. al Fine", "Dal segno", "To Coda", "Fine".
    pub fn read(&mut self, words: &str) {
        let plain: String = words.to_lowercase().chars().filter(|c| !matches!(c, '.' | ' ' | '\t' | '\n' | '\u{a0}')).collect();
        let jump = |to_segno| Some(Jump { to_segno, al_coda: plain.contains("coda") });
        if plain.starts_with("dc") || plain.starts_with("dacapo") {
            self.jump = jump(false);
        } else if plain.starts_with("ds") || plain.starts_with("dalsegno") || plain.starts_with("delsegno") {
            self.jump = jump(true);
        } else if plain == "tocoda" || plain == "allacoda" || plain == "alcoda" {
            self.to_coda = true;
        } else if plain == "fine" {
            self.fine = true;
        } else if plain == "segno" {
            self.segno = true;
        } else if plain == "coda" {
            self.coda = true;
        }
    }
}
