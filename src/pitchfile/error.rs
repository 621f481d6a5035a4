//! The errors of reading pitch files.

/// Why a file gave no pitch track. `Display` says what is wrong and where, [`remedy`](Self::remedy) what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PitchFileError {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The extension belongs to no pitch file.
    #[error("{0:?} is no extension of a pitch file")]
    UnknownFormat(String),
    /// A file, or the time it covers, is beyond what a recording can need.
    #[error("{what} is over the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit with its unit.
        limit: String,
    },
    /// A line is not what the format requires.
    #[error("line {line}: {reason}")]
    Malformed {
        /// Line number, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The rows are those of notes.
    #[error("a list of notes, not a pitch track: {reason}")]
    Notes {
        /// What tells that.
        reason: String,
    },
    /// The file holds no frame.
    #[error("it holds no frame")]
    Empty,
}

impl PitchFileError {
    pub(super) fn malformed(line: usize, reason: impl Into<String>) -> Self {
        PitchFileError::Malformed { line, reason: reason.into() }
    }

    /// What a person can do about it, as one sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            PitchFileError::Io(_) => "check that the file exists and may be read",
            PitchFileError::UnknownFormat(_) => "use .txt, .f0, .csv, .tsv, .pv or .json",
            PitchFileError::TooLarge { .. } => "split the file, or remove it from the library if it is no pitch track",
            PitchFileError::Malformed { .. } => {
                "write rows of time in seconds and f0 in Hz (0 = unvoiced), in .pv files one semitone value per line"
            }
            PitchFileError::Notes { .. } => "give notes as MIDI or as melody JSON lines (.jsonl)",
            PitchFileError::Empty => "give a file with at least one row, or remove this one from the library",
        }
    }
}
