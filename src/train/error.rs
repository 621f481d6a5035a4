//! The errors of preparing a training.

use std::path::{Path, PathBuf};

use qbh_models::ModelError;

/// Why there is nothing to train on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A file or folder that cannot be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A row of a table that is not what it should be.
    #[error("{}, row {row}: {reason}", path.display())]
    Row {
        /// The table.
        path: PathBuf,
        /// Counted from 1, the header included.
        row: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A folder, file or index without anything to learn from.
    #[error("{} holds {what}", path.display())]
    Nothing {
        /// Which one.
        path: PathBuf,
        /// What it lacks: "no recording that can be read".
        what: String,
    },
    /// The network, its weights or its training.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The index.
    #[error(transparent)]
    Index(#[from] qbh_index::Error),
}

impl TrainError {
    /// What the user can do about it, as an imperative sentence without a full stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            TrainError::File { .. } => "check that it exists, may be read and is what its name says",
            TrainError::Row { .. } => "correct the row, or take it out",
            TrainError::Nothing { .. } => "give another folder, file or index; `qbh train --help` says what it should hold",
            TrainError::Model(_) => "check the weights, the memory that is left and the settings of the training",
            TrainError::Index(_) => "check the index with `qbh verify`",
        }
    }

    pub(super) fn file(path: &Path, reason: impl std::fmt::Display) -> Self {
        TrainError::File { path: path.to_path_buf(), reason: reason.to_string() }
    }

    pub(super) fn nothing(path: &Path, what: &str) -> Self {
        TrainError::Nothing { path: path.to_path_buf(), what: what.to_string() }
    }
}
