//! The journal: every change since the last snapshot, one after the other in a file.
//!
//! A snapshot is the second copy of what the store holds, but it is written once a minute. What came since is here, so that at any
//! moment everything is in two places: in the store, and in the snapshot followed by the journal.
//!
//! ```text
//! header   magic, version u32, identity u64, base u64 (generation of the snapshot that it follows), checksum u64
//! entries  mark u32, head length u32, body length u32, checksum u64 of these and the head
//!          head (generation u64, paths of the files concerned), body (the change), checksum u64 of the body
//! ```
//! A damaged entry does not hide those behind it: the next mark is looked for.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::change::Change;
use crate::error::{Result, io};
use crate::values::{from_bytes, to_bytes};

const MAGIC: &[u8; 8] = b"qbh-jrnl";
const VERSION: u32 = 1;
const HEADER: usize = 8 + 4 + 8 + 8 + 8;
const MARK: [u8; 4] = [0xf1, b'q', b'b', 0x1f];
/// Mark, lengths and checksum of an entry.
const ENTRY_HEADER: usize = 4 + 4 + 4 + 8;

/// What an entry says even when its body is damaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EntryHead {
    /// Generation after the change.
    pub generation: u64,
    /// Files that the change is about.
    pub paths: Vec<String>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub head: EntryHead,
    /// `None` if it is damaged.
    pub change: Option<Change>,
}

/// What was found in a journal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JournalContents {
    pub identity: u64,
    /// Generation of the snapshot that the journal follows.
    pub base: u64,
    pub entries: Vec<Entry>,
    /// Whether bytes were skipped that are no entry; the torn end that a crash leaves counts too.
    pub skipped: bool,
}

/// A journal open for writing.
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
    entries: usize,
}

impl Journal {
    /// Starts an empty journal that follows the snapshot of generation `base`, in place of the one that is there.
    pub(crate) fn start(path: &Path, identity: u64, base: u64) -> Result<Journal> {
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&identity.to_le_bytes());
        header.extend_from_slice(&base.to_le_bytes());
        header.extend_from_slice(&xxh3_64(&header).to_le_bytes());
        let temporary = path.with_extension("new");
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(&header)?;
            file.sync_all()?;
            std::fs::rename(&temporary, path)?;
            Ok(file)
        };
        let file = write().map_err(io(path))?;
        crate::folder::sync(path)?;
        Ok(Journal { file, path: path.to_path_buf(), entries: 0 })
    }

    /// Changes written so far.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// Writes a change down. It survives kill -9 from here on, and a loss of power after [`Journal::sync`].
    pub(crate) fn append(&mut self, change: &Change) -> Result<()> {
        let paths = change.files.iter().map(|(path, _)| path.clone()).collect();
        let head = to_bytes(&EntryHead { generation: change.counters.generation, paths })?;
        let body = to_bytes(change)?;
        let mut bytes = Vec::with_capacity(ENTRY_HEADER + head.len() + body.len() + 8);
        bytes.extend_from_slice(&MARK);
        bytes.extend_from_slice(&(head.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&head_checksum(head.len(), body.len(), &head).to_le_bytes());
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&xxh3_64(&body).to_le_bytes());
        crate::failpoint::point("journal.append").and_then(|()| self.file.write_all(&bytes)).map_err(io(&self.path))?;
        self.entries += 1;
        Ok(())
    }

    /// Makes what was written survive a loss of power.
    pub(crate) fn sync(&self) -> Result<()> {
        crate::failpoint::point("journal.sync").and_then(|()| self.file.sync_data()).map_err(io(&self.path))
    }
}

/// Reads a journal; `Err` says in words why nothing of it can be used, `None` that there is none.
pub(crate) fn read(path: &Path) -> std::result::Result<Option<JournalContents>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let (header, mut rest) = bytes.split_at_checked(HEADER).ok_or("it is cut short")?;
    let (body, sum) = header.split_at(HEADER - 8);
    if !header.starts_with(MAGIC) || xxh3_64(body).to_le_bytes() != sum {
        return Err("its header is damaged".to_string());
    }
    let mut fields = &body[MAGIC.len()..];
    let version = take_u32(&mut fields).unwrap_or(0);
    if version != VERSION {
        return Err(format!("it has format {version} instead of {VERSION}"));
    }
    let identity = take_u64(&mut fields).unwrap_or(0);
    let base = take_u64(&mut fields).unwrap_or(0);
    let mut contents = JournalContents { identity, base, entries: Vec::new(), skipped: false };
    while !rest.is_empty() {
        match entry(rest) {
            Some((entry, length)) => {
                contents.entries.push(entry);
                rest = &rest[length..];
            }
            None => {
                contents.skipped = true;
                let next = rest[1..].windows(MARK.len()).position(|bytes| bytes == MARK);
                rest = next.map_or(&[][..], |at| &rest[1 + at..]);
            }
        }
    }
    Ok(Some(contents))
}

