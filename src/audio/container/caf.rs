//! CAF of Apple: chunks with big-endian sizes of 64 bits; the sound may be last, of size -1.

use super::bytes::{ReadSeek, big, exact, length, some};
use super::pcm::{Coding, Pcm};
use super::splice::Piece;
use crate::audio::tags::Texts;

const MAX_CHUNKS: usize = 4096;
const MAX_TAGS: u64 = 16 << 20;

/// How the sound of a CAF file can be read.
pub(super) enum Content {
    /// Uncompressed.
    Pcm(Pcm),
    /// By symphonia, when the size of the sound is right.
    Coded(Vec<Piece>),
}

/// The sound of a CAF file, and what it says about itself; `None` if it is none.
pub(super) fn find(file: &mut dyn ReadSeek) -> Option<(Content, Texts)> {
    let end = length(file)?;
    if &exact::<4>(file, 0)? != b"caff" {
        return None;
    }
    let (mut description, mut sound, mut texts) = (None, None, Texts::default());
    let mut at = 8;
    for _ in 0..MAX_CHUNKS {
        let (Some(name), Some(size)) = (exact::<4>(file, at), big(file, at + 4, 8)) else { break };
        let body = at + 12;
        match &name {
            b"desc" => description = some(file, body, 32),
            b"data" if sound.is_none() => {
                // It begins with the number of edits. -1 is the largest number.
                let rest = end.saturating_sub(body);
                let whole = size > rest || size < 4;
                sound = Some((at, if whole { rest } else { size }));
                if whole {
                    break;
                }
            }
            b"info" => {
                let strings = some(file, body + 4, size.saturating_sub(4).min(MAX_TAGS))?;
                let mut strings = strings.split(|byte| *byte == 0);
                while let (Some(key), Some(value)) = (strings.next(), strings.next()) {
                    texts.keyed(&String::from_utf8_lossy(key), value);
                }
            }
            _ => {}
        }
        let Some(next) = body.checked_add(size) else { break };
        at = next;
    }
    let ((at, size), description) = (sound?, description?);
    let body = at + 12;
    match pcm(&description, body + 4, size.saturating_sub(4)) {
        Some(pcm) => Some((Content::Pcm(pcm), texts)),
        None => {
            let size_of_sound = Piece::Bytes(size.to_be_bytes().to_vec());
            let pieces = vec![Piece::File { start: 0, len: at + 4 }, size_of_sound, Piece::File { start: body, len: end - body }];
            Some((Content::Coded(pieces), texts))
        }
    }
}

/// What the description says of uncompressed sound; `None` of any other.
fn pcm(description: &[u8], start: u64, len: u64) -> Option<Pcm> {
    let number = |at: usize| description.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let rate = f64::from_be_bytes(description.get(..8)?.try_into().ok()?);
    let (flags, packet, channels, bits) = (number(12)?, number(16)?, number(24)?, number(28)?);
    let coding = match description.get(8..12)? {
        b"lpcm" if flags & 1 == 1 => Coding::Float,
        b"lpcm" => Coding::Signed,
        b"alaw" => Coding::ALaw,
        b"ulaw" => Coding::MuLaw,
        _ => return None,
    };
    let width = if channels > 0 && packet % channels == 0 && packet > 0 { packet / channels } else { bits.div_ceil(8) };
    let rate = if (1.0..4e9).contains(&rate) { rate.round() as u32 } else { 0 };
    Some(Pcm { coding, width, big_endian: flags & 2 == 0, channels, rate, start, len }).filter(Pcm::is_known)
}
