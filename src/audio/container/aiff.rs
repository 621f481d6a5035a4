//! AIFF and AIFF-C of Apple: chunks with big-endian sizes, the rate as a float of 80 bits.

use super::bytes::{ReadSeek, big, exact, length, some};
use super::pcm::{Coding, Pcm};
use crate::audio::tags::Texts;

const MAX_CHUNKS: usize = 4096;
const MAX_TAGS: u64 = 16 << 20;

/// Where the sound of an AIFF file lies, and what it says about itself; `None` if it is none, or in a codec that is not read.
pub(super) fn find(file: &mut dyn ReadSeek) -> Option<(Pcm, Texts)> {
    let end = length(file)?;
    let head: [u8; 12] = exact(file, 0)?;
    let compressed = match &head {
        [b'F', b'O', b'R', b'M', .., b'A', b'I', b'F', b'F'] => false,
        [b'F', b'O', b'R', b'M', .., b'A', b'I', b'F', b'C'] => true,
        _ => return None,
    };
    let (mut common, mut sound, mut texts) = (None, None, Texts::default());
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let (Some(name), Some(size)) = (exact::<4>(file, at), big(file, at + 4, 4)) else { break };
        let body = at + 8;
        match &name {
            b"COMM" => common = Some(some(file, body, size.min(64))?),
            b"SSND" if sound.is_none() => {
                let start = body + 8 + big(file, body, 4)?;
                let rest = end.saturating_sub(start);
                let len = size.saturating_sub(start - body);
                let whole = size == 0 || len > rest;
                sound = Some((start, if whole { rest } else { len }));
                if whole {
                    break;
                }
            }
            b"NAME" => texts.title(&some(file, body, size.min(1024))?),
            b"AUTH" => texts.artist(&some(file, body, size.min(1024))?),
            b"ID3 " | b"id3 " => texts.id3(&some(file, body, size.min(MAX_TAGS))?),
            _ => {}
        }
        let Some(next) = body.checked_add(size).and_then(|next| next.checked_next_multiple_of(2)) else { break };
        at = next;
    }
    let ((start, len), common) = (sound?, common?);
    let number = |at: usize| common.get(at..at + 2).map(|b| u32::from(u16::from_be_bytes([b[0], b[1]])));
    let (channels, bits) = (number(0)?, number(6)?);
    let rate = extended(common.get(8..18)?)?;
    let integer = (Coding::Signed, bits.div_ceil(8));
    let ((coding, width), big_endian) = match if compressed { common.get(18..22)? } else { b"NONE" } {
        b"NONE" | b"twos" | b"in24" | b"in32" => (integer, true),
        b"sowt" | b"42ni" | b"23ni" => (integer, false),
        b"raw " => ((Coding::Unsigned, 1), true),
        b"fl32" | b"FL32" => ((Coding::Float, 4), true),
        b"fl64" | b"FL64" => ((Coding::Float, 8), true),
        b"alaw" | b"ALAW" => ((Coding::ALaw, 1), true),
        b"ulaw" | b"ULAW" => ((Coding::MuLaw, 1), true),
        _ => return None,
    };
    let pcm = Pcm { coding, width, big_endian, channels, rate, start, len };
    pcm.is_known().then_some((pcm, texts))
}

/// A sample rate as an IEEE 754 extended float: sign and exponent of 16 bits, mantissa of 64 with its leading 1.
fn extended(bytes: &[u8]) -> Option<u32> {
    let [e0, e1, mantissa @ ..] = bytes else { return None };
    let exponent = i32::from(u16::from_be_bytes([*e0, *e1])) - 16_383 - 63;
    let mantissa = mantissa.iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    let rate = mantissa as f64 * f64::from(exponent).exp2();
    (rate >= 1.0 && rate < f64::from(u32::MAX)).then_some(rate.round() as u32)
}

#[cfg(test)]
mod tests {
    #[test]
    fn rates_of_80_bits() {
        assert_eq!(super::extended(&[0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]), Some(44_100));
        assert_eq!(super::extended(&[0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0]), Some(8_000));
        assert_eq!(super::extended(&[0xff; 10]), None);
        assert_eq!(super::extended(&[0; 10]), None);
    }
}
