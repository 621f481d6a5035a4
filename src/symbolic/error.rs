//! The errors of reading symbolic music.

/// Why a symbolic file gave no melody. `Display` says what is wrong and where, [`remedy`](Self::remedy) what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SymbolicError {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The extension belongs to no symbolic format.
    #[error("{0:?} is no extension of a symbolic music file")]
    UnknownFormat(String),
    /// A file, or what it unpacks to, is beyond what a melody can need.
    #[error("{what} is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit with its unit.
        limit: String,
    },
    /// The content is not what its format requires.
    #[error("{format}: {place}: {reason}")]
    Malformed {
        /// The format read.
        format: &'static str,
        /// Line, track, measure or part of the file.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// The file is well formed, and holds no melody.
    #[error("{format}: no melody: {reason}")]
    NoNotes {
        /// The format read.
        format: &'static str,
        /// What was found instead.
        reason: String,
    },
}

impl SymbolicError {
    pub(crate) fn malformed(format: &'static str, place: impl Into<String>, reason: impl Into<String>) -> Self {
        SymbolicError::Malformed { format, place: place.into(), reason: reason.into() }
    }

    pub(crate) fn no_notes(format: &'static str, reason: impl Into<String>) -> Self {
        SymbolicError::NoNotes { format, reason: reason.into() }
    }

    /// What a person can do about it, as one sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            SymbolicError::Io(_) => "check that the file exists and may be read",
            SymbolicError::UnknownFormat(_) => {
                "use .mid, .midi, .kar, .rmi, .musicxml, .xml, .mxl, .abc, .krn, .jsonl, .jsonl.gz, or a karaoke chart or list of notes"
            }
            SymbolicError::TooLarge { .. } => "split the file, or remove it from the library if it is not music",
            SymbolicError::Malformed { .. } => "export the file again from the program that made it, or correct its extension",
            SymbolicError::NoNotes { .. } => "give a file with a melody, or remove this one from the library",
        }
    }
}
