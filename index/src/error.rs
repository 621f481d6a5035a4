//! The errors of this crate.

use std::io::ErrorKind;
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
         use a version of qbh that reads it, or name another folder with --index and index the library again",
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
         or index the library again into another folder (--index)",
        dir.display()
    )]
    OtherModels {
        /// The index folder.
        dir: PathBuf,
        /// What differs: the index's against the one asked for.
        difference: String,
    },
    /// The store is of one index and the snapshot of another.
    #[error(
        "the folder {} holds the store of one index and the snapshot of another: move away the one that does not belong there \
         (`sled`, or `snapshot.qbh` with `journal.qbh`), and run `qbh verify`",
        .0.display()
    )]
    Mixed(PathBuf),
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
    /// There is an index, but no snapshot of it that can be read.
    #[error(
        "there is an index in {}, but its snapshot is {state}: `qbh index` or `qbh verify` makes it anew from the rest",
        dir.display()
    )]
    NoSnapshot {
        /// The index folder.
        dir: PathBuf,
        /// What is wrong with the snapshot.
        state: String,
    },
    /// Part of the snapshot has another checksum than was written.
    #[error("{}: {what} is damaged: `qbh verify` mends it from the store", path.display())]
    SnapshotDamaged {
        /// The snapshot.
        path: PathBuf,
        /// What of it.
        what: String,
    },
    /// Another program has cut or overwritten the snapshot while it was in use.
    #[error("{} was changed by another program while it was in use: run again; `qbh verify` mends it", .0.display())]
    SnapshotChanged(PathBuf),
    /// Stored data do not fit together.
    #[error("the index is damaged ({0}): `qbh verify` mends what can be mended and says what has to be heard again")]
    Damaged(String),
    /// Nothing of the index can be read any more: neither its store nor its snapshot.
    #[error(
        "nothing can be read of the index in {}: its store is unreadable ({store}), and its snapshot is {snapshot}; \
         move the folder away and index the library again",
        dir.display()
    )]
    Lost {
        /// The index folder.
        dir: PathBuf,
        /// What is wrong with the store.
        store: String,
        /// What is wrong with the snapshot.
        snapshot: String,
    },
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
    /// The database that is the store failed; says how.
    #[error("the store of the index failed: {0}")]
    Store(String),
    /// A file of the index could not be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said. Part of the message, so that it is no `source`, which would be printed again.
        cause: std::io::Error,
    },
    /// The HNSW graph could not be written or read.
    #[error("the HNSW graph failed: {0}")]
    Graph(String),
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What is wrong, without what can be done about it.
    pub(crate) fn reason(&self) -> String {
        match self {
            Error::Damaged(reason) => reason.clone(),
            other => other.to_string(),
        }
    }

    /// What sled said of the store at `path`.
    pub(crate) fn of_store(error: sled::Error, path: &Path) -> Error {
        match error {
            sled::Error::Io(error) if is_full(&error) => full(path, RESERVE),
            other => other.into(),
        }
    }
}

impl From<sled::Error> for Error {
    fn from(error: sled::Error) -> Error {
        let damaged = match &error {
            sled::Error::Corruption { .. } => true,
            sled::Error::Io(error) => is_gone(error),
            _ => false,
        };
        let reason = in_words(error);
        if damaged { Error::Damaged(reason) } else { Error::Store(reason) }
    }
}

/// What sled reports, as far as a person can do something with it; its own texts tell of offsets and backtraces.
pub(crate) fn in_words(error: sled::Error) -> String {
    match error {
        sled::Error::Corruption { .. } => "bytes of its database have changed".to_string(),
        sled::Error::CollectionNotFound(_) => "a part of its database is missing".to_string(),
        sled::Error::Io(error) => error.to_string(),
        sled::Error::Unsupported(reason) => reason,
        sled::Error::ReportableBug(reason) => format!("its database stumbled: {reason}"),
    }
}

/// Bytes that stay free when something is added: room for sled to open, recover and remove things, and for a snapshot of what was
/// added.
pub(crate) const RESERVE: u64 = 64 << 20;

/// The error of a write that found no room although it had been asked for.
pub(crate) fn full(path: &Path, needed: u64) -> Error {
    Error::DiskFull { path: path.to_path_buf(), needed, free: fs4::available_space(path).unwrap_or(0) }
}

/// Whether the disk, or what the user may use of it, is full.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

/// Whether the disk no longer gives what was written to it.
fn is_gone(error: &std::io::Error) -> bool {
    const EIO: i32 = 5;
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof | ErrorKind::InvalidData)
        || (cfg!(unix) && error.raw_os_error() == Some(EIO))
}

/// Whether the user may not do what was tried: nothing is damaged.
pub(crate) fn is_denied(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// For `map_err`: an [`Error::DiskFull`] or [`Error::Io`] about `path`.
pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
    move |cause| {
        if is_full(&cause) {
            return full(path.parent().unwrap_or(path), RESERVE);
        }
        Error::Io { path: path.to_path_buf(), cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_database_are_told_in_words_once() {
        let corrupt = Error::from(sled::Error::Corruption { at: None, bt: () });
        let io = |kind: ErrorKind| Error::from(sled::Error::Io(std::io::Error::from(kind)));
        assert!(matches!(corrupt, Error::Damaged(_)) && matches!(io(ErrorKind::NotFound), Error::Damaged(_)));
        assert!(matches!(io(ErrorKind::PermissionDenied), Error::Store(_)));
        let full = sled::Error::Io(std::io::Error::from(ErrorKind::StorageFull));
        let full = Error::of_store(full, Path::new("/"));
        for error in [corrupt, io(ErrorKind::PermissionDenied), full] {
            let text = error.to_string();
            assert!(!["offset", "backtrace", "None"].iter().any(|word| text.contains(word)), "{text}");
            assert!(std::error::Error::source(&error).is_none(), "printed again behind the message: {text}");
        }
    }
}