/// The entry at the start of `bytes` and its length, if there is one with a whole head.
fn entry(bytes: &[u8]) -> Option<(Entry, usize)> {
    let mut rest = bytes.strip_prefix(&MARK)?;
    let head_len = take_u32(&mut rest)? as usize;
    let body_len = take_u32(&mut rest)? as usize;
    let sum = take_u64(&mut rest)?;
    let head_bytes = rest.split_off(..head_len)?;
    if sum != head_checksum(head_len, body_len, head_bytes) {
        return None;
    }
    let head: EntryHead = from_bytes(head_bytes, "journal").ok()?;
    let length = ENTRY_HEADER.checked_add(head_len)?.checked_add(body_len)?.checked_add(8)?;
    // A body that the crash of its writer cut was never acknowledged, but one that was cut later was: both are told.
    let Some(body) = rest.split_off(..body_len) else { return Some((Entry { head, change: None }, bytes.len())) };
    let whole = take_u64(&mut rest) == Some(xxh3_64(body));
    let change = if whole { from_bytes(body, "journal").ok() } else { None };
    Some((Entry { head, change }, length.min(bytes.len())))
}

fn head_checksum(head_len: usize, body_len: usize, head: &[u8]) -> u64 {
    let mut bytes = Vec::with_capacity(8 + head.len());
    bytes.extend_from_slice(&(head_len as u32).to_le_bytes());
    bytes.extend_from_slice(&(body_len as u32).to_le_bytes());
    bytes.extend_from_slice(head);
    xxh3_64(&bytes)
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.split_off(..4)?.first_chunk()?))
}

fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.split_off(..8)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Counters;

    fn change(generation: u64) -> Change {
        let files = vec![(format!("song{generation}.mp3"), Some(vec![generation as u8; 40]))];
        Change { counters: Counters { generation, ..Counters::default() }, files, ..Change::default() }
    }

    fn written(dir: &Path) -> (PathBuf, Vec<u8>) {
        let path = crate::folder::journal(dir);
        let mut journal = Journal::start(&path, 7, 10).unwrap();
        (11..16).for_each(|generation| journal.append(&change(generation)).unwrap());
        journal.sync().unwrap();
        assert_eq!(journal.entries(), 5);
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes)
    }

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let (path, _) = written(dir.path());
        let contents = read(&path).unwrap().unwrap();
        assert_eq!((contents.identity, contents.base, contents.skipped), (7, 10, false));
        assert_eq!(contents.entries.len(), 5);
        assert_eq!(contents.entries[2].change, Some(change(13)));
        assert_eq!(read(&dir.path().join("absent")), Ok(None));
    }

    #[test]
    fn a_flipped_bit_costs_one_entry_at_most() {
        let dir = tempfile::tempdir().unwrap();
        let (path, bytes) = written(dir.path());
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            std::fs::write(&path, &damaged).unwrap();
            match read(&path) {
                Err(_) => assert!(at < HEADER, "byte {at} hides the journal"),
                Ok(contents) => {
                    let contents = contents.unwrap();
                    let whole = contents.entries.iter().filter(|e| e.change.is_some()).count();
                    assert_eq!(whole, 4, "byte {at}");
                    assert!(contents.skipped || contents.entries.len() == 5, "byte {at} is not noticed");
                }
            }
        }
    }

    #[test]
    fn a_cut_end_is_noticed_and_the_rest_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let (path, bytes) = written(dir.path());
        for length in HEADER..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let contents = read(&path).unwrap().unwrap();
            let whole = contents.entries.iter().filter(|e| e.change.is_some()).count();
            assert_eq!(whole, (length - HEADER) / ((bytes.len() - HEADER) / 5), "{length}");
        }
    }
}
