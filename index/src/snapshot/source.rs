//! The bytes of a snapshot file: what is read, and what is mapped.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use xxhash_rust::xxh3::Xxh3Default;

use crate::derived::Derived;
use crate::mapping::Mapping;
use crate::{Error, Result};

/// Bytes that are read at once to compute a checksum.
const CHUNK: usize = 1 << 20;

/// An open snapshot file.
pub(super) struct Source {
    file: File,
    path: PathBuf,
    /// Length and time of modification when it was opened.
    seen: (u64, Option<SystemTime>),
}

impl Source {
    pub(super) fn open(path: &Path) -> std::result::Result<Source, Derived> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Derived::Missing),
            Err(error) => return Err(Derived::Damaged(error.to_string())),
        };
        let metadata = file.metadata().map_err(|e| Derived::Damaged(e.to_string()))?;
        Ok(Source { file, path: path.to_path_buf(), seen: seen(&metadata) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its length when it was opened, bytes.
    pub(super) fn len(&self) -> u64 {
        self.seen.0
    }

    /// Fills `into` with the bytes from `at` on.
    ///
    /// # Errors
    /// [`Error::SnapshotChanged`] if the file has become shorter, [`Error::Io`].
    pub(super) fn read(&self, at: usize, into: &mut [u8]) -> Result<()> {
        read_exact_at(&self.file, into, at as u64).map_err(|cause| match cause.kind() {
            ErrorKind::UnexpectedEof => Error::SnapshotChanged(self.path.clone()),
            _ => Error::Io { path: self.path.clone(), cause },
        })
    }

    /// The bytes of a section.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(super) fn bytes(&self, section: Range<usize>) -> Result<Vec<u8>> {
        let mut bytes = vec![0; section.len()];
        self.read(section.start, &mut bytes)?;
        Ok(bytes)
    }

    /// Maps a section.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn map(&self, section: Range<usize>) -> Result<Mapping> {
        Mapping::new(&self.file, section).map_err(|cause| Error::Io { path: self.path.clone(), cause })
    }

    /// The checksum of a section.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(super) fn checksum(&self, section: &Range<usize>) -> Result<u64> {
        let mut hasher = Xxh3Default::new();
        let mut buffer = vec![0; CHUNK.min(section.len())];
        for at in section.clone().step_by(CHUNK) {
            let part = &mut buffer[..CHUNK.min(section.end - at)];
            self.read(at, part)?;
            hasher.update(part);
        }
        Ok(hasher.digest())
    }

    /// Refuses to vouch for what was read if another program has cut or overwritten the file since it was opened. Whoever publishes
    /// renames another file over it, which leaves this one as it is.
    ///
    /// # Errors
    /// [`Error::SnapshotChanged`].
    pub(super) fn unchanged(&self) -> Result<()> {
        match self.file.metadata() {
            Ok(metadata) if seen(&metadata) == self.seen => Ok(()),
            _ => Err(Error::SnapshotChanged(self.path.clone())),
        }
    }
}

fn seen(metadata: &Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}

#[cfg(unix)]
fn read_exact_at(file: &File, into: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut into: &mut [u8], mut at: u64) -> io::Result<()> {
    while !into.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, into, at) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                into = &mut into[read..];
                at += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
