//! The errors of finding files and of listening to them.

use std::path::{Path, PathBuf};

use qbh_models::ModelError;

use crate::audio::AudioError;
use crate::pitchfile::PitchFileError;
use crate::symbolic::SymbolicError;

/// A file or folder that could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", path.display())]
pub struct FileError {
    path: PathBuf,
    // Part of the message, so that it is no `source`, which would be printed again.
    cause: std::io::Error,
}

impl FileError {
    pub(super) fn new(path: &Path, cause: std::io::Error) -> Self {
        FileError { path: path.to_path_buf(), cause }
    }

    /// The file or folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Why a file gave no contour. The text is the reason; [`ListenError::remedy`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// A recording that could not be decoded.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// A score that could not be read.
    #[error(transparent)]
    Symbolic(#[from] SymbolicError),
    /// A pitch file that could not be read.
    #[error(transparent)]
    Pitch(#[from] PitchFileError),
    /// The extractor failed.
    #[error("the extractor failed: {0}")]
    Extractor(#[from] ModelError),
    /// Larger than any music.
    #[error("{} GB are more than is taken for music (at most {} GB)", bytes / 1_000_000_000, most / 1_000_000_000)]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The most that is taken.
        most: u64,
    },
    /// Longer than any hum.
    #[error("longer than {most:.0} s")]
    TooLong {
        /// The most that is taken, seconds.
        most: f64,
    },
    /// Not enough of it for any melody.
    #[error("too short: {seconds:.2} s")]
    TooShort {
        /// Its length.
        seconds: f64,
    },
    /// Digital silence, or nearly so.
    #[error("silent: {seconds:.0} s without a sound above -80 dB")]
    Silent {
        /// Its length.
        seconds: f64,
    },
    /// Sound, or a pitch file, without a melody.
    #[error("no voice or lead melody was heard in {seconds:.0} s")]
    NoVoice {
        /// Its length.
        seconds: f64,
    },
}

impl ListenError {
    /// What the user can do about it, as an imperative sentence without a full stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            ListenError::Audio(e) => e.remedy(),
            ListenError::Symbolic(e) => e.remedy(),
            ListenError::Pitch(e) => e.remedy(),
            ListenError::Extractor(_) => "check the memory that is left, or choose another extractor with --extractor",
            ListenError::TooLarge { .. } => "split it, or give only its audio track",
            ListenError::TooLong { .. } => "send 8 to 12 s of the tune",
            ListenError::TooShort { .. } => "give a recording of some seconds: 8 to 12 for a hum",
            ListenError::Silent { .. } => "check the recording's level, and the microphone",
            ListenError::NoVoice { .. } => {
                "sing or hum louder and closer to the microphone; a library file without a melody can be removed"
            }
        }
    }
}
