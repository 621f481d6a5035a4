//! The errors of this crate.

use std::path::{Path, PathBuf};

/// What can go wrong with an index. Every message says what to do about it where something can be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no index in the folder.
    #[error("there is no index in {}: make one with `qbh index`", .0.display())]
    NotFound(PathBuf),
    /// Another process has the index open.
    #[error(
        "the index in {} is in use by {holder}: wait until it has finished, or stop it (nothing that it has stored is lost)",
        dir.display()
    )]
    Locked {
        /// The index folder.
        dir: PathBuf,
        /// Process id and command line of the holder, as far as they are known.
        holder: String,
    },
    /// The index was written by a version of qbh that stores things differently.
    #[error(
        "the index in {} has format {found}, this version of qbh reads format {supported}: \
         delete the folder and index the library again, or use the version of qbh that wrote it",
        dir.display()
    )]
    OtherVersion {
        /// The index folder.
        dir: PathBuf,
        /// Format of the index.
        found: u32,
        /// Format of this crate.
        supported: u32,
    },
    /// The index was made with other models or other windows; its vectors cannot be compared with the ones asked for.
    #[error(
        "the index in {} was made differently ({difference}): ask for what it was made with, \
         or delete the folder and index the library again",
        dir.display()
    )]
    OtherModels {
        /// The index folder.
        dir: PathBuf,
        /// What differs: the index's against the one asked for.
        difference: String,
    },
    /// The fingerprint itself makes no sense (dimension not a multiple of 4, no levels, ...).
    #[error("these models cannot be indexed with: {0}")]
    InvalidFingerprint(String),
    /// A song was refused before anything was stored.
    #[error("song {key:?} cannot be stored: {reason}")]
    InvalidSong {
        /// Key of the song.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A query was refused: wrong length, not finite, or a song ordinal that does not exist.
    #[error("this query cannot be searched for: {0}")]
    InvalidQuery(String),
    /// Stored data do not fit together.
    #[error("the index is damaged ({0}): delete the folder and index the library again")]
    Damaged(String),
    /// There is no room for what was to be written; nothing of it was.
    #[error(
        "the disk with {} is full: {} MB are free, {} MB are needed; make room and run again (nothing stored so far is lost)",
        path.display(),
        free / 1_000_000,
        needed.div_ceil(1_000_000)
    )]
    DiskFull {
        /// Where it was to be written.
        path: PathBuf,
        /// Bytes needed, a reserve included.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// An earlier write failed; the index must be opened again.
    #[error("an earlier write to the index failed: see to the disk and run again (nothing acknowledged is lost)")]
    Broken,
    /// sled reported an error.
    #[error("the store of the index failed: {0}")]
    Store(sled::Error),
    /// A file of the index could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The HNSW graph could not be written or read.
    #[error("the HNSW graph failed: {0}")]
    Graph(String),
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl From<sled::Error> for Error {
    fn from(error: sled::Error) -> Error {
        match error {
            sled::Error::Corruption { .. } => Error::Damaged("bytes of its database have changed".to_string()),
            other => Error::Store(other),
        }
    }
}

/// For `map_err`: an [`Error::Io`] about `path`.
pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
    move |source| Error::Io { path: path.to_path_buf(), source }
}
