//! AU of Sun and NeXT (`.au`, `.snd`): a header of six numbers.

use super::bytes::{ReadSeek, big, exact, length, little};
use super::pcm::{Coding, Pcm};

/// Where the sound of an AU file lies; `None` if it is none, or in a codec that is not read.
pub(super) fn find(file: &mut dyn ReadSeek) -> Option<Pcm> {
    let end = length(file)?;
    let big_endian = match &exact::<4>(file, 0)? {
        b".snd" => true,
        b"dns." => false,
        _ => return None,
    };
    let mut number = |at| if big_endian { big(file, at, 4) } else { little(file, at, 4) };
    let (start, size, encoding) = (number(4)?, number(8)?, number(12)?);
    let (rate, channels) = (number(16)? as u32, number(20)? as u32);
    let (coding, width) = match encoding {
        1 => (Coding::MuLaw, 1),
        2 => (Coding::Signed, 1),
        3 => (Coding::Signed, 2),
        4 => (Coding::Signed, 3),
        5 => (Coding::Signed, 4),
        6 => (Coding::Float, 4),
        7 => (Coding::Float, 8),
        27 => (Coding::ALaw, 1),
        _ => return None,
    };
    let rest = end.saturating_sub(start);
    // The largest number stands for "not known", and 0 for "not filled in".
    let len = if size == 0 || size > rest { rest } else { size };
    Some(Pcm { coding, width, big_endian, channels, rate, start, len }).filter(Pcm::is_known)
}
