//! A source made of pieces of another: bytes in memory, stretches of the file, and what the file says it has and has not.

use std::io::{Read, Result, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// A piece of a [`Splice`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::audio) enum Piece {
    /// Bytes in place of those of the file.
    Bytes(Vec<u8>),
    /// So many bytes of the file.
    File { start: u64, len: u64 },
    /// So many bytes that were cut off: counted in the length, and the end when they are to be read.
    Missing { len: u64 },
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::File { len, .. } | Piece::Missing { len } => *len,
        }
    }
}

/// The pieces one after the other.
pub(super) struct Splice {
    file: Box<dyn MediaSource>,
    /// With where each begins.
    pieces: Vec<(u64, Piece)>,
    len: u64,
    at: u64,
    /// Where `file` stands, if known.
    file_at: Option<u64>,
}

impl Splice {
    pub fn new(file: Box<dyn MediaSource>, pieces: Vec<Piece>) -> Self {
        let mut len = 0u64;
        let mut placed = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let start = len;
            len = len.saturating_add(piece.len());
            placed.push((start, piece));
        }
        Splice { file, pieces: placed, len, at: 0, file_at: None }
    }
}

impl Read for Splice {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let index = self.pieces.partition_point(|(start, _)| *start <= self.at);
        // Empty pieces begin where the next one does, which comes after them.
        let Some((start, piece)) = index.checked_sub(1).and_then(|i| self.pieces.get(i)) else { return Ok(0) };
        let within = self.at - start;
        let left = piece.len().saturating_sub(within);
        let want = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = match piece {
            Piece::Bytes(bytes) => {
                let from = within.min(bytes.len() as u64) as usize;
                buffer[..want].copy_from_slice(&bytes[from..from + want]);
                want
            }
            Piece::File { start, .. } => {
                let place = start + within;
                if self.file_at != Some(place) {
                    self.file.seek(SeekFrom::Start(place))?;
                }
                let read = self.file.read(&mut buffer[..want])?;
                self.file_at = Some(place + read as u64);
                read
            }
            Piece::Missing { .. } => 0,
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Splice {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

impl MediaSource for Splice {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn splice(pieces: &[Piece]) -> Splice {
        Splice::new(Box::new(Cursor::new(b"0123456789".to_vec())), pieces.to_vec())
    }

    #[test]
    fn pieces_follow_one_another() {
        let pieces = [
            Piece::Bytes(b"ab".to_vec()),
            Piece::Bytes(Vec::new()),
            Piece::File { start: 4, len: 3 },
            Piece::File { start: 0, len: 2 },
            Piece::Bytes(b"c".to_vec()),
            Piece::Missing { len: 5 },
        ];
        let mut all = String::new();
        let mut source = splice(&pieces);
        source.read_to_string(&mut all).unwrap();
        assert_eq!((all.as_str(), source.byte_len()), ("ab45601c", Some(13)));
        assert_eq!(source.seek(SeekFrom::End(-8)).unwrap(), 5);
        let mut two = [0; 2];
        source.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"01");
        assert_eq!(source.seek(SeekFrom::Current(-6)).unwrap(), 1);
        source.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"b4".first_chunk().unwrap());
        source.seek(SeekFrom::Start(100)).unwrap();
        assert_eq!(source.read(&mut two).unwrap(), 0);
        assert!(source.seek(SeekFrom::Current(-101)).is_err());
    }
}
