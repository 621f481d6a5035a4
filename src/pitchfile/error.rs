//! The errors of reading pitch files.

use crate::audio::AudioError;
use std::path::PathBuf;

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
    /// The recording that tells how far the rows of a `.pv` file are apart cannot be read.
    #[error("its recording {} cannot be read: {source}", path.display())]
    Recording {
        /// The recording.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<AudioError>,
    },
    /// The rows of a `.pv` file do not fit the length of their recording.
    #[error("{rows} rows for the {seconds:.1} s of {} are neither 20 ms (MIR-1K) nor 32 ms (MIR-QBSH, iKala) apart", path.display())]
    Frames {
        /// Rows in the file.
        rows: usize,
        /// Length of the recording.
        seconds: f64,
        /// The recording.
        path: PathBuf,
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
            PitchFileError::Notes { .. } => {
                "give notes as rows of onset, end and pitch, as MIDI, or as melody JSON lines (.jsonl)"
            }
            PitchFileError::Recording { .. } => "repair the recording, or say how far the rows are apart (qbh eval melody --hop)",
            PitchFileError::Frames { .. } => {
                "give the recording that the file belongs to, or say how far its rows are apart (qbh eval melody --hop)"
            }
            PitchFileError::Empty => "give a file with at least one row, or remove this one from the library",
        }
    }
}
