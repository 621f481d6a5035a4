//! Numbers and bytes at places of a file; `None` where it is too short, or cannot be read.

use std::io::{Read, Seek, SeekFrom};

/// What the readers of headers need of a file.
pub(in crate::audio) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek + ?Sized> ReadSeek for T {}

/// Bytes that are there.
pub(in crate::audio) fn length(file: &mut (impl ReadSeek + ?Sized)) -> Option<u64> {
    file.seek(SeekFrom::End(0)).ok()
}

/// `len` bytes, fewer at the end of the file.
pub(in crate::audio) fn some(file: &mut (impl ReadSeek + ?Sized), at: u64, len: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at)).ok()?;
    file.take(len).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// As many bytes as the array has.
pub(in crate::audio) fn exact<const N: usize>(file: &mut (impl ReadSeek + ?Sized), at: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// A big-endian number of `width` bytes, at most 8.
pub(in crate::audio) fn big(file: &mut (impl ReadSeek + ?Sized), at: u64, width: u8) -> Option<u64> {
    let bytes: [u8; 8] = padded(file, at, width)?;
    Some(bytes[..usize::from(width)].iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

/// A little-endian number of `width` bytes, at most 8.
pub(in crate::audio) fn little(file: &mut (impl ReadSeek + ?Sized), at: u64, width: u8) -> Option<u64> {
    padded(file, at, width).map(u64::from_le_bytes)
}

fn padded(file: &mut (impl ReadSeek + ?Sized), at: u64, width: u8) -> Option<[u8; 8]> {
    let mut bytes = [0; 8];
    file.seek(SeekFrom::Start(at)).ok()?;
    file.read_exact(bytes.get_mut(..usize::from(width))?).ok()?;
    Some(bytes)
}
