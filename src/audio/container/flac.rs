//! FLAC (RFC 9639): the stream's description and its frames, without whatever stands between them.

use super::bytes::{ReadSeek, big, exact, length, some};
use super::splice::Piece;
use crate::audio::tags::Texts;

const MAX_BLOCKS: usize = 4096;
const MAX_TAGS: u64 = 16 << 20;
/// Bytes that are searched for the first frame.
const SEARCHED: u64 = 16 << 20;

/// A FLAC file, from `at` on, that holds sound only, and what the file says about itself; `None` if it is none.
pub(super) fn find(file: &mut dyn ReadSeek, at: u64) -> Option<(Vec<Piece>, Texts)> {
    const STREAM_INFO: u64 = 0;
    const COMMENT: u64 = 4;
    let end = length(file)?;
    if &exact::<4>(file, at)? != b"fLaC" {
        return None;
    }
    let (mut info, mut texts) = (None, Texts::default());
    let mut block = at + 4;
    for _ in 0..MAX_BLOCKS {
        let (Some(kind), Some(size)) = (big(file, block, 1), big(file, block + 1, 3)) else { break };
        let body = block + 4;
        // Blocks end where a frame begins, or where sizes no longer make sense.
        if is_frame(&some(file, block, 16)?) || body + size > end {
            break;
        }
        match kind & 0x7f {
            STREAM_INFO if info.is_none() && size >= 34 => info = exact::<34>(file, body),
            COMMENT => texts.comments(&some(file, body, size.min(MAX_TAGS))?),
            _ => {}
        }
        block = body + size;
        if kind & 0x80 != 0 {
            break;
        }
    }
    let start = first_frame(file, block, end).or_else(|| first_frame(file, at + 4, end))?;
    let mut info = info?;
    let sizes = [&info[..2], &info[2..4]].map(|size| u16::from_be_bytes([size[0], size[1]]));
    if sizes[0] < 16 || sizes[1] < sizes[0] {
        // Impossible sizes of blocks: any.
        info[..4].copy_from_slice(&[0, 16, 0xff, 0xff]);
    }
    let header = [&b"fLaC\x80\0\0\x22"[..], &info].concat();
    Some((vec![Piece::Bytes(header), Piece::File { start, len: end - start }], texts))
}

fn first_frame(file: &mut dyn ReadSeek, from: u64, end: u64) -> Option<u64> {
    let bytes = some(file, from, SEARCHED.min(end.saturating_sub(from)))?;
    (0..bytes.len()).find(|&at| is_frame(&bytes[at..])).map(|at| from + at as u64)
}

/// Whether a frame begins here: the sync code, and the checksum of the frame's header (RFC 9639, 9.1).
fn is_frame(bytes: &[u8]) -> bool {
    let [0xff, 0xf8 | 0xf9, sizes, channels, number, ..] = bytes else { return false };
    let block = match sizes >> 4 {
        0 => return false,
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let rate = match sizes & 15 {
        15 => return false,
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    // The number of the frame, coded as in UTF-8.
    let coded = match number.leading_ones() {
        0 => 1,
        ones @ 2..=7 => ones as usize,
        _ => return false,
    };
    let length = 4 + coded + block + rate;
    channels >> 4 <= 10 && channels & 1 == 0 && bytes.get(length) == Some(&crc8(&bytes[..length.min(bytes.len())]))
}

/// The checksum of frame headers: polynomial x^8 + x^2 + x + 1.
fn crc8(bytes: &[u8]) -> u8 {
    bytes
        .iter()
        .fold(0, |crc, byte| (0..8).fold(crc ^ byte, |crc: u8, _| if crc & 0x80 != 0 { crc << 1 ^ 0x07 } else { crc << 1 }))
}
