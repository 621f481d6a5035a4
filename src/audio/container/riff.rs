//! WAV and its kin: RIFF, RIFX (big-endian), RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088), and Wave64 of Sony.
//!
//! The chunks are found one after the other, whatever the outer chunk says about its size. Recorders that are cut off, and programs that write to a
//! pipe, leave sizes at 0 or at the largest number: such sound goes on to the end of the file.

use super::bytes::{ReadSeek, big, exact, length, little, some};
use super::pcm::{Coding, Pcm};
use super::splice::Piece;
use crate::audio::tags::Texts;

/// Chunks looked at; sound files have some dozens, damaged ones may claim anything.
const MAX_CHUNKS: usize = 4096;
/// Bytes of a chunk of tags.
const MAX_TAGS: u64 = 16 << 20;
/// Sizes from here on, but for 64 bits, stand for "not known".
const NOT_KNOWN: u64 = 0x7fff_0000;
/// Chunks that may follow an empty one of sound.
const USUAL: [&[u8; 4]; 11] = [b"LIST", b"fact", b"id3 ", b"ID3 ", b"bext", b"PEAK", b"cue ", b"smpl", b"JUNK", b"iXML", b"afsp"];

const W64_RIFF: [u8; 16] = *b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
const W64_TAIL: [u8; 12] = *b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";

/// What lies in a file.
#[derive(Debug, Default)]
pub(super) struct Riff {
    /// The `fmt ` chunk.
    format: Vec<u8>,
    big_endian: bool,
    start: u64,
    len: u64,
    /// Whether it ends before the sound that its size promises.
    pub cut: bool,
    /// What it says about itself.
    pub texts: Texts,
}

/// How the sound in it can be read.
pub(super) enum Content {
    /// Uncompressed.
    Pcm(Pcm),
    /// In a codec that symphonia reads out of a WAV file in order, or in a stream of its own.
    Coded(Vec<Piece>),
    /// In a codec of this number that nobody reads here.
    Unknown(u16),
}

/// The layout of the chunks.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Little,
    Big,
    Wave64,
}

/// Finds format and sound in a file that begins as one of the kin; `None` if it is none, or lacks either.
pub(super) fn find(file: &mut dyn ReadSeek) -> Option<Riff> {
    let end = length(file)?;
    let head: [u8; 12] = exact(file, 0)?;
    let (kind, mut at) = match &head {
        [b'R', b'I', b'F', b'F', .., b'W', b'A', b'V', b'E'] => (Kind::Little, 12),
        [b'R', b'F', b'6', b'4', .., b'W', b'A', b'V', b'E'] | [b'B', b'W', b'6', b'4', .., b'W', b'A', b'V', b'E'] => {
            (Kind::Little, 12)
        }
        [b'R', b'I', b'F', b'X', .., b'W', b'A', b'V', b'E'] => (Kind::Big, 12),
        _ if exact::<16>(file, 0)? == W64_RIFF => (Kind::Wave64, 40),
        _ => return None,
    };
    let mut riff = Riff { big_endian: kind == Kind::Big, ..Riff::default() };
    let (mut long_data, mut found) = (None, false);
    for _ in 0..MAX_CHUNKS {
        let Some((name, size, body)) = chunk(file, kind, at) else { break };
        let rest = end.saturating_sub(body);
        match &name {
            b"ds64" => long_data = little(file, body + 8, 8),
            b"fmt " if riff.format.is_empty() => riff.format = some(file, body, size.min(1024))?,
            b"data" if !found => {
                found = true;
                // The largest number stands for one of 64 bits elsewhere, or for "not known".
                let size = if size == u64::from(u32::MAX) { long_data.unwrap_or(u64::MAX) } else { size };
                let unfilled = size == 0 && !exact::<4>(file, body).is_some_and(|next| USUAL.contains(&&next));
                let whole = unfilled || size > rest;
                riff.cut = whole && (1..NOT_KNOWN).contains(&size);
                (riff.start, riff.len) = (body, if whole { rest } else { size });
                if whole {
                    break;
                }
            }
            b"LIST" if exact::<4>(file, body).is_some_and(|form| &form == b"INFO") => {
                riff.texts.info(&some(file, body + 4, size.saturating_sub(4).min(MAX_TAGS))?);
            }
            b"id3 " | b"ID3 " => riff.texts.id3(&some(file, body, size.min(MAX_TAGS))?),
            _ => {}
        }
        let align = if kind == Kind::Wave64 { 8 } else { 2 };
        let Some(next) = body.checked_add(size).and_then(|next| next.checked_next_multiple_of(align)) else { break };
        at = next;
    }
    (found && riff.format.len() >= 16).then_some(riff)
}

/// Name, size and place of what a chunk holds.
fn chunk(file: &mut dyn ReadSeek, kind: Kind, at: u64) -> Option<([u8; 4], u64, u64)> {
    let name: [u8; 4] = exact(file, at)?;
    match kind {
        Kind::Little => Some((name, little(file, at + 4, 4)?, at + 8)),
        Kind::Big => Some((name, big(file, at + 4, 4)?, at + 8)),
        Kind::Wave64 => {
            let tail: [u8; 12] = exact(file, at + 4)?;
            // Its size counts the header; chunks that are not of the family are passed by.
            let size = little(file, at + 16, 8)?.checked_sub(24)?;
            let name = if tail == W64_TAIL { name } else { *b"????" };
            Some((name, size, at + 24))
        }
    }
}

impl Riff {
    /// Numbers of the `fmt ` chunk, 0 where it is too short.
    fn field(&self, at: usize, width: usize) -> u32 {
        let bytes = self.format.get(at..at + width).unwrap_or_default().iter();
        let shift = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        if self.big_endian { bytes.fold(0, shift) } else { bytes.rev().fold(0, shift) }
    }

    /// How the sound can be read.
    pub fn content(&self) -> Content {
        const EXTENSIBLE: u32 = 0xfffe;
        // An extensible format names its codec in the beginning of a GUID.
        let tag = match self.field(0, 2) {
            EXTENSIBLE => self.field(24, 2),
            tag => tag,
        };
        let (channels, rate, block, bits) = (self.field(2, 2), self.field(4, 4), self.field(12, 2), self.field(14, 2));
        // Samples of odd sizes stand in whole bytes, and are padded where the blocks are larger.
        let width = if channels > 0 && block % channels == 0 && block > 0 { block / channels } else { bits.div_ceil(8) };
        let coding = match tag {
            1 if width == 1 => Some(Coding::Unsigned),
            1 => Some(Coding::Signed),
            3 => Some(Coding::Float),
            6 => Some(Coding::ALaw),
            7 => Some(Coding::MuLaw),
            _ => None,
        };
        if let Some(coding) = coding {
            let (start, len) = (self.start, self.len);
            let pcm = Pcm { coding, width, big_endian: self.big_endian, channels, rate, start, len };
            // A block size that makes no sense: the size of a sample does.
            let plain = Pcm { width: bits.div_ceil(8), ..pcm.clone() };
            return [pcm, plain].into_iter().find(Pcm::is_known).map_or(Content::Unknown(tag as u16), Content::Pcm);
        }
        let sound = Piece::File { start: self.start, len: self.len };
        match tag {
            // ADPCM, by Microsoft and by the IMA.
            0x02 | 0x11 => Content::Coded(vec![Piece::Bytes(self.header()), sound]),
            // MPEG, layers 1 and 2, and layer 3; AAC with a header before each frame.
            0x50 | 0x55 | 0x1600 | 0x1602 => Content::Coded(vec![sound]),
            _ => Content::Unknown(tag as u16),
        }
    }

    /// A WAV header for the same sound, with sizes that are right, or as large as they can be.
    fn header(&self) -> Vec<u8> {
        let size = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
        let mut header = b"RIFF".to_vec();
        header.extend(size(self.len + self.format.len() as u64 + 20));
        header.extend(b"WAVEfmt ");
        header.extend(size(self.format.len() as u64));
        header.extend(&self.format);
        if self.format.len() % 2 == 1 {
            header.push(0);
        }
        header.extend(b"data");
        header.extend(size(self.len));
        header
    }
}
